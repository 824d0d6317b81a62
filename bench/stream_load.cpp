/// Many open chat streams at once, for script/bench llm: one thread is both the provider that emits
/// a timed event on each stream and the client that reads it behind the gateway, so that one clock
/// measures the way.
///
///   stream_load <provider-port> <target-port> <path> <streams> <events-per-second> <seconds>
///
/// Listens on the provider port, opens the streams against the target (the gateway, or itself for a
/// baseline) and prints one JSON line: delays per event in microseconds, and whether every stream
/// was whole.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using Clock = std::chrono::steady_clock;

std::int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(Clock::now().time_since_epoch())
      .count();
}

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

/// Either end of a stream.
struct Connection {
  int fd = -1;
  bool is_provider = false;
  std::string input;
  std::int64_t next_event = 0;  // provider: when the next one is due, 0 before the request has come
  int events_left = 0;
  bool done = false;
};

class Load {
 public:
  Load(int provider_port, int target_port, std::string path, int streams, int rate, int seconds)
      : path_(std::move(path)),
        streams_(streams),
        period_us_(1'000'000 / rate),
        events_(rate * seconds) {
    epoll_ = epoll_create1(0);
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    const int on = 1;
    setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    auto address = loopback(provider_port);
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) die("bind");
    if (listen(listener_, 4096) != 0) die("listen");
    watch(listener_, nullptr);
    target_ = loopback(target_port);
  }

  int run() {
    const auto give_up = now_us() + (static_cast<std::int64_t>(events_) * period_us_) + 30'000'000;
    int opened = 0;
    while (finished_ < streams_ && now_us() < give_up) {
      // a few at a time: the ramp is not what is measured
      for (int i = 0; i < 8 && opened < streams_; ++i) open_stream(opened++);
      pump(opened < streams_ ? 0 : 1);
      tick();
    }
    std::ranges::sort(delays_);
    const auto at = [&](double q) -> std::int64_t {
      return delays_.empty()
                 ? -1
                 : delays_[static_cast<std::size_t>(q * static_cast<double>(delays_.size() - 1))];
    };
    fmt::print(
        R"({{"streams":{},"whole":{},"events":{},"p50_us":{},"p99_us":{},"p999_us":{},"max_us":{}}})"
        "\n",
        streams_,
        whole_,
        delays_.size(),
        at(0.5),
        at(0.99),
        at(0.999),
        at(1));
    return whole_ == streams_ ? 0 : 1;
  }

 private:
  void watch(int fd, Connection* connection) {
    epoll_event event{.events = EPOLLIN, .data = {.ptr = connection}};
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl");
  }

  Connection& add(int fd, bool is_provider) {
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    auto& connection = *connections_.emplace_back(std::make_unique<Connection>());
    connection.fd = fd;
    connection.is_provider = is_provider;
    watch(fd, &connection);
    return connection;
  }

  void open_stream(int index) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, reinterpret_cast<sockaddr*>(&target_), sizeof target_) != 0)
      die("connect");
    fcntl(fd, F_SETFL, O_NONBLOCK);
    add(fd, false);
    const auto body = fmt::format(
        R"({{"model":"m","stream":true,"temperature":1,"messages":[{{"role":"user","content":"stream {}"}}]}})",
        index);
    send_all(
        fd,
        fmt::format("POST {} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer b\r\ncontent-type: "
                    "application/json\r\ncontent-length: {}\r\n\r\n{}",
                    path_,
                    body.size(),
                    body));
  }

  static void send_all(int fd, std::string_view text) {
    // a few hundred bytes into an empty socket buffer: never partial unless the peer has stopped
    // reading
    if (send(fd, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size()))
      die("send");
  }

  void pump(int wait_ms) {
    epoll_event events[512];
    const int count = epoll_wait(epoll_, events, 512, wait_ms);
    for (int i = 0; i < count; ++i) {
      auto* connection = static_cast<Connection*>(events[i].data.ptr);
      if (!connection) {
        for (int fd; (fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;)
          add(fd, true);
      } else {
        readable(*connection);
      }
    }
  }

  void readable(Connection& connection) {
    char buffer[16'384];
    for (;;) {
      const auto size = recv(connection.fd, buffer, sizeof buffer, 0);
      if (size < 0) return;
      if (size == 0) {
        close(connection.fd);
        connection.fd = -1;
        if (!connection.is_provider && !connection.done) finish(connection, false);
        return;
      }
      connection.input.append(buffer, static_cast<std::size_t>(size));
      connection.is_provider ? serve(connection) : measure(connection);
      if (connection.fd < 0 || static_cast<std::size_t>(size) < sizeof buffer) return;
    }
  }

  /// One request per connection at a time; its body is told by Content-Length.
  void serve(Connection& connection) {
    const auto head_end = connection.input.find("\r\n\r\n");
    if (head_end == std::string::npos) return;
    std::string head = connection.input.substr(0, head_end);
    std::ranges::transform(head, head.begin(), [](unsigned char c) { return std::tolower(c); });
    const auto field = head.find("content-length: ");
    std::size_t length = 0;
    if (field != std::string::npos)
      std::from_chars(head.data() + field + 16, head.data() + head.size(), length);
    if (connection.input.size() < head_end + 4 + length) return;
    connection.input.erase(0, head_end + 4 + length);
    send_all(
        connection.fd,
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n");
    connection.events_left = events_;
    // spread the streams over the period
    connection.next_event = now_us() + 1 + (started_++ * 7919 % period_us_);
    ticking_.push_back(&connection);
  }

  void tick() {
    const auto now = now_us();
    for (std::size_t i = 0; i < ticking_.size(); ++i) {
      auto& connection = *ticking_[i];
      if (connection.next_event > now) continue;
      if (connection.fd >= 0) emit(connection);
      connection.next_event += period_us_;
      if (connection.fd < 0 || connection.events_left == 0) {
        ticking_[i--] = ticking_.back();
        ticking_.pop_back();
      }
    }
  }

  static void emit(Connection& connection) {
    static constexpr std::string_view kHead =
        R"(data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":)";
    std::string event = fmt::format(R"({}{{"content":"@{} "}},"finish_reason":null}}]}})"
                                    "\n\n",
                                    kHead,
                                    now_us());
    if (--connection.events_left == 0) {
      event += fmt::format(R"({}{{}},"finish_reason":"stop"}}]}})"
                           "\n\ndata: [DONE]\n\n",
                           kHead);
      send_all(connection.fd, fmt::format("{:x}\r\n{}\r\n0\r\n\r\n", event.size(), event));
    } else {
      send_all(connection.fd, fmt::format("{:x}\r\n{}\r\n", event.size(), event));
    }
  }

  void measure(Connection& connection) {
    const auto now = now_us();
    std::size_t at = 0;
    for (;;) {
      const auto mark = connection.input.find("\"@", at);
      if (mark == std::string::npos) break;
      const auto end = connection.input.find(' ', mark);
      if (end == std::string::npos) break;
      std::int64_t sent = 0;
      std::from_chars(connection.input.data() + mark + 2, connection.input.data() + end, sent);
      delays_.push_back(now - sent);
      at = end;
    }
    if (connection.input.find("[DONE]", at) != std::string::npos) finish(connection, true);
    // what may be the start of an event that is cut here
    if (connection.input.size() > at + 512) at = connection.input.size() - 512;
    connection.input.erase(0, at);
  }

  void finish(Connection& connection, bool whole) {
    if (connection.done) return;
    connection.done = true;
    ++finished_;
    if (whole) ++whole_;
  }

  const std::string path_;
  const int streams_;
  const std::int64_t period_us_;
  const int events_;
  int epoll_ = -1;
  int listener_ = -1;
  sockaddr_in target_{};
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<Connection*> ticking_;
  std::vector<std::int64_t> delays_;
  std::int64_t started_ = 0;
  int finished_ = 0;
  int whole_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) {
    std::fputs(
        "usage: stream_load <provider-port> <target-port> <path> <streams> <events/s> <seconds>\n",
        stderr);
    return 2;
  }
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  Load load(std::atoi(argv[1]),
            std::atoi(argv[2]),
            argv[3],
            std::atoi(argv[4]),
            std::atoi(argv[5]),
            std::atoi(argv[6]));
  return load.run();
}

#pragma once
/// An upstream that does to its clients whatever a test scripts: a listener on a port of its own,
/// with a thread for each connection, and plain blocking sockets. It does not share any code with
/// what is tested.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace conciergus {

/// The upstream's end of one connection, in a script.
class FakeConnection {
 public:
  FakeConnection(int fd, int number, std::atomic<int>& requests)
      : fd_(fd), number_(number), requests_(requests) {}
  FakeConnection(const FakeConnection&) = delete;
  FakeConnection& operator=(const FakeConnection&) = delete;
  ~FakeConnection() { close(); }

  /// 0 for the first connection that the upstream accepted.
  int number() const noexcept { return number_; }

  /// The head, empty line included; empty when the client has closed instead.
  std::string read_head() {
    std::size_t end;
    while ((end = unread_.find("\r\n\r\n")) == std::string::npos) {
      if (!receive()) return {};
    }
    ++requests_;
    return take(end + 4);
  }
  /// Head and body, as they came; the body by Content-Length or up to the last chunk.
  std::string read_request() {
    std::string request = read_head();
    if (const auto at = request.find("Content-Length: "); at != std::string::npos) {
      request += read_bytes(std::strtoul(request.c_str() + at + 16, nullptr, 10));
    } else if (request.contains("Transfer-Encoding: chunked")) {
      std::size_t last;
      while ((last = find_last_chunk()) == std::string::npos) {
        if (!receive()) return {};
      }
      std::size_t end;
      while ((end = unread_.find("\r\n\r\n", last)) == std::string::npos) {
        if (!receive()) return {};
      }
      request += take(end + 4);
    }
    return request;
  }
  /// Fewer only when the client has closed.
  std::string read_bytes(std::size_t size) {
    while (unread_.size() < size && receive()) {
    }
    return take(std::min(size, unread_.size()));
  }
  /// What has come by now, without waiting.
  std::string read_available() {
    pollfd waits{fd_, POLLIN, 0};
    while (::poll(&waits, 1, 0) > 0 && receive()) {
    }
    return take(unread_.size());
  }
  /// False when the client has gone.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  void pause(std::chrono::milliseconds length) { std::this_thread::sleep_for(length); }
  /// True if the client closes within `limit`; what it sends before is thrown away.
  bool is_closed_by_client(std::chrono::milliseconds limit = std::chrono::seconds(5)) {
    const auto until = std::chrono::steady_clock::now() + limit;
    for (;;) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
          until - std::chrono::steady_clock::now());
      pollfd waits{fd_, POLLIN, 0};
      if (left.count() <= 0 || ::poll(&waits, 1, static_cast<int>(left.count())) <= 0) return false;
      if (!receive()) return true;
    }
  }
  void finish_sending() { ::shutdown(fd_, SHUT_WR); }
  void close() {
    const std::lock_guard lock(mutex_);
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  /// From another thread: ends whatever the script waits for.
  void interrupt() {
    const std::lock_guard lock(mutex_);
    if (fd_ >= 0) ::shutdown(fd_, SHUT_RDWR);
  }
  /// Closes so that the client sees a reset instead of an end.
  void reset() {
    const linger at_once{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
  }

 private:
  bool receive() {
    char buffer[4096];
    const auto size = ::recv(fd_, buffer, sizeof buffer, 0);
    if (size <= 0) return false;
    unread_.append(buffer, static_cast<std::size_t>(size));
    return true;
  }
  std::size_t find_last_chunk() const {
    return unread_.starts_with("0\r\n") ? 1 : unread_.find("\n0\r\n");
  }
  std::string take(std::size_t size) {
    auto taken = unread_.substr(0, size);
    unread_.erase(0, size);
    return taken;
  }

  std::mutex mutex_;
  int fd_;
  const int number_;
  std::atomic<int>& requests_;
  std::string unread_;
};

/// Listens on 127.0.0.1 from construction to destruction. Scripts run on threads of their own; the
/// destructor shuts their sockets down and waits for them.
class FakeUpstream {
 public:
  using Script = std::function<void(FakeConnection&)>;

  explicit FakeUpstream(Script script) : script_(std::move(script)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    const bool listens = ::bind(listener_, any, size) == 0 && ::listen(listener_, 128) == 0 &&
                         ::getsockname(listener_, any, &size) == 0;
    if (!listens) ADD_FAILURE() << "cannot listen: " << std::strerror(errno);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::jthread([this] { accept(); });
  }
  ~FakeUpstream() {
    ::shutdown(listener_, SHUT_RDWR);  // ends accept()
    acceptor_.join();
    {
      const std::lock_guard lock(mutex_);
      for (auto& connection : open_) connection.interrupt();
    }
    served_.clear();  // joins
    ::close(listener_);
  }
  FakeUpstream(const FakeUpstream&) = delete;
  FakeUpstream& operator=(const FakeUpstream&) = delete;

  /// Answers every request of every connection with the same bytes.
  static Script answer(std::string response) {
    return [response = std::move(response)](FakeConnection& connection) {
      while (!connection.read_request().empty() && connection.send(response)) {
      }
    };
  }

  std::uint16_t port() const noexcept { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  int connections() const noexcept { return connections_; }
  int requests() const noexcept { return requests_; }

 private:
  void accept() {
    for (;;) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      const std::lock_guard lock(mutex_);
      auto& connection = open_.emplace_back(fd, connections_++, requests_);
      served_.emplace_back([this, &connection] {
        script_(connection);
        connection.close();
      });
    }
  }

  const Script script_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_{0};
  std::atomic<int> requests_{0};
  std::mutex mutex_;
  std::list<FakeConnection> open_;  // until the end, though most are closed before
  std::list<std::jthread> served_;
  std::jthread acceptor_;
};

}  // namespace conciergus

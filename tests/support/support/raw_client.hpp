#pragma once
/// A TCP client that sends exactly the bytes it is told to: blocking, and with none of the code
/// under test.
#include <chrono>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace conciergus {

class RawClient {
 public:
  explicit RawClient(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    is_connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  RawClient(RawClient&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)),
        is_connected_(other.is_connected_),
        unread_(std::move(other.unread_)) {}
  ~RawClient() { close(); }

  bool is_connected() const noexcept { return is_connected_; }
  int descriptor() const noexcept { return fd_; }

  /// False when the server has closed.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  void finish_sending() { ::shutdown(fd_, SHUT_WR); }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

  /// Up to and including `end`; what there was when the server closed or `limit` passed first.
  std::string read_until(std::string_view end, std::chrono::milliseconds limit = kLimit) {
    std::size_t at;
    while ((at = unread_.find(end)) == std::string::npos && receive(limit)) {
    }
    return take(at == std::string::npos ? unread_.size() : at + end.size());
  }
  std::string read_bytes(std::size_t size, std::chrono::milliseconds limit = kLimit) {
    while (unread_.size() < size && receive(limit)) {
    }
    return take(std::min(size, unread_.size()));
  }
  /// Everything until the server closes.
  std::string read_all(std::chrono::milliseconds limit = kLimit) {
    while (receive(limit)) {
    }
    return take(unread_.size());
  }
  /// Head and body of the next response, which has a Content-Length.
  std::string read_response(std::chrono::milliseconds limit = kLimit) {
    auto response = read_until("\r\n\r\n", limit);
    if (const auto at = response.find("content-length: "); at != std::string::npos) {
      response += read_bytes(std::strtoul(response.c_str() + at + 16, nullptr, 10), limit);
    }
    return response;
  }
  /// True if the server closes within `limit` without sending anything more.
  bool is_closed(std::chrono::milliseconds limit = kLimit) {
    return unread_.empty() && !receive(limit) && ended_;
  }

  static constexpr std::chrono::milliseconds kLimit{5'000};

 private:
  bool receive(std::chrono::milliseconds limit) {
    pollfd waits{fd_, POLLIN, 0};
    if (::poll(&waits, 1, static_cast<int>(limit.count())) <= 0) return false;
    char piece[65536];
    const auto size = ::recv(fd_, piece, sizeof piece, 0);
    if (size <= 0) {
      ended_ = true;
      return false;
    }
    unread_.append(piece, static_cast<std::size_t>(size));
    return true;
  }
  std::string take(std::size_t size) {
    auto taken = unread_.substr(0, size);
    unread_.erase(0, size);
    return taken;
  }

  int fd_;
  bool is_connected_ = false;
  bool ended_ = false;
  std::string unread_;
};

}  // namespace conciergus

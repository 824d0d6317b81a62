#include "conciergus/net/listen_socket.hpp"

#include <cerrno>
#include <cstring>
#include <system_error>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "conciergus/net/endpoint.hpp"

namespace conciergus::net {
namespace {

constexpr int kBacklog = 4'096;
constexpr std::string_view kUnixPrefix = "unix:";

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const noexcept { return storage.ss_family; }
};

std::unexpected<Error> cannot_listen(const ListenAddress& address, std::string_view why) {
  return fail(ErrorCode::kConfig,
              "cannot listen on " + address.to_string() + ": " + std::string(why));
}

std::unexpected<Error> cannot_listen(const ListenAddress& address) {
  return cannot_listen(address, std::generic_category().message(errno));
}

Result<SocketAddress> resolve(const ListenAddress& address, bool has_ipv6) {
  SocketAddress result;
  if (address.host.starts_with(kUnixPrefix)) {
    auto& local = reinterpret_cast<sockaddr_un&>(result.storage);
    const auto path = std::string_view(address.host).substr(kUnixPrefix.size());
    if (path.empty() || path.size() >= sizeof local.sun_path) {
      return cannot_listen(address, "the path must have 1 to 107 bytes");
    }
    local.sun_family = AF_UNIX;
    std::memcpy(local.sun_path, path.data(), path.size());
    result.size = sizeof local;
    return result;
  }
  const bool is_any = address.host == "*";
  auto& ipv6 = reinterpret_cast<sockaddr_in6&>(result.storage);
  if ((is_any && has_ipv6) || inet_pton(AF_INET6, address.host.c_str(), &ipv6.sin6_addr) == 1) {
    ipv6.sin6_family = AF_INET6;
    ipv6.sin6_port = htons(address.port);
    result.size = sizeof ipv6;
    return result;
  }
  result.storage = {};
  auto& ipv4 = reinterpret_cast<sockaddr_in&>(result.storage);
  if (is_any || inet_pton(AF_INET, address.host.c_str(), &ipv4.sin_addr) == 1) {
    ipv4.sin_family = AF_INET;
    ipv4.sin_port = htons(address.port);
    result.size = sizeof ipv4;
    return result;
  }
  return cannot_listen(address, "neither an IP address nor \"*\" nor \"unix:/path\"");
}

bool switch_option(int descriptor, int level, int name, int value) noexcept {
  return setsockopt(descriptor, level, name, &value, sizeof value) == 0;
}

ListenSocket open_socket(int family) noexcept {
  return {::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), family, {}};
}

/// Without SO_REUSEPORT, so that a second process is refused instead of taking half of the clients.
bool is_taken(const SocketAddress& address) noexcept {
  const auto probe = open_socket(address.family());
  switch_option(probe.descriptor(), SOL_SOCKET, SO_REUSEADDR, 1);
  return ::bind(probe.descriptor(), address.get(), address.size) != 0 && errno == EADDRINUSE;
}

/// Removes the file of a unix socket whose process has gone.
void remove_stale(const SocketAddress& address) noexcept {
  const auto probe = open_socket(AF_UNIX);
  if (::connect(probe.descriptor(), address.get(), address.size) == 0) return;
  if (errno != ECONNREFUSED) return;
  ::unlink(reinterpret_cast<const sockaddr_un&>(address.storage).sun_path);
}

Result<ListenSocket> open_listener(const ListenAddress& address, const SocketAddress& at) {
  auto socket = open_socket(at.family());
  const int descriptor = socket.descriptor();
  if (descriptor < 0) return cannot_listen(address);
  if (at.family() != AF_UNIX) {
    switch_option(descriptor, SOL_SOCKET, SO_REUSEADDR, 1);
    switch_option(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
    if (!switch_option(descriptor, SOL_SOCKET, SO_REUSEPORT, 1)) return cannot_listen(address);
  }
  if (at.family() == AF_INET6)
    switch_option(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, address.host != "*");
  if (::bind(descriptor, at.get(), at.size) != 0) return cannot_listen(address);
  if (::listen(descriptor, kBacklog) != 0) return cannot_listen(address);
  return ListenSocket(socket.release(), at.family(), local_endpoint(descriptor));
}

bool kernel_has_ipv6() noexcept {
  const auto probe = open_socket(AF_INET6);
  sockaddr_in6 loopback{};
  loopback.sin6_family = AF_INET6;
  loopback.sin6_addr = in6addr_loopback;
  const auto* const address = reinterpret_cast<const sockaddr*>(&loopback);
  return ::bind(probe.descriptor(), address, sizeof loopback) == 0;
}

}  // namespace

std::string ListenAddress::to_string() const {
  if (host.starts_with(kUnixPrefix)) return host;
  return Endpoint{host, port}.to_string() + (port == 0 ? ":0" : "");
}

ListenSocket::~ListenSocket() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<std::vector<ListenSocket>> listen_on(const ListenAddress& address, std::size_t count) {
  CONCIERGUS_TRY(auto at, resolve(address, kernel_has_ipv6()));
  const bool is_unix = at.family() == AF_UNIX;
  if (is_unix) {
    remove_stale(at);
  } else if (address.port != 0 && is_taken(at)) {
    return cannot_listen(address, "the address is in use");
  }

  std::vector<ListenSocket> sockets;
  ListenAddress picked = address;
  for (std::size_t i = 0; i < count; ++i) {
    if (is_unix && i > 0) {
      const int copy = fcntl(sockets.front().descriptor(), F_DUPFD_CLOEXEC, 0);
      if (copy < 0) return cannot_listen(address);
      sockets.emplace_back(copy, at.family(), sockets.front().local());
      continue;
    }
    CONCIERGUS_TRY(auto socket, open_listener(picked, at));
    sockets.push_back(std::move(socket));
    if (!is_unix && picked.port == 0) {  // the others join the port that the first one was given
      picked.port = sockets.front().local().port;
      CONCIERGUS_TRY(at, resolve(picked, at.family() == AF_INET6));
    }
  }
  return sockets;
}

}  // namespace conciergus::net

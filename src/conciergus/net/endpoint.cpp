#include "conciergus/net/endpoint.hpp"

#include <cstddef>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

namespace conciergus::net {
namespace {

Endpoint from_ipv4(const in_addr& address, in_port_t port) {
  char text[INET_ADDRSTRLEN] = {};
  inet_ntop(AF_INET, &address, text, sizeof text);
  return {text, ntohs(port), ntohl(address.s_addr) >> 24 == 127};
}

Endpoint from_ipv6(const in6_addr& address, in_port_t port) {
  if (IN6_IS_ADDR_V4MAPPED(&address)) {
    in_addr mapped;
    std::memcpy(&mapped, address.s6_addr + 12, sizeof mapped);
    return from_ipv4(mapped, port);
  }
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(AF_INET6, &address, text, sizeof text);
  return {text, ntohs(port), IN6_IS_ADDR_LOOPBACK(&address) != 0};
}

Endpoint from_unix(const sockaddr_un& address, socklen_t size) {
  const auto path_at = offsetof(sockaddr_un, sun_path);
  if (size <= path_at || address.sun_path[0] == '\0') return {"unix", 0, true};
  return {std::string(address.sun_path, strnlen(address.sun_path, size - path_at)), 0, true};
}

}  // namespace

std::string Endpoint::to_string() const {
  if (port == 0) return address;
  const bool is_ipv6 = address.contains(':');
  return (is_ipv6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

Endpoint to_endpoint(const sockaddr* address, socklen_t size) {
  switch (size == 0 ? AF_UNSPEC : address->sa_family) {
    case AF_INET: {
      const auto& ipv4 = *reinterpret_cast<const sockaddr_in*>(address);
      return from_ipv4(ipv4.sin_addr, ipv4.sin_port);
    }
    case AF_INET6: {
      const auto& ipv6 = *reinterpret_cast<const sockaddr_in6*>(address);
      return from_ipv6(ipv6.sin6_addr, ipv6.sin6_port);
    }
    case AF_UNIX:
      return from_unix(*reinterpret_cast<const sockaddr_un*>(address), size);
    default:
      return {};
  }
}

Endpoint local_endpoint(int descriptor) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  auto* const address = reinterpret_cast<sockaddr*>(&storage);
  if (getsockname(descriptor, address, &size) != 0) return {};
  return to_endpoint(address, size);
}

}  // namespace conciergus::net

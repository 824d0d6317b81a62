#pragma once
/// From the kernel's socket addresses to Endpoint.
#include <sys/socket.h>

#include "conciergus/net/stream.hpp"

namespace conciergus::net {

/// IPv4 addresses that are mapped into IPv6 come out as IPv4. A unix socket's peer without a name
/// has the address "unix" and counts as loopback.
Endpoint to_endpoint(const sockaddr* address, socklen_t size);

/// Of the socket's own end.
Endpoint local_endpoint(int descriptor);

}  // namespace conciergus::net

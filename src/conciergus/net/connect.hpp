#pragma once
/// TCP connections to one of several addresses: Happy Eyeballs, RFC 8305.
#include <chrono>
#include <cstdint>

#include <boost/asio/ip/tcp.hpp>

#include "conciergus/net/resolver.hpp"

namespace conciergus::net {

/// The order in which to try them: families take turns, beginning with that of the first address.
Addresses interleave_families(const Addresses& addresses);

/// How long an attempt is left alone before the next one starts beside it (RFC 8305 section 5).
inline constexpr std::chrono::milliseconds kConnectStagger{250};

/// Connects to whichever address answers first; the next is tried kConnectStagger after the last
/// one, or at once when that fails. The socket has TCP_NODELAY and does not block. kUnavailable
/// with the reason of the first failure when all have failed, kTimeout past `deadline`. Attempts
/// that have not won are closed before this returns, also when it is cancelled.
Task<Result<asio::ip::tcp::socket>> connect_any(Addresses addresses,
                                                std::uint16_t port,
                                                Deadline deadline);

}  // namespace conciergus::net

#pragma once
/// Sockets that listen, bound before any event loop runs, so that a bad address is told at
/// start-up.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "conciergus/base/result.hpp"
#include "conciergus/net/stream.hpp"

namespace conciergus::net {

struct ListenAddress {
  /// An IP address; "*" for all of IPv4 and IPv6; or "unix:/path" of a socket to be created.
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;  ///< 0 picks a free one.
  std::string to_string() const;
};

/// Owns a listening descriptor until it is released.
class ListenSocket {
 public:
  ListenSocket(int descriptor, int family, Endpoint local) noexcept
      : descriptor_(descriptor), family_(family), local_(std::move(local)) {}
  ListenSocket(ListenSocket&& other) noexcept
      : descriptor_(other.release()), family_(other.family_), local_(std::move(other.local_)) {}
  ListenSocket& operator=(ListenSocket&&) = delete;
  ~ListenSocket();

  int descriptor() const noexcept { return descriptor_; }
  int release() noexcept { return std::exchange(descriptor_, -1); }
  int family() const noexcept { return family_; }
  const Endpoint& local() const noexcept { return local_; }

 private:
  int descriptor_;
  int family_;
  Endpoint local_;
};

/// One socket for each of `count` shards, all on the same address: IP sockets share it by
/// SO_REUSEPORT, a unix socket is duplicated. kConfig with the address and the reason; an address
/// on which another process listens is refused too, which SO_REUSEPORT alone would let pass. A unix
/// socket that nobody listens on any more is replaced. TCP_NODELAY passes on to what is accepted.
Result<std::vector<ListenSocket>> listen_on(const ListenAddress& address, std::size_t count);

}  // namespace conciergus::net

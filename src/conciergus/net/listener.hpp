#pragma once
/// Accepts connections on one shard.
#include <functional>
#include <memory>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include "conciergus/net/connection_limiter.hpp"
#include "conciergus/net/listen_socket.hpp"
#include "conciergus/net/tcp_stream.hpp"
#include "conciergus/runtime/shard.hpp"

namespace conciergus::net {

struct ListenerMetrics {
  observe::Counter& accepted;
  observe::Counter& refused_total;     ///< Over the limit in all.
  observe::Counter& refused_address;   ///< Over the limit of an address.
  observe::Counter& out_of_resources;  ///< No descriptor or memory left: accepting pauses.
  static ListenerMetrics from(observe::Registry& registry);
};

/// Belongs to one shard. `limiter` outlives it.
class Listener {
 public:
  /// Takes the connection over, and its place until it closes.
  using OnAccept = std::function<void(TcpStream stream, ConnectionLimiter::Place place)>;
  /// A connection was refused since there are too many in all: let go of what is not in use.
  using OnFull = std::function<void()>;

  /// `refusal` is sent, as far as that goes without waiting, to clients beyond a limit; may be
  /// empty. On the shard's thread, or before it runs.
  Listener(runtime::Shard& shard,
           ListenSocket socket,
           ConnectionLimiter& limiter,
           std::string_view refusal = {});

  /// Accepts until close() or cancellation; no failure of a connection ends it. Out of descriptors
  /// or memory it pauses for kPause at a time.
  Task<void> run(OnAccept on_accept, OnFull on_full = [] {});
  /// Stops accepting; what waits in the kernel's queue is reset.
  void close() noexcept;

  const Endpoint& local() const noexcept { return local_; }
  static constexpr std::chrono::milliseconds kPause{100};

 private:
  using Protocol = asio::generic::stream_protocol;

  void refuse(Protocol::socket& socket, ConnectionLimiter::Refusal refusal) const;

  runtime::Shard& shard_;
  const Endpoint local_;
  ConnectionLimiter& limiter_;
  const std::string_view refusal_;
  const ListenerMetrics metrics_;
  asio::basic_socket_acceptor<Protocol> acceptor_;
  asio::steady_timer pause_;
};

}  // namespace conciergus::net

#pragma once
/// A stream over a TCP or unix socket.
#include <optional>

#include <boost/asio/generic/stream_protocol.hpp>

#include "conciergus/net/stream.hpp"

namespace conciergus::net {

/// As Stream. A TCP socket converts to Socket.
class TcpStream final : public Stream {
 public:
  using Socket = asio::generic::stream_protocol::socket;

  /// Takes over a connected socket and makes it non-blocking; TCP_NODELAY is up to the caller.
  explicit TcpStream(Socket socket);
  /// The same where the peer's address is known already, which saves a system call.
  TcpStream(Socket socket, Endpoint peer);

  Task<Result<std::size_t>> read_some(std::span<char> into) override;
  /// Suspends only when the socket's buffer is full.
  Task<Result<void>> write(std::span<const asio::const_buffer> buffers) override;
  /// Sends FIN and reads what still comes (1 MiB at most) until the peer's FIN, so that closing
  /// with unread input does not reset the connection under the last bytes that were sent.
  Task<void> shutdown() override;
  bool finish_sending() noexcept override;
  void close() noexcept override;
  void cancel() noexcept override;

  bool is_open() const noexcept override { return socket_.is_open(); }
  const Endpoint& peer() const noexcept override { return peer_; }
  const Endpoint& local() const noexcept override;
  bool has_unread() noexcept override;
  bool peer_has_closed() noexcept override;
  void when_readable(std::function<void()> then) override;

  /// For the TLS stream on top.
  int descriptor() noexcept { return socket_.native_handle(); }
  Task<Result<void>> wait_readable();
  Task<Result<void>> wait_writable();

 private:
  Socket socket_;
  Endpoint peer_;
  mutable std::optional<Endpoint> local_;  // asked for on demand
};

}  // namespace conciergus::net

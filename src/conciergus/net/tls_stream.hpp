#pragma once
/// TLS over a TCP stream, for both roles: OpenSSL works on the socket itself, without buffers in
/// between, and gives its own back while a connection is idle.
#include <memory>

#include <openssl/ssl.h>

#include "conciergus/net/tcp_stream.hpp"

namespace conciergus::net {

struct SslDelete {
  void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
};
using SslPtr = std::unique_ptr<SSL, SslDelete>;
using SslContextPtr = std::unique_ptr<SSL_CTX, SslDelete>;

/// What every context of ours is set to: TLS 1.2 and later, forward secrecy, no compression, no
/// renegotiation, small idle connections. Null when OpenSSL has no memory.
SslContextPtr make_ssl_context(const SSL_METHOD* method);

/// The reason of OpenSSL's oldest queued error; empties the queue.
std::string take_ssl_error();

/// As Stream. handshake() comes first.
class TlsStream final : public Stream {
 public:
  /// `ssl` knows its role (accept or connect state), names and verification. `context` is kept as
  /// long as the stream: what the callbacks of `ssl` point to.
  TlsStream(TcpStream tcp, SslPtr ssl, std::shared_ptr<const void> context = nullptr);

  /// kProtocol with OpenSSL's reason, kUnavailable when the peer leaves; kCancelled after close().
  Task<Result<void>> handshake();

  /// kUnavailable too when the peer ends TCP without ending TLS: what came may have been cut.
  Task<Result<std::size_t>> read_some(std::span<char> into) override;
  Task<Result<void>> write(std::span<const asio::const_buffer> buffers) override;
  Task<void> shutdown() override;
  /// TLS 1.3 has a half-closed state as TCP does; older peers take it for the end.
  bool finish_sending() noexcept override;
  void close() noexcept override { tcp_.close(); }
  void cancel() noexcept override { tcp_.cancel(); }

  bool is_open() const noexcept override { return tcp_.is_open(); }
  const Endpoint& peer() const noexcept override { return tcp_.peer(); }
  const Endpoint& local() const noexcept override { return tcp_.local(); }
  bool is_tls() const noexcept override { return true; }
  std::string_view alpn() const noexcept override;
  bool has_unread() noexcept override;
  bool peer_has_closed() noexcept override { return tcp_.peer_has_closed(); }
  void when_readable(std::function<void()> then) override { tcp_.when_readable(std::move(then)); }

  /// For verification results and sessions.
  SSL* ssl() noexcept { return ssl_.get(); }

 private:
  /// Waits for what the last call, which returned `outcome`, wants; or tells why it failed.
  Task<Result<void>> wait_after(int outcome);
  Task<Result<void>> write_all(std::string_view text);

  TcpStream tcp_;
  std::shared_ptr<const void> context_;
  SslPtr ssl_;
  std::string gathered_;  // small buffers of one write, sent as one record
};

}  // namespace conciergus::net

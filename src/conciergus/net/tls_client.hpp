#pragma once
/// TLS towards upstreams: verified against the system's authorities or a file of them, with SNI,
/// ALPN http/1.1, and resumption of the last session of each upstream.
#include <memory>
#include <string>

#include <boost/asio/ip/tcp.hpp>

#include "conciergus/base/result.hpp"
#include "conciergus/net/stream.hpp"
#include "conciergus/runtime/task.hpp"

namespace conciergus::net {

struct TlsClientConfig {
  bool verify = true;   ///< Chain and host name.
  std::string ca_file;  ///< PEM; instead of the system's authorities.
};

/// Belongs to one shard; the streams may outlive it.
class TlsClient {
 public:
  explicit TlsClient(TlsClientConfig config);
  ~TlsClient();

  /// `host` is a name, which SNI tells and the certificate must show, or an address, which only the
  /// latter applies to. kUnavailable "TLS verification failed: …" when the upstream cannot be
  /// trusted, "TLS handshake failed: …" for the rest; kConfig when the authorities cannot be read.
  Task<Result<std::unique_ptr<Stream>>> handshake(asio::ip::tcp::socket socket,
                                                  std::string host,
                                                  std::uint16_t port);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace conciergus::net

#include "conciergus/net/tls_client.hpp"

namespace conciergus::net {

class TlsClient::Impl {};
TlsClient::TlsClient(TlsClientConfig) {}
TlsClient::~TlsClient() = default;

Task<Result<std::unique_ptr<Stream>>> TlsClient::handshake(asio::ip::tcp::socket,
                                                           std::string,
                                                           std::uint16_t) {
  co_return fail(ErrorCode::kConfig, "TLS to upstreams is not built in");
}

}  // namespace conciergus::net

#include "conciergus/net/connector.hpp"

#include "conciergus/net/connect.hpp"
#include "conciergus/net/tcp_stream.hpp"
#include "conciergus/runtime/with_deadline.hpp"

namespace conciergus::net {

Connector::Connector(runtime::Shard& shard, TlsClientConfig tls)
    : resolver_(shard), tls_(std::move(tls)) {}

Task<Result<std::unique_ptr<Stream>>> Connector::connect(const ConnectTarget& target,
                                                         Deadline deadline,
                                                         ConnectStage& stage) {
  stage = ConnectStage::kDns;
  auto addresses = co_await resolver_.resolve(target.host, deadline);
  if (!addresses) co_return std::unexpected(std::move(addresses).error());

  stage = ConnectStage::kTcp;
  auto socket = co_await connect_any(*std::move(addresses), target.port, deadline);
  if (!socket) co_return std::unexpected(std::move(socket).error());
  if (!target.tls) {
    stage = ConnectStage::kDone;
    co_return std::make_unique<TcpStream>(*std::move(socket));
  }

  stage = ConnectStage::kTls;
  auto handshake = tls_.handshake(*std::move(socket), target.host, target.port);
  auto stream = co_await runtime::with_deadline(std::move(handshake), deadline);
  if (stream) stage = ConnectStage::kDone;
  co_return stream;
}

}  // namespace conciergus::net

#pragma once
/// Connected streams to a host: DNS, TCP and, where asked for, TLS, all before one deadline.
#include <cstdint>
#include <memory>
#include <string>

#include "conciergus/net/resolver.hpp"
#include "conciergus/net/stream.hpp"
#include "conciergus/net/tls_client.hpp"

namespace conciergus::net {

/// How far a connection attempt came.
enum class ConnectStage : std::uint8_t { kDns, kTcp, kTls, kDone };

struct ConnectTarget {
  std::string host;  ///< Name or address, without brackets.
  std::uint16_t port = 0;
  bool tls = false;
};

/// Belongs to one shard; the streams may outlive it.
class Connector {
 public:
  Connector(runtime::Shard& shard, TlsClientConfig tls);

  /// `stage` follows the attempt, so that a failure tells where it happened. kUnavailable when
  /// nobody answers or the peer cannot be trusted, kTimeout past the deadline, kConfig when the
  /// authorities cannot be loaded. Cancelled or failed, nothing stays open.
  Task<Result<std::unique_ptr<Stream>>> connect(const ConnectTarget& target,
                                                Deadline deadline,
                                                ConnectStage& stage);

  /// Returns once no look-up is under way. Await it before destroying.
  Task<void> stop() { return resolver_.stop(); }

 private:
  Resolver resolver_;
  TlsClient tls_;
};

}  // namespace conciergus::net

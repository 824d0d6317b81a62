#pragma once
/// The HTTP server of the process: one ServerShard on each shard of the runtime.
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "conciergus/http/server_shard.hpp"
#include "conciergus/runtime/runtime.hpp"

namespace conciergus::http {

struct ServerAddress {
  net::ListenAddress address;
  bool is_tls = false;
};

/// Used by the thread that owns the runtime, which runs meanwhile and outlives this. No call is
/// made from a shard: each waits for all of them.
class Server {
 public:
  /// Makes the handler of one shard, on that shard's thread; the same one for all is fine.
  using HandlerOf = std::function<std::shared_ptr<const Handler>(runtime::Shard&)>;
  using TlsContext = std::shared_ptr<const net::TlsServerContext>;

  /// `observer` may be null.
  Server(runtime::Runtime& runtime, ServerConfig config, ExchangeObserver* observer);
  /// Stops, if that has not been done.
  ~Server();

  /// Binds everything, then accepts. kConfig with the address that cannot be had; nothing is
  /// accepted then. `tls` is needed for addresses with TLS.
  Result<void> start(std::span<const ServerAddress> addresses,
                     const HandlerOf& handler_of,
                     const TlsContext& tls = nullptr);
  /// Where it listens, with the ports that were picked, in the order of start()'s addresses.
  const std::vector<net::Endpoint>& endpoints() const noexcept { return endpoints_; }

  /// For new requests, and for new connections. Nothing that is open is dropped.
  void replace_handler(const HandlerOf& handler_of);
  void replace_tls(const TlsContext& tls);

  /// Stops accepting and returns when all connections have ended, or after `limit` at the latest;
  /// streams get their last words before that. Then, and only then, handlers may be taken down.
  void drain(std::chrono::milliseconds limit);
  /// Stops accepting, cancels what runs, and returns when all is quiet.
  void stop();

 private:
  ServerShard& of(const runtime::Shard& shard) noexcept { return *shards_[shard.index()]; }

  runtime::Runtime& runtime_;
  const ServerConfig config_;
  net::ConnectionLimiter limiter_;
  std::vector<std::unique_ptr<ServerShard>> shards_;
  std::vector<net::Endpoint> endpoints_;
  bool is_running_ = false;
};

}  // namespace conciergus::http

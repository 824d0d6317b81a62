#pragma once
/// The composition root: makes a running gateway of a configuration, and takes it down again.
#include <atomic>
#include <memory>
#include <vector>

#include "conciergus/gateway/routes.hpp"
#include "conciergus/http/server.hpp"
#include "conciergus/observe/log.hpp"

namespace conciergus::gateway {

/// Owned and used by one thread that is no shard's; its calls wait for the shards.
class Gateway {
 public:
  /// Listens when it returns. kConfig with what cannot be had: an address, a certificate, a folder.
  /// `log` outlives it.
  static Result<std::unique_ptr<Gateway>> start(LoadedConfig loaded, observe::Log& log);
  /// stop(), if that has not been done.
  ~Gateway();

  const net::Endpoint& endpoint() const noexcept { return server_.endpoints().front(); }

  /// New requests and connections follow `loaded`; what runs goes on as it began. An error leaves
  /// everything as it was. Address, shards and log stay as they were at start: told by an event.
  Result<void> reload(LoadedConfig loaded);

  /// Takes no new connections, lets answers end for the configured time, then ends the rest.
  void stop();

 private:
  struct ShardParts;
  /// Hands each shard's exchanges to that shard's part.
  class ObserverSet;

  Gateway(LoadedConfig loaded, observe::Log& log);
  Result<void> listen();
  /// Chains in front of `router`, which becomes the one in force.
  http::Server::HandlerOf chains(std::shared_ptr<const http::Handler> router);
  Services services() noexcept;
  /// What is left on a shard once the server has ended there.
  Task<void> stop(runtime::Shard& shard);

  observe::Log& log_;
  std::shared_ptr<const LoadedConfig> loaded_;
  std::atomic<bool> is_draining_{false};
  observe::Registry metrics_;
  ProcessMetrics process_;
  runtime::OffloadPool offload_;
  runtime::Runtime runtime_;
  std::vector<std::unique_ptr<ShardParts>> parts_;
  std::unique_ptr<ObserverSet> observers_;
  http::ClientSet clients_;
  LlmPart llm_;
  http::Server server_;
  std::weak_ptr<const http::Handler> routes_;
  bool is_stopped_ = false;
};

}  // namespace conciergus::gateway

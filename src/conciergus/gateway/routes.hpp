#pragma once
/// What a configuration makes of paths: the router, and the chain in front of it.
#include <atomic>
#include <memory>

#include "conciergus/gateway/config.hpp"
#include "conciergus/gateway/llm_part.hpp"
#include "conciergus/gateway/process_metrics.hpp"
#include "conciergus/http/client_set.hpp"
#include "conciergus/http/request_observer.hpp"
#include "conciergus/http/router.hpp"

namespace conciergus::gateway {

/// What the routes use and does not change with the configuration; outlives them.
struct Services {
  observe::Registry& metrics;
  ProcessMetrics& process;
  http::ClientSet& clients;  ///< For the application.
  cache::Store& store;       ///< Of answers, for the administration.
  const std::atomic<bool>& is_draining;
};

/// The handlers by path, for all shards; `engine` is null without providers. kConfig when something
/// that the configuration names cannot be used.
Result<std::shared_ptr<const http::Handler>> make_router(
    const std::shared_ptr<const LoadedConfig>& loaded,
    const std::shared_ptr<llm::LlmEngine>& engine,
    const Services& services);

/// What every request of one shard passes through before it is routed. `observer` is that shard's.
std::shared_ptr<const http::Handler> make_chain(const GatewayConfig& config,
                                                const Services& services,
                                                const http::RequestObserver& observer,
                                                std::shared_ptr<const http::Handler> router);

}  // namespace conciergus::gateway

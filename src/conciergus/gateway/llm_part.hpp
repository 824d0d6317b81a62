#pragma once
/// The LLM side of the gateway: what outlives configurations (answers, flights, resumable streams),
/// and one engine per configuration.
#include <atomic>
#include <memory>
#include <vector>

#include "conciergus/cache/memory_store.hpp"
#include "conciergus/gateway/config.hpp"
#include "conciergus/http/router.hpp"
#include "conciergus/llm/llm_engine.hpp"
#include "conciergus/runtime/runtime.hpp"

namespace conciergus::gateway {

/// Used by the thread that owns the runtime. Built before the shards run, destroyed after they have
/// stopped; stop() comes before that.
class LlmPart {
 public:
  LlmPart(runtime::Runtime& runtime, observe::Registry& metrics, const GatewayConfig& config);
  ~LlmPart();

  /// An engine for `config`, or null where it names no provider. kConfig as LlmEngine::make().
  Result<std::shared_ptr<llm::LlmEngine>> make_engine(llm::LlmConfig config);

  /// `engine` serves from now on. The one before is stopped once nothing is left of `old_routes`
  /// and its calls have ended.
  void use(std::shared_ptr<llm::LlmEngine> engine, std::weak_ptr<const http::Handler> old_routes);

  /// On each shard: ends the upstream calls that nobody reads any more and closes the connections.
  Task<void> stop(runtime::Shard& shard);

  cache::Store& store() noexcept { return store_; }

 private:
  struct Retired {
    std::shared_ptr<llm::LlmEngine> engine;
    std::shared_ptr<std::atomic<std::size_t>> running;  // shards on which it has not ended
  };
  static Task<void> retire(runtime::Shard& shard,
                           std::shared_ptr<llm::LlmEngine> engine,
                           std::weak_ptr<const http::Handler> old_routes,
                           std::shared_ptr<std::atomic<std::size_t>> running);

  runtime::Runtime& runtime_;
  cache::MemoryStore store_;
  llm::StreamHub hub_;
  llm::ResumeRegistry resume_;
  Secret scope_secret_;  // of this process, for configurations without one: survives reloads
  std::shared_ptr<llm::LlmEngine> engine_;
  std::vector<Retired> retired_;
  std::vector<std::unique_ptr<runtime::Gate>> gates_;
};

/// Adds the routes that `engine` answers, or that say that there is no provider where it is null.
void add_llm_routes(http::Router& router,
                    const GatewayConfig& config,
                    const std::shared_ptr<llm::LlmEngine>& engine);

}  // namespace conciergus::gateway

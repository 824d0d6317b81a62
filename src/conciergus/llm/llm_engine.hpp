#pragma once
/// What the LLM routes are made of, put together: one engine for a configuration, with a part of it
/// on every shard.
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "conciergus/http/client.hpp"
#include "conciergus/llm/llm_metrics.hpp"
#include "conciergus/llm/model_map.hpp"
#include "conciergus/llm/price.hpp"
#include "conciergus/llm/provider.hpp"
#include "conciergus/llm/request_memo.hpp"
#include "conciergus/llm/response_cache.hpp"
#include "conciergus/llm/resume.hpp"
#include "conciergus/llm/stream_hub.hpp"
#include "conciergus/llm/tenant.hpp"

namespace conciergus::llm {

/// What was worked out about a request that came in these very bytes.
struct Understood {
  CacheKey key;
  CacheDecision decision;
  bool is_stream = false;
  bool strips_usage = false;
};

/// What outlives a change of the configuration; owned by the composition root.
struct LlmServices {
  cache::Store& store;
  StreamHub& hub;
  ResumeRegistry& resume;
};

class LlmEngine;

/// An engine's part on one shard: connections, the calls under way, and the memo. Used on its
/// shard.
class LlmShard {
 public:
  LlmShard(const LlmEngine& engine, runtime::Shard& shard);

  runtime::Shard& shard() noexcept { return shard_; }
  Provider& provider(std::size_t place) noexcept { return *providers_[place]; }
  RequestMemo<Understood>& memo() noexcept { return memo_; }
  runtime::Gate& calls() noexcept { return calls_; }

 private:
  friend class LlmEngine;
  runtime::Shard& shard_;
  http::Client client_;
  std::vector<std::unique_ptr<Provider>> providers_;
  RequestMemo<Understood> memo_;
  runtime::Gate calls_;
};

/// Thread-safe but for what is said to belong to a shard. Handlers and the answers being sent hold
/// it; stop() is to be awaited on every shard before the last of them lets it go.
class LlmEngine {
 public:
  /// kConfig when `config` does not validate. `shards`, in the order of their indices, and
  /// `services` outlive the engine.
  static Result<std::shared_ptr<LlmEngine>> make(LlmConfig config,
                                                 std::span<runtime::Shard* const> shards,
                                                 LlmServices services);

  const LlmConfig& config() const noexcept { return config_; }
  const TenantDirectory& tenants() const noexcept { return *tenants_; }
  std::shared_ptr<const TenantDirectory> shared_tenants() const noexcept { return tenants_; }
  const ModelMap& models() const noexcept { return models_; }
  const PriceTable& prices() const noexcept { return prices_; }
  /// Tells the memos of different engines apart.
  std::uint64_t generation() const noexcept { return generation_; }

  LlmMetrics& metrics() const noexcept { return metrics_; }
  StreamHub& hub() const noexcept { return services_.hub; }
  ResumeRegistry& resume() const noexcept { return services_.resume; }
  ResponseCache& cache() const noexcept { return cache_; }
  LlmShard& on(const runtime::Shard& shard) const noexcept { return *parts_[shard.index()]; }

  /// On `shard`: refuses new upstream calls, waits for those under way until `deadline`, ends the
  /// rest, whose clients get a proper error event, and closes the connections. To be awaited while
  /// the server still sends.
  Task<void> stop(runtime::Shard& shard, Deadline deadline) const;

 private:
  LlmEngine(LlmConfig config, std::span<runtime::Shard* const> shards, LlmServices services);

  const LlmConfig config_;
  const std::shared_ptr<const TenantDirectory> tenants_;
  const ModelMap models_;
  const PriceTable prices_;
  const std::uint64_t generation_;
  const LlmServices services_;
  mutable LlmMetrics metrics_;
  mutable ResponseCache cache_;
  std::vector<std::unique_ptr<LlmShard>> parts_;
};

}  // namespace conciergus::llm

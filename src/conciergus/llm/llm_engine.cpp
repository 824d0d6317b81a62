#include "conciergus/llm/llm_engine.hpp"

#include <atomic>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace conciergus::llm {
namespace {

std::uint64_t next_generation() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

/// A stream holds its connection for as long as the model talks, so many more are under way at one
/// time than of short calls.
http::ClientConfig client_config() {
  http::ClientConfig config;
  config.max_connections = 4'096;
  config.max_queued = 4'096;
  return config;
}

}  // namespace

LlmShard::LlmShard(const LlmEngine& engine, runtime::Shard& shard)
    : shard_(shard), client_(shard, client_config()), calls_(shard.executor(), shard.on_escape()) {
  for (const ProviderConfig& provider : engine.config().providers) {
    auto made = Provider::make(provider, shard, client_);
    if (made) providers_.push_back(*std::move(made));  // validated before, so never missing
  }
}

LlmEngine::LlmEngine(LlmConfig config,
                     std::span<runtime::Shard* const> shards,
                     LlmServices services)
    : config_(std::move(config)),
      tenants_(std::make_shared<TenantDirectory>(config_.tenants)),
      models_(config_),
      prices_(config_.prices),
      generation_(next_generation()),
      services_(services),
      metrics_(shards.front()->metrics(), config_, models_.labels()),
      cache_(services.store,
             shards.front()->clock(),
             shards.front()->metrics(),
             ResponseCacheConfig{}) {
  for (runtime::Shard* const shard : shards)
    parts_.push_back(std::make_unique<LlmShard>(*this, *shard));
}

Result<std::shared_ptr<LlmEngine>> LlmEngine::make(LlmConfig config,
                                                   std::span<runtime::Shard* const> shards,
                                                   LlmServices services) {
  if (const auto violations = config.validate(); !violations.empty()) {
    return fail(ErrorCode::kConfig, fmt::format("{}", fmt::join(violations, "; ")));
  }
  return std::shared_ptr<LlmEngine>(new LlmEngine(std::move(config), shards, services));
}

Task<void> LlmEngine::stop(runtime::Shard& shard, Deadline deadline) const {
  LlmShard& part = on(shard);
  co_await part.calls_.drain(deadline);
  co_await part.calls_.stop();
  co_await part.client_.stop();
}

}  // namespace conciergus::llm

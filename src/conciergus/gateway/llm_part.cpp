#include "conciergus/gateway/llm_part.hpp"

#include <algorithm>
#include <array>

#include <openssl/rand.h>

#include "conciergus/base/text.hpp"

namespace conciergus::gateway {
namespace {

constexpr std::chrono::milliseconds kLookForOldRoutes{250};

Secret random_secret() {
  std::array<unsigned char, 32> bytes{};
  if (RAND_bytes(bytes.data(), bytes.size()) != 1) throw std::runtime_error("no random numbers");
  return Secret(to_hex({reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
}

}  // namespace

LlmPart::LlmPart(runtime::Runtime& runtime, observe::Registry& metrics, const GatewayConfig& config)
    : runtime_(runtime),
      store_(system_clock(),
             cache::CacheMetrics(metrics, "llm"),
             {.max_bytes = config.cache.memory_bytes}),
      hub_(metrics),
      resume_(system_clock(), metrics, {.window = config.llm.resume.window}),
      scope_secret_(random_secret()) {
  for (auto& shard : runtime_.shards()) {
    gates_.push_back(std::make_unique<runtime::Gate>(shard->executor(), shard->on_escape()));
  }
  gates_.front()->spawn("llm.resume", resume_.run());
}

LlmPart::~LlmPart() = default;

Result<std::shared_ptr<llm::LlmEngine>> LlmPart::make_engine(llm::LlmConfig config) {
  if (config.providers.empty()) return std::shared_ptr<llm::LlmEngine>();
  if (config.tenants.scope_secret.empty()) config.tenants.scope_secret = scope_secret_;
  std::vector<runtime::Shard*> shards;
  for (auto& shard : runtime_.shards()) shards.push_back(shard.get());
  return llm::LlmEngine::make(
      std::move(config), shards, {.store = store_, .hub = hub_, .resume = resume_});
}

void LlmPart::use(std::shared_ptr<llm::LlmEngine> engine,
                  std::weak_ptr<const http::Handler> old_routes) {
  std::erase_if(retired_, [](const Retired& one) { return one.running->load() == 0; });
  const auto old = std::exchange(engine_, std::move(engine));
  if (!old) return;
  const auto running = std::make_shared<std::atomic<std::size_t>>(runtime_.size());
  retired_.push_back({old, running});
  for (auto& shard : runtime_.shards()) {
    shard->post([&gate = *gates_[shard->index()], &shard = *shard, old, old_routes, running] {
      gate.spawn("llm.retire", retire(shard, old, old_routes, running));
    });
  }
}

/// While requests run that were routed to it, an engine may still be asked for new calls.
Task<void> LlmPart::retire(runtime::Shard& shard,
                           std::shared_ptr<llm::LlmEngine> engine,
                           std::weak_ptr<const http::Handler> old_routes,
                           std::shared_ptr<std::atomic<std::size_t>> running) {
  runtime::Notifier never(shard.executor());
  while (!old_routes.expired()) co_await never.wait(Deadline(shard.now() + kLookForOldRoutes));
  co_await engine->stop(shard, Deadline(shard.now() + engine->models().longest_total()));
  running->fetch_sub(1);
}

Task<void> LlmPart::stop(runtime::Shard& shard) {
  co_await gates_[shard.index()]->stop();
  for (const auto& [engine, running] : retired_)
    co_await engine->stop(shard, Deadline(shard.now()));
  if (engine_) co_await engine_->stop(shard, Deadline(shard.now()));
}

}  // namespace conciergus::gateway

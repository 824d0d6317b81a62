#include "conciergus/llm/response_cache.hpp"

#include <algorithm>

namespace conciergus::llm {
namespace {

using std::chrono::duration_cast;
using std::chrono::seconds;

/// Rounded so that what is stale by a fraction of a second is seen to be.
seconds ttl_left(Clock::Instant fresh_until, Clock::Instant now) {
  return std::chrono::floor<seconds>(fresh_until - now);
}

seconds age_of(const RecordView& record, Clock::WallTime now) {
  return std::max(seconds(0), std::chrono::floor<seconds>(now - record.facts().created));
}

}  // namespace

ResponseCacheMetrics::ResponseCacheMetrics(observe::Registry& registry)
    : hits(registry.counter("conciergus_llm_cache_hits_total", "Answers given from the cache")),
      stale(registry.counter("conciergus_llm_cache_stale_total", "Records found past their time")),
      misses(registry.counter("conciergus_llm_cache_misses_total",
                              "Look-ups that found no record young enough")),
      damaged(registry.counter("conciergus_llm_cache_damaged_total",
                               "Records deleted as damaged or of another format version")),
      stored(registry.counter("conciergus_llm_cache_stored_total", "Answers recorded")),
      errors(registry.counter("conciergus_llm_cache_errors_total",
                              "Failures and timeouts of the store")),
      saved(registry.double_counter("conciergus_llm_cache_saved_cost_total",
                                    "What the answers given from the cache had cost")) {}

ResponseCache::ResponseCache(cache::Store& store,
                             const Clock& clock,
                             observe::Registry& metrics,
                             ResponseCacheConfig config)
    : store_(store), clock_(clock), config_(config), metrics_(metrics) {}

Task<std::optional<ResponseCache::Hit>> ResponseCache::look_up(const CacheKey& key,
                                                               const CacheDecision& decision,
                                                               Deadline deadline,
                                                               bool allow_stale) {
  if (!decision.may_look_up) co_return std::nullopt;
  const auto found =
      co_await store_.get(key.view(), deadline.within(clock_.now(), config_.read_limit));
  if (!found) {
    metrics_.errors.add();
    co_return std::nullopt;
  }
  if (!*found) {
    metrics_.misses.add();
    co_return std::nullopt;
  }
  const cache::Entry& entry = **found;
  const auto record = RecordView::parse(entry.value.bytes());
  if (!record) {
    co_await drop_damaged(key);
    co_return std::nullopt;
  }
  Hit hit{.value = entry.value,
          .record = *record,
          .age = age_of(*record, clock_.wall_now()),
          .ttl = ttl_left(entry.fresh_until, clock_.now())};
  if (hit.is_stale()) metrics_.stale.add();
  const bool is_too_old = decision.max_age && hit.age > *decision.max_age;
  if (is_too_old || (hit.is_stale() && !allow_stale)) {
    metrics_.misses.add();
    co_return std::nullopt;
  }
  metrics_.hits.add();
  if (record->facts().cost > 0) metrics_.saved.add(record->facts().cost);
  co_return hit;
}

Task<bool> ResponseCache::store(const CacheKey& key,
                                std::string_view record,
                                const CacheDecision& decision) {
  if (!decision.may_store || decision.ttl <= seconds(0)) co_return false;
  const auto deadline = Deadline::after(clock_, config_.write_limit);
  const auto kept =
      co_await store_.put(key.view(), record, {decision.ttl, config_.stale}, deadline);
  (kept ? metrics_.stored : metrics_.errors).add();
  co_return kept.has_value();
}

Task<Result<bool>> ResponseCache::erase(const CacheKey& key) {
  co_return co_await store_.erase(key.view(), Deadline::after(clock_, config_.write_limit));
}

Task<void> ResponseCache::drop_damaged(const CacheKey& key) {
  metrics_.damaged.add();
  metrics_.misses.add();
  const auto erased = co_await erase(key);
  if (!erased) metrics_.errors.add();
}

}  // namespace conciergus::llm

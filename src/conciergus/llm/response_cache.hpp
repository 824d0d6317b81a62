#pragma once
/// Recorded answers in a Store. Which requests may look up and store is decided by
/// cache_decision.hpp; this keeps the times, checks what comes back, and counts.
#include <chrono>
#include <optional>
#include <string_view>

#include "conciergus/cache/store.hpp"
#include "conciergus/llm/cache_decision.hpp"
#include "conciergus/llm/cache_key.hpp"
#include "conciergus/llm/record.hpp"
#include "conciergus/observe/metrics.hpp"

namespace conciergus::llm {

struct ResponseCacheConfig {
  std::chrono::seconds stale{0};             ///< Kept past its time, for stale-if-error.
  std::chrono::milliseconds read_limit{20};  ///< A slower store counts as a miss.
  std::chrono::milliseconds write_limit{100};
};

struct ResponseCacheMetrics {
  explicit ResponseCacheMetrics(observe::Registry& registry);
  observe::Counter& hits;
  observe::Counter& stale;    ///< Found, past its time.
  observe::Counter& misses;   ///< Too old for the request included.
  observe::Counter& damaged;  ///< Record of another version or broken: deleted.
  observe::Counter& stored;
  observe::Counter& errors;  ///< Of the store, timeouts included; seen as misses.
  observe::DoubleCounter&
      saved;  ///< Cost of the answers that hits gave, in the price table's unit.
};

/// Thread-safe.
class ResponseCache {
 public:
  ResponseCache(cache::Store& store,
                const Clock& clock,
                observe::Registry& metrics,
                ResponseCacheConfig config);

  struct Hit {
    cache::Value value;  ///< Holds what `record` shows.
    RecordView record;
    std::chrono::seconds age{0};  ///< Since the answer was made; for the Age field.
    std::chrono::seconds ttl{0};  ///< Freshness left; negative: stale.
    bool is_stale() const noexcept { return ttl.count() < 0; }
  };
  /// What is there, unless `decision` forbids looking or the record is older than it allows. Stale
  /// hits only if `allow_stale`. Never fails: a store in trouble is a miss.
  Task<std::optional<Hit>> look_up(const CacheKey& key,
                                   const CacheDecision& decision,
                                   Deadline deadline,
                                   bool allow_stale = false);

  /// Keeps `record` if `decision` says so, and for as long as it says; true if it was kept.
  Task<bool> store(const CacheKey& key, std::string_view record, const CacheDecision& decision);
  Task<Result<bool>> erase(const CacheKey& key);

  const ResponseCacheMetrics& metrics() const noexcept { return metrics_; }

 private:
  Task<void> drop_damaged(const CacheKey& key);

  cache::Store& store_;
  const Clock& clock_;
  const ResponseCacheConfig config_;
  ResponseCacheMetrics metrics_;
};

}  // namespace conciergus::llm

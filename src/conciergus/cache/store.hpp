#pragma once
/// Where cached bytes are kept: one interface for memory, Redis and tiers of both. What every
/// implementation owes its callers is tested by testing/store_contract.hpp.
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "conciergus/base/deadline.hpp"
#include "conciergus/base/result.hpp"
#include "conciergus/cache/value.hpp"
#include "conciergus/runtime/task.hpp"

namespace conciergus::cache {

struct Entry {
  Value value;
  Clock::Instant fresh_until;  ///< Stale from then on: still there, to be served marked as such.
  Clock::Instant expires;      ///< Not found from then on. Never before fresh_until.
};

struct Ttl {
  std::chrono::milliseconds fresh;     ///< Positive.
  std::chrono::milliseconds stale{0};  ///< After that, until the entry expires.
};

struct StoreStats {
  std::uint64_t entries = 0;
  std::uint64_t payload_bytes = 0;  ///< Keys and values.
  std::uint64_t charged_bytes = 0;  ///< With all that keeping them takes.
  std::uint64_t limit_bytes = 0;    ///< Of charged_bytes; 0: not bounded by the store itself.
};

/// Thread-safe. Keys and values are any bytes, values immutable. A store that cannot answer in time
/// says so (kTimeout, kUnavailable) and looks like a miss to whoever has another way. Cancelled
/// calls leave the entry either untouched or changed as asked, never anything between.
class Store {
 public:
  virtual ~Store() = default;

  /// Fresh or stale; nothing when absent or expired.
  virtual Task<Result<std::optional<Entry>>> get(std::string_view key, Deadline deadline) = 0;
  /// Copies both. kTooLarge when such a value is never kept; whatever was there under the key is
  /// gone then.
  virtual Task<Result<void>> put(std::string_view key,
                                 std::string_view value,
                                 Ttl ttl,
                                 Deadline deadline) = 0;
  /// True if there was an entry.
  virtual Task<Result<bool>> erase(std::string_view key, Deadline deadline) = 0;
  virtual Task<Result<void>> clear(Deadline deadline) = 0;
  virtual StoreStats stats() const = 0;
};

}  // namespace conciergus::cache

#pragma once
/// Collapses identical simultaneous requests into one upstream call (single flight): the first
/// leads, the others join, on whatever shard they are.
#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "conciergus/llm/cache_key_hash.hpp"
#include "conciergus/llm/flight_leader.hpp"
#include "conciergus/observe/metrics.hpp"

namespace conciergus::llm {

struct StreamHubMetrics {
  explicit StreamHubMetrics(observe::Registry& registry);
  observe::Counter& led;       ///< Upstream calls begun.
  observe::Counter& joined;    ///< Requests that shared one.
  observe::Counter& unshared;  ///< Calls that could have been shared but for the bound.
  observe::Gauge& flights;     ///< Under way, shareable or not.
};

/// Thread-safe. Outlives its flights' leaders.
class StreamHub {
 public:
  /// `max_flights` bounds what can be joined at one time; a call beyond it is made unshared.
  explicit StreamHub(observe::Registry& metrics, std::size_t max_flights = 16'384);
  ~StreamHub();

  struct Joined {
    std::unique_ptr<Subscription> subscription;
    /// Set for the first: whoever gets it makes the call, in a coroutine of its own, so that the
    /// first client's leaving ends nothing for the others.
    std::optional<FlightLeader> leader;
  };

  /// Joins the flight for `key`, or leads a new one when there is none, or only one that has
  /// failed, was given up, or has outgrown what late joiners could still be told.
  Joined join_or_lead(const CacheKey& key, runtime::Shard& shard, const FlightConfig& config);
  /// A flight that nobody can join.
  Joined lead(runtime::Shard& shard, const FlightConfig& config);

 private:
  struct alignas(64) Stripe {
    std::mutex mutex;
    std::unordered_map<CacheKey, std::weak_ptr<Flight>, CacheKeyHash> flights;
  };
  static constexpr std::size_t kStripes = 64;

  Stripe& stripe(const CacheKey& key) noexcept;
  void forget(const CacheKey& key, const Flight* flight);

  const std::size_t max_flights_;
  StreamHubMetrics metrics_;
  std::atomic<std::size_t> shared_{0};
  std::array<Stripe, kStripes> stripes_;
};

}  // namespace conciergus::llm

#include "conciergus/llm/stream_hub.hpp"

namespace conciergus::llm {

StreamHubMetrics::StreamHubMetrics(observe::Registry& registry)
    : led(registry.counter("conciergus_llm_flights_total", "Upstream calls begun")),
      joined(registry.counter("conciergus_llm_collapsed_total",
                              "Requests that shared the upstream call of another")),
      unshared(registry.counter("conciergus_llm_unshared_total",
                                "Upstream calls not shared because too many were under way")),
      flights(registry.gauge("conciergus_llm_flights", "Upstream calls under way")) {}

StreamHub::StreamHub(observe::Registry& metrics, std::size_t max_flights)
    : max_flights_(max_flights), metrics_(metrics) {}

StreamHub::~StreamHub() = default;

StreamHub::Joined StreamHub::join_or_lead(const CacheKey& key,
                                          runtime::Shard& shard,
                                          const FlightConfig& config) {
  Stripe& stripe = this->stripe(key);
  const std::lock_guard lock(stripe.mutex);
  const auto place = stripe.flights.find(key);
  if (place != stripe.flights.end()) {
    if (const auto flight = place->second.lock()) {
      if (auto subscription = flight->subscribe(shard)) {
        metrics_.joined.add();
        return {std::move(subscription), std::nullopt};
      }
    }
  } else if (shared_.load(std::memory_order_relaxed) >= max_flights_) {
    metrics_.unshared.add();
    return lead(shard, config);
  }

  auto flight = std::make_shared<Flight>(shard, config);
  auto subscription = flight->subscribe(shard);
  if (place != stripe.flights.end()) {
    place->second = flight;
  } else {
    stripe.flights.emplace(key, flight);
    shared_.fetch_add(1, std::memory_order_relaxed);
  }
  auto on_gone = [this, key, gone = flight.get()] { forget(key, gone); };
  metrics_.led.add();
  metrics_.flights.add(1);
  return {std::move(subscription), FlightLeader(std::move(flight), std::move(on_gone))};
}

StreamHub::Joined StreamHub::lead(runtime::Shard& shard, const FlightConfig& config) {
  auto flight = std::make_shared<Flight>(shard, config);
  auto subscription = flight->subscribe(shard);
  metrics_.led.add();
  metrics_.flights.add(1);
  auto on_gone = [this] { metrics_.flights.add(-1); };
  return {std::move(subscription), FlightLeader(std::move(flight), std::move(on_gone))};
}

StreamHub::Stripe& StreamHub::stripe(const CacheKey& key) noexcept {
  return stripes_[static_cast<unsigned char>(key.digest.back()) % kStripes];
}

void StreamHub::forget(const CacheKey& key, const Flight* flight) {
  metrics_.flights.add(-1);
  Stripe& stripe = this->stripe(key);
  const std::lock_guard lock(stripe.mutex);
  const auto place = stripe.flights.find(key);
  if (place == stripe.flights.end() || place->second.lock().get() != flight) return;  // succeeded
  stripe.flights.erase(place);
  shared_.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace conciergus::llm

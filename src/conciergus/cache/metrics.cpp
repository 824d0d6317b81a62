#include "conciergus/cache/metrics.hpp"

#include <string>

namespace conciergus::cache {
namespace {

observe::Labels labels(std::string_view cache) {
  return {{"cache", std::string(cache)}};
}

}  // namespace

CacheMetrics::CacheMetrics(observe::Registry& registry, std::string_view cache)
    : hits(registry.counter("conciergus_cache_hits_total", "Entries found fresh", labels(cache))),
      stale_hits(registry.counter(
          "conciergus_cache_stale_hits_total", "Entries found past their time", labels(cache))),
      misses(registry.counter("conciergus_cache_misses_total", "Keys not found", labels(cache))),
      puts(registry.counter("conciergus_cache_puts_total", "Entries written", labels(cache))),
      rejected(registry.counter(
          "conciergus_cache_rejected_total", "Entries refused as too large", labels(cache))),
      evictions(registry.counter(
          "conciergus_cache_evictions_total", "Entries removed to make room", labels(cache))),
      expirations(registry.counter(
          "conciergus_cache_expirations_total", "Entries found expired", labels(cache))),
      entries(registry.gauge("conciergus_cache_entries", "Entries kept", labels(cache))),
      payload_bytes(registry.gauge(
          "conciergus_cache_payload_bytes", "Bytes of keys and values", labels(cache))),
      charged_bytes(registry.gauge("conciergus_cache_charged_bytes",
                                   "Bytes of keys, values and all that keeping them takes",
                                   labels(cache))) {}

}  // namespace conciergus::cache

#pragma once
/// What a store counts.
#include <string_view>

#include "conciergus/observe/metrics.hpp"

namespace conciergus::cache {

/// Handles into a registry, which outlives them.
struct CacheMetrics {
  /// `cache` tells the stores of one process apart: "llm", "http".
  CacheMetrics(observe::Registry& registry, std::string_view cache);

  observe::Counter& hits;        ///< Found fresh.
  observe::Counter& stale_hits;  ///< Found past their time.
  observe::Counter& misses;
  observe::Counter& puts;
  observe::Counter& rejected;     ///< Too large to be kept.
  observe::Counter& evictions;    ///< To make room.
  observe::Counter& expirations;  ///< Found expired.
  observe::Gauge& entries;
  observe::Gauge& payload_bytes;  ///< Keys and values.
  observe::Gauge& charged_bytes;  ///< With all that keeping them takes.
};

}  // namespace conciergus::cache

#pragma once
/// Metric registry: counters, gauges and histograms with per-shard cells that are summed when
/// scraped. Handles are resolved once, at start-up, and cost a relaxed add on a cache line of their
/// own afterwards. Text forms: Prometheus exposition 0.0.4 and OpenMetrics 1.0.
#include <array>
#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace conciergus::observe {

inline constexpr std::size_t kMetricCells = 16;

/// The calling thread's cell; threads are numbered in the order in which they first ask.
std::size_t metric_cell() noexcept;

using Labels = std::vector<std::pair<std::string, std::string>>;

/// Only grows. Any thread.
class Counter {
 public:
  void add(std::uint64_t by = 1) noexcept {
    cells_[metric_cell()].value.fetch_add(by, std::memory_order_relaxed);
  }
  std::uint64_t value() const noexcept;

 private:
  struct alignas(64) Cell {
    std::atomic<std::uint64_t> value{0};
  };
  std::array<Cell, kMetricCells> cells_;
};

/// Goes up and down. Any thread.
class Gauge {
 public:
  void add(std::int64_t by) noexcept { value_.fetch_add(by, std::memory_order_relaxed); }
  void set(std::int64_t to) noexcept { value_.store(to, std::memory_order_relaxed); }
  std::int64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  alignas(64) std::atomic<std::int64_t> value_{0};
};

/// Sums of money and the like: a counter of doubles. Any thread; not for hot paths.
class DoubleCounter {
 public:
  void add(double by) noexcept {
    double seen = value_.load(std::memory_order_relaxed);
    while (!value_.compare_exchange_weak(seen, seen + by, std::memory_order_relaxed)) {
    }
  }
  double value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  alignas(64) std::atomic<double> value_{0};
};

/// Counts observations in fixed buckets. Any thread.
class Histogram {
 public:
  /// `bounds` ascend; a bucket counts values up to and including its bound, the last one the rest.
  explicit Histogram(std::span<const double> bounds);
  void observe(double value) noexcept;

  struct Snapshot {
    std::vector<std::uint64_t> buckets;  ///< Not cumulative; one more than there are bounds.
    std::uint64_t count = 0;
    double sum = 0;
  };
  Snapshot snapshot() const;
  const std::vector<double>& bounds() const noexcept { return bounds_; }

 private:
  std::vector<double> bounds_;
  std::size_t stride_;                                   // atomics per cell, whole cache lines
  std::unique_ptr<std::atomic<std::uint64_t>[]> cells_;  // per cell: buckets, then the sum's bits
};

/// Bucket bounds in seconds: 100 µs to 100 s, for requests, and 10 µs to 1 s, for internal steps.
std::span<const double> latency_buckets() noexcept;
std::span<const double> short_latency_buckets() noexcept;

/// Owns every metric; references stay valid as long as it. Registration and rendering lock and may
/// be called from any thread. Asking again for the same name and labels returns the same metric. A
/// name keeps at most `max_series` label sets: further ones share the series whose values are all
/// "other".
class Registry {
 public:
  explicit Registry(std::size_t max_series = 2'000);
  ~Registry();

  /// Names follow conciergus_<module>_<thing>_<unit>; counters end in _total.
  Counter& counter(std::string_view name, std::string_view help, const Labels& labels = {});
  DoubleCounter& double_counter(std::string_view name,
                                std::string_view help,
                                const Labels& labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, const Labels& labels = {});
  Histogram& histogram(std::string_view name,
                       std::string_view help,
                       std::span<const double> bounds,
                       const Labels& labels = {});

  enum class Format { kPrometheus, kOpenMetrics };
  std::string render(Format format) const;
  static std::string_view content_type(Format format) noexcept;
  /// Sorted names of all families, for the test that compares them with docs/metrics.md.
  std::vector<std::string> names() const;

 private:
  struct Family;
  struct Series;
  Series& series(std::string_view name, std::string_view help, char kind, const Labels& labels);

  const std::size_t max_series_;
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Family>> families_;
};

}  // namespace conciergus::observe

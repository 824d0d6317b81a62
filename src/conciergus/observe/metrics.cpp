#include "conciergus/observe/metrics.hpp"

#include <algorithm>
#include <bit>
#include <map>
#include <optional>

#include <fmt/format.h>

namespace conciergus::observe {

std::size_t metric_cell() noexcept {
  static std::atomic<std::size_t> next{0};
  thread_local const std::size_t kCell =
      next.fetch_add(1, std::memory_order_relaxed) % kMetricCells;
  return kCell;
}

std::uint64_t Counter::value() const noexcept {
  std::uint64_t sum = 0;
  for (const auto& cell : cells_) sum += cell.value.load(std::memory_order_relaxed);
  return sum;
}

Histogram::Histogram(std::span<const double> bounds)
    : bounds_(bounds.begin(), bounds.end()),
      stride_((bounds_.size() + 2 + 7) / 8 * 8),
      cells_(new std::atomic<std::uint64_t>[stride_ * kMetricCells]) {
  for (std::size_t i = 0; i < stride_ * kMetricCells; ++i) cells_[i].store(0);
}

void Histogram::observe(double value) noexcept {
  const auto bucket = std::ranges::lower_bound(bounds_, value) - bounds_.begin();
  auto* cell = &cells_[metric_cell() * stride_];
  cell[bucket].fetch_add(1, std::memory_order_relaxed);
  auto& sum = cell[bounds_.size() + 1];
  auto seen = sum.load(std::memory_order_relaxed);
  while (
      !sum.compare_exchange_weak(seen,
                                 std::bit_cast<std::uint64_t>(std::bit_cast<double>(seen) + value),
                                 std::memory_order_relaxed)) {
  }
}

Histogram::Snapshot Histogram::snapshot() const {
  Snapshot all;
  all.buckets.assign(bounds_.size() + 1, 0);
  for (std::size_t i = 0; i < kMetricCells; ++i) {
    const auto* cell = &cells_[i * stride_];
    for (std::size_t b = 0; b <= bounds_.size(); ++b) {
      const auto count = cell[b].load(std::memory_order_relaxed);
      all.buckets[b] += count;
      all.count += count;
    }
    all.sum += std::bit_cast<double>(cell[bounds_.size() + 1].load(std::memory_order_relaxed));
  }
  return all;
}

std::span<const double> latency_buckets() noexcept {
  static constexpr double kBounds[] = {0.0001,
                                       0.00025,
                                       0.0005,
                                       0.001,
                                       0.0025,
                                       0.005,
                                       0.01,
                                       0.025,
                                       0.05,
                                       0.1,
                                       0.25,
                                       0.5,
                                       1,
                                       2.5,
                                       5,
                                       10,
                                       30,
                                       60,
                                       100};
  return kBounds;
}

std::span<const double> short_latency_buckets() noexcept {
  static constexpr double kBounds[] = {0.00001,
                                       0.000025,
                                       0.00005,
                                       0.0001,
                                       0.00025,
                                       0.0005,
                                       0.001,
                                       0.0025,
                                       0.005,
                                       0.01,
                                       0.025,
                                       0.05,
                                       0.1,
                                       0.25,
                                       0.5,
                                       1};
  return kBounds;
}

struct Registry::Series {
  Labels labels;
  std::optional<Counter> counter;
  std::optional<DoubleCounter> double_counter;
  std::optional<Gauge> gauge;
  std::optional<Histogram> histogram;
};

struct Registry::Family {
  std::string name;
  std::string help;
  char kind;  // c, d(ouble counter), g, h
  std::map<Labels, std::unique_ptr<Series>> series;
};

Registry::Registry(std::size_t max_series) : max_series_(max_series) {}
Registry::~Registry() = default;

Registry::Series& Registry::series(std::string_view name,
                                   std::string_view help,
                                   char kind,
                                   const Labels& labels) {
  auto family =
      std::ranges::find(families_, name, [](const auto& f) -> std::string_view { return f->name; });
  if (family == families_.end()) {
    families_.push_back(std::make_unique<Family>(std::string(name), std::string(help), kind));
    family = families_.end() - 1;
  }
  auto& all = (*family)->series;
  if (const auto known = all.find(labels); known != all.end()) return *known->second;
  Labels kept = labels;
  if (all.size() >= max_series_) {
    for (auto& [key, value] : kept) value = "other";
  }
  auto& slot = all[kept];
  if (!slot) {
    slot = std::make_unique<Series>();
    slot->labels = std::move(kept);
  }
  return *slot;
}

Counter& Registry::counter(std::string_view name, std::string_view help, const Labels& labels) {
  const std::scoped_lock lock(mutex_);
  auto& slot = series(name, help, 'c', labels).counter;
  return slot ? *slot : slot.emplace();
}

DoubleCounter& Registry::double_counter(std::string_view name,
                                        std::string_view help,
                                        const Labels& labels) {
  const std::scoped_lock lock(mutex_);
  auto& slot = series(name, help, 'd', labels).double_counter;
  return slot ? *slot : slot.emplace();
}

Gauge& Registry::gauge(std::string_view name, std::string_view help, const Labels& labels) {
  const std::scoped_lock lock(mutex_);
  auto& slot = series(name, help, 'g', labels).gauge;
  return slot ? *slot : slot.emplace();
}

Histogram& Registry::histogram(std::string_view name,
                               std::string_view help,
                               std::span<const double> bounds,
                               const Labels& labels) {
  const std::scoped_lock lock(mutex_);
  auto& slot = series(name, help, 'h', labels).histogram;
  return slot ? *slot : slot.emplace(bounds);
}

std::string_view Registry::content_type(Format format) noexcept {
  return format == Format::kOpenMetrics
             ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
             : "text/plain; version=0.0.4; charset=utf-8";
}

std::vector<std::string> Registry::names() const {
  const std::scoped_lock lock(mutex_);
  std::vector<std::string> names;
  for (const auto& family : families_) names.push_back(family->name);
  std::ranges::sort(names);
  return names;
}

namespace {

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '"') {
      out += "\\\"";
    } else if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
}

/// `{a="b",le="0.1"}`, or nothing when there is no label at all.
std::string label_text(const Labels& labels, std::string_view le = {}) {
  if (labels.empty() && le.empty()) return {};
  std::string out = "{";
  for (const auto& [key, value] : labels) {
    if (out.size() > 1) out += ',';
    out.append(key).append("=\"");
    append_escaped(out, value);
    out += '"';
  }
  if (!le.empty()) {
    if (out.size() > 1) out += ',';
    out.append("le=\"").append(le).append("\"");
  }
  return out += '}';
}

}  // namespace

std::string Registry::render(Format format) const {
  const std::scoped_lock lock(mutex_);
  const bool open = format == Format::kOpenMetrics;
  std::string out;
  const auto end = std::back_inserter(out);
  for (const auto& family : families_) {
    const bool is_counter = family->kind == 'c' || family->kind == 'd';
    std::string_view head = family->name;
    if (open && is_counter && head.ends_with("_total")) head.remove_suffix(6);
    const std::string_view type = is_counter            ? "counter"
                                  : family->kind == 'g' ? "gauge"
                                                        : "histogram";
    fmt::format_to(end, "# HELP {} {}\n# TYPE {} {}\n", head, family->help, head, type);
    for (const auto& [labels, one] : family->series) {
      if (one->counter)
        fmt::format_to(end, "{}{} {}\n", family->name, label_text(labels), one->counter->value());
      if (one->double_counter) {
        fmt::format_to(
            end, "{}{} {}\n", family->name, label_text(labels), one->double_counter->value());
      }
      if (one->gauge)
        fmt::format_to(end, "{}{} {}\n", family->name, label_text(labels), one->gauge->value());
      if (!one->histogram) continue;
      const auto seen = one->histogram->snapshot();
      std::uint64_t below = 0;
      for (std::size_t b = 0; b < seen.buckets.size(); ++b) {
        below += seen.buckets[b];
        const bool last = b + 1 == seen.buckets.size();
        const auto le = last ? std::string("+Inf") : fmt::format("{}", one->histogram->bounds()[b]);
        fmt::format_to(end, "{}_bucket{} {}\n", family->name, label_text(labels, le), below);
      }
      fmt::format_to(end, "{}_sum{} {}\n", family->name, label_text(labels), seen.sum);
      fmt::format_to(end, "{}_count{} {}\n", family->name, label_text(labels), seen.count);
    }
  }
  if (open) out += "# EOF\n";
  return out;
}

}  // namespace conciergus::observe

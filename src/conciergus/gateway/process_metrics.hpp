#pragma once
/// What the operating system knows of this process, under the names that Prometheus' own clients
/// use.
#include "conciergus/base/clock.hpp"
#include "conciergus/observe/metrics.hpp"

namespace conciergus::gateway {

/// Any thread. The values are as of the last update().
class ProcessMetrics {
 public:
  ProcessMetrics(observe::Registry& registry, const Clock& clock);
  /// Reads /proc; some 50 µs, without waiting for any device.
  void update();

 private:
  observe::DoubleCounter& cpu_seconds_;
  observe::Gauge& resident_bytes_;
  observe::Gauge& open_descriptors_;
  observe::Gauge& max_descriptors_;
  observe::Gauge& uptime_seconds_;
  const Clock& clock_;
  const Clock::Instant started_;
};

/// "0.1.0", the commit it was built from or "unknown", and the compiler.
struct BuildInfo {
  std::string_view version;
  std::string_view commit;
  std::string_view compiler;
  std::string_view kind;  ///< "release", "debug"
};
const BuildInfo& build_info() noexcept;

}  // namespace conciergus::gateway

#pragma once
/// Time is injected, so that state machines can be tested without sleeping.
#include <chrono>

namespace conciergus {

/// Source of both times. Thread-safe.
class Clock {
 public:
  using Instant = std::chrono::steady_clock::time_point;   ///< Monotonic: timeouts, ages.
  using WallTime = std::chrono::system_clock::time_point;  ///< For people and other machines.

  virtual ~Clock() = default;
  virtual Instant now() const noexcept = 0;
  virtual WallTime wall_now() const noexcept = 0;
};

class SystemClock final : public Clock {
 public:
  Instant now() const noexcept override { return std::chrono::steady_clock::now(); }
  WallTime wall_now() const noexcept override { return std::chrono::system_clock::now(); }
};

/// The process-wide system clock, for composition roots.
inline const Clock& system_clock() noexcept {
  static const SystemClock clock;
  return clock;
}

}  // namespace conciergus

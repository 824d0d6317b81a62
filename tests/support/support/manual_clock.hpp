#pragma once
/// A clock that moves only when told to.
#include "conciergus/base/clock.hpp"

namespace conciergus {

class ManualClock final : public Clock {
 public:
  Instant now() const noexcept override { return now_; }
  WallTime wall_now() const noexcept override { return wall_; }
  void advance(Instant::duration by) noexcept {
    now_ += by;
    wall_ += std::chrono::duration_cast<WallTime::duration>(by);
  }

 private:
  Instant now_{std::chrono::hours(1)};
  WallTime wall_{std::chrono::seconds(1'800'000'000)};
};

}  // namespace conciergus

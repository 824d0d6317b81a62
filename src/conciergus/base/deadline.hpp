#pragma once
/// One deadline travels with a request; each step waits until the smaller of its own limit and the
/// rest.
#include <algorithm>
#include <chrono>

#include "conciergus/base/clock.hpp"

namespace conciergus {

class Deadline {
 public:
  /// Never passes.
  constexpr Deadline() noexcept : at_(Clock::Instant::max()) {}
  constexpr explicit Deadline(Clock::Instant at) noexcept : at_(at) {}
  static Deadline after(const Clock& clock, Clock::Instant::duration limit) noexcept {
    return Deadline(clock.now() + limit);
  }

  constexpr Clock::Instant at() const noexcept { return at_; }
  constexpr bool is_never() const noexcept { return at_ == Clock::Instant::max(); }
  constexpr bool has_passed(Clock::Instant now) const noexcept { return now >= at_; }
  /// Never negative.
  constexpr Clock::Instant::duration left(Clock::Instant now) const noexcept {
    return at_ <= now ? Clock::Instant::duration::zero() : at_ - now;
  }
  /// The earlier of this and `limit` from `now`.
  constexpr Deadline within(Clock::Instant now, Clock::Instant::duration limit) const noexcept {
    return Deadline(std::min(at_, now + limit));
  }

 private:
  Clock::Instant at_;
};

}  // namespace conciergus

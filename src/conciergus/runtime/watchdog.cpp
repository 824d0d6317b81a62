#include "conciergus/runtime/watchdog.hpp"

#include <boost/asio/use_awaitable.hpp>

namespace conciergus::runtime {

Task<void> Watchdog::run() {
  for (;;) {
    timer_.expires_after(kSweepEvery);
    co_await timer_.async_wait(asio::use_awaitable);
    sweep(Clock::Instant::clock::now());
  }
}

void Watchdog::sweep(Clock::Instant now) {
  for (auto at = watches_.begin(); at != watches_.end();) {
    Watch& watch = *at++;  // on_expired() may destroy it
    if (watch.at_ > now) continue;
    watch.never_expires();
    watch.on_expired();
  }
}

}  // namespace conciergus::runtime

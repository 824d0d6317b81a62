#pragma once
/// Wakes the coroutines of one shard that wait for something to change: Asio's condition variable.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "conciergus/base/deadline.hpp"
#include "conciergus/runtime/task.hpp"

namespace conciergus::runtime {

/// Belongs to one shard. Waiters check their condition before and after each wait; on one thread no
/// wake-up is lost between the check and the wait.
class Notifier {
 public:
  explicit Notifier(const asio::any_io_executor& shard) : timer_(shard, Clock::Instant::max()) {}

  /// Returns once notified, or when `deadline` has passed. Cancelled: throws operation_aborted at
  /// the caller's next await, as everywhere. All waiters at one time share the deadline of the last
  /// one unless it is never: keep one Notifier per waiter where deadlines differ.
  Task<void> wait(Deadline deadline = Deadline()) {
    if (timer_.expiry() != deadline.at()) timer_.expires_at(deadline.at());
    co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  void notify_all() { timer_.cancel(); }

 private:
  asio::steady_timer timer_;
};

}  // namespace conciergus::runtime

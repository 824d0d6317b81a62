#pragma once
/// The one way to bound a compound wait (Boost 1.81 has no asio::cancel_after). It costs some 3 µs:
/// wrap exchanges, not single reads; the byte level of connections is watched by Watchdog.
#include <exception>
#include <tuple>
#include <utility>
#include <variant>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "conciergus/base/deadline.hpp"
#include "conciergus/base/result.hpp"
#include "conciergus/runtime/task.hpp"

namespace conciergus::runtime {

/// Turns what `work` throws into an Error: a race takes no notice of exceptions.
template <class T>
Task<Result<T>> contain(Task<Result<T>> work) {
  try {
    co_return co_await std::move(work);
  } catch (const boost::system::system_error& error) {
    const bool cancelled = error.code() == asio::error::operation_aborted;
    co_return fail(cancelled ? ErrorCode::kCancelled : ErrorCode::kInternal, error.what());
  } catch (const std::exception& error) {
    co_return fail(ErrorCode::kInternal, error.what());
  }
}

/// The result of `work`, or kTimeout once `deadline` has passed; kCancelled if the caller is
/// cancelled first. `work` has ended in every case when this returns, so it may borrow from the
/// caller's frame; work that ignores cancellation holds the caller up. A deadline that never passes
/// costs nothing.
template <class T>
Task<Result<T>> with_deadline(Task<Result<T>> work, Deadline deadline) {
  using namespace asio::experimental::awaitable_operators;
  if (deadline.is_never()) co_return co_await std::move(work);
  asio::steady_timer timer{co_await asio::this_coro::executor, deadline.at()};
  auto first =
      co_await (contain(std::move(work)) || timer.async_wait(asio::as_tuple(asio::use_awaitable)));
  if (first.index() == 0) co_return std::get<0>(std::move(first));
  const auto [timer_error] = std::get<1>(first);
  if (timer_error) co_return fail(ErrorCode::kCancelled, "cancelled while waiting");
  co_return fail(ErrorCode::kTimeout, "deadline passed");
}

}  // namespace conciergus::runtime

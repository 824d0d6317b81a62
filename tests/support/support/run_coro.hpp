#pragma once
#include <chrono>
#include <exception>
#include <optional>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

namespace conciergus {

/// Runs the coroutine `body()` on a loop of its own and fails the test if it has not ended after
/// `limit`: a lost wake-up is a failure, not a hang. `body` outlives the coroutine, so it may
/// capture.
template <class Body>
void run_coro(Body body, std::chrono::seconds limit = std::chrono::seconds(5)) {
  boost::asio::io_context io{1};
  std::optional<std::exception_ptr> ended;
  boost::asio::co_spawn(io, body(), [&](const std::exception_ptr& escaped) { ended = escaped; });
  io.run_for(limit);
  ASSERT_TRUE(ended.has_value()) << "still waiting after " << limit.count() << " s";
  if (*ended) std::rethrow_exception(*ended);
}

}  // namespace conciergus

/// ASSERT_* return, which a coroutine must not; this one co_returns.
#define CONCIERGUS_CO_ASSERT(condition)                          \
  if (const bool co_assert_holds{condition}; !co_assert_holds) { \
    ADD_FAILURE() << #condition;                                 \
    co_return;                                                   \
  }

#include "conciergus/runtime/runtime.hpp"

#include <gtest/gtest.h>

#include "conciergus/runtime/with_deadline.hpp"
#include "support/run_coro.hpp"

namespace conciergus::runtime {
namespace {
using namespace std::chrono_literals;

Deadline in(Clock::Instant::duration limit) {
  return Deadline::after(system_clock(), limit);
}

Task<Result<int>> answer_after(Clock::Instant::duration wait) {
  asio::steady_timer timer{co_await asio::this_coro::executor, wait};
  co_await timer.async_wait(asio::use_awaitable);
  co_return 42;
}

TEST(WithDeadlineTest, GivesTheResultOfFastWorkAndTimesOutSlowWork) {
  run_coro([]() -> Task<void> {
    const auto fast = co_await with_deadline(answer_after(0s), in(2s));
    EXPECT_EQ(fast.value(), 42);
    const auto slow = co_await with_deadline(answer_after(10s), in(5ms));
    CONCIERGUS_CO_ASSERT(!slow.has_value());
    EXPECT_EQ(slow.error().code(), ErrorCode::kTimeout);
  });
}

TEST(WithDeadlineTest, ReportsAnEscapedExceptionAtOnceInsteadOfWaitingForTheTimer) {
  run_coro([]() -> Task<void> {
    const auto bug = []() -> Task<Result<int>> {
      throw std::runtime_error("boom");
      co_return 1;
    };
    const auto seen = co_await with_deadline(bug(), in(60s));
    CONCIERGUS_CO_ASSERT(!seen.has_value());
    EXPECT_EQ(seen.error().code(), ErrorCode::kInternal);
  });
}

Task<void> wait_for_ever(bool& ended_early) {
  asio::steady_timer timer{co_await asio::this_coro::executor, Clock::Instant::max()};
  ended_early = true;
  co_await timer.async_wait(asio::use_awaitable);
  ended_early = false;
}

TEST(GateTest, EndsItsMembersAndRefusesNewOnes) {
  run_coro([]() -> Task<void> {
    Gate gate(co_await asio::this_coro::executor, [](auto, const auto&) { ADD_FAILURE(); });
    bool a = false;
    bool b = false;
    EXPECT_TRUE(gate.spawn("a", wait_for_ever(a)));
    const auto second = gate.spawn("b", wait_for_ever(b));
    CONCIERGUS_CO_ASSERT(second.has_value());
    co_await asio::post(asio::use_awaitable);
    EXPECT_EQ(gate.size(), 2u);
    Gate::cancel(*second);
    co_await asio::post(asio::use_awaitable);
    EXPECT_EQ(gate.size(), 1u);
    Gate::cancel(*second);  // harmless
    co_await gate.stop();
    EXPECT_EQ(gate.size(), 0u);
    EXPECT_TRUE(a && b);
    EXPECT_FALSE(gate.spawn("c", wait_for_ever(a)));
  });
}

Task<void> leave_slowly(bool& left) {
  asio::steady_timer timer{co_await asio::this_coro::executor, Clock::Instant::max()};
  co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  co_await asio::this_coro::reset_cancellation_state();
  timer.expires_after(20ms);
  co_await timer.async_wait(asio::use_awaitable);
  left = true;
}

TEST(GateTest, WaitsForItsMembersEvenIfTheOneWhoStopsItIsCancelled) {
  run_coro([]() -> Task<void> {
    const auto executor = co_await asio::this_coro::executor;
    Gate outer(executor, [](auto, const auto&) { ADD_FAILURE(); });
    bool left = false;
    bool gate_outlived_its_member = false;
    const auto stopper = [](auto on, bool& member_left, bool& outlived) -> Task<void> {
      Gate inner(on, [](auto, const auto&) { ADD_FAILURE(); });
      inner.spawn("slow", leave_slowly(member_left));
      co_await asio::post(asio::use_awaitable);
      co_await inner.stop();
      outlived = member_left && inner.size() == 0;
    };
    outer.spawn("stopper", stopper(executor, left, gate_outlived_its_member));
    for (int i = 0; i < 4; ++i) co_await asio::post(asio::use_awaitable);
    co_await outer.stop();
    EXPECT_TRUE(gate_outlived_its_member);
  });
}

TEST(GateTest, TellsOfExceptionsButNotOfCancellation) {
  run_coro([]() -> Task<void> {
    std::string seen;
    Gate gate(co_await asio::this_coro::executor,
              [&](std::string_view name, const auto&) { seen = name; });
    const auto bug = []() -> Task<void> {
      throw std::runtime_error("boom");
      co_return;
    };
    gate.spawn("bug", bug());
    co_await asio::post(asio::use_awaitable);
    EXPECT_EQ(seen, "bug");
    co_await gate.stop();
  });
}

TEST(GateTest, DrainsUntilItsDeadline) {
  run_coro([]() -> Task<void> {
    Gate gate(co_await asio::this_coro::executor, [](auto, const auto&) {});
    bool ended = false;
    gate.spawn("a", wait_for_ever(ended));
    EXPECT_FALSE(co_await gate.drain(in(5ms)));
    co_await gate.stop();
    EXPECT_TRUE(co_await gate.drain(in(5ms)));
  });
}

TEST(OffloadPoolTest, RunsJobsElsewhereAndRefusesMoreThanItsBound) {
  OffloadPool pool(1, 1);
  run_coro([&]() -> Task<void> {
    const auto here = std::this_thread::get_id();
    const auto there = co_await pool.run([] { return std::this_thread::get_id(); });
    CONCIERGUS_CO_ASSERT(there.has_value());
    EXPECT_NE(*there, here);
    EXPECT_EQ(std::this_thread::get_id(), here);
  });
  OffloadPool none(1, 0);
  run_coro([&]() -> Task<void> {
    const auto refused = co_await none.run([] { return 1; });
    CONCIERGUS_CO_ASSERT(!refused.has_value());
    EXPECT_EQ(refused.error().code(), ErrorCode::kOverloaded);
  });
}

TEST(WatchdogTest, ExpiresWhatIsPastItsInstantOnce) {
  asio::io_context io{1};
  Watchdog watchdog(io.get_executor());
  struct Probe final : Watchdog::Watch {
    using Watch::Watch;
    void on_expired() override { ++expired; }
    int expired = 0;
  };
  Probe early(watchdog);
  Probe late(watchdog);
  const Clock::Instant now(100s);
  early.expires_at(now);
  late.expires_at(now + 1s);
  watchdog.sweep(now);
  watchdog.sweep(now);
  EXPECT_EQ(early.expired, 1);
  EXPECT_EQ(late.expired, 0);
}

TEST(RuntimeTest, RunsWorkOnEveryShardAndStops) {
  observe::Registry metrics;
  OffloadPool offload(1, 8);
  Runtime runtime(3, {system_clock(), observe::Log::none(), metrics, offload});
  runtime.start();
  std::atomic<int> ran = 0;
  runtime.on_every_shard([&](Shard&) -> Task<void> {
    ++ran;
    co_return;
  });
  EXPECT_EQ(ran, 3);
  runtime.stop();
}

}  // namespace
}  // namespace conciergus::runtime

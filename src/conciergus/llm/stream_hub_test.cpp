#include "conciergus/llm/stream_hub.hpp"

#include <atomic>
#include <latch>

#include <gtest/gtest.h>

#include "conciergus/llm/testing/one_shard.hpp"
#include "conciergus/runtime/runtime.hpp"

namespace conciergus::llm {
namespace {
using namespace std::chrono_literals;
using End = Batch::End;
using testing::Heard;
using testing::listen;
using testing::piece;

CacheKey key(int number) {
  CacheKey made;
  std::memcpy(made.digest.data(), &number, sizeof number);
  made.digest.back() = static_cast<char>(number);
  return made;
}

TEST(StreamHubTest, MakesOneLeaderOfAThousandSimultaneousAskers) {
  testing::OneShard shards;
  StreamHub hub(shards.metrics);
  std::vector<StreamHub::Joined> askers;
  for (int i = 0; i < 1'000; ++i) askers.push_back(hub.join_or_lead(key(1), shards.shard, {}));
  EXPECT_EQ(std::ranges::count_if(askers, [](auto& asker) { return asker.leader.has_value(); }), 1);
  ASSERT_TRUE(askers.front().leader);
  auto& leader = *askers.front().leader;
  leader.open({});
  leader.append(piece("answer"));
  leader.finish({});
  shards.run([&]() -> Task<void> {
    for (auto& asker : askers) {
      const Heard heard = co_await listen(*asker.subscription);
      EXPECT_EQ(heard, (Heard{"answer", End::kDone}));
    }
  });
}

TEST(StreamHubTest, NeverMixesKeys) {
  testing::OneShard shards;
  StreamHub hub(shards.metrics);
  std::vector<StreamHub::Joined> askers;
  for (int i = 0; i < 100; ++i) askers.push_back(hub.join_or_lead(key(i), shards.shard, {}));
  for (const auto& asker : askers) EXPECT_TRUE(asker.leader);
}

TEST(StreamHubTest, BeginsAnewAfterAFailureAnAbandonmentAndAnEnd) {
  testing::OneShard shards;
  StreamHub hub(shards.metrics);
  auto failed = hub.join_or_lead(key(1), shards.shard, {});
  failed.leader->fail({});
  auto abandoned = hub.join_or_lead(key(1), shards.shard, {});
  ASSERT_TRUE(abandoned.leader);
  abandoned.subscription.reset();
  auto ended = hub.join_or_lead(key(1), shards.shard, {});
  ASSERT_TRUE(ended.leader);
  abandoned.leader.reset();  // lets go of a key that is another's by now
  EXPECT_FALSE(hub.join_or_lead(key(1), shards.shard, {}).leader);
  ended.leader->open({});
  ended.leader->finish({});
  EXPECT_FALSE(hub.join_or_lead(key(1), shards.shard, {}).leader) << "not stored yet";
  ended.leader.reset();
  EXPECT_TRUE(hub.join_or_lead(key(1), shards.shard, {}).leader);
}

TEST(StreamHubTest, BeginsAnewWhenAFlightHasOutgrownItsPrefix) {
  testing::OneShard shards;
  StreamHub hub(shards.metrics);
  auto first = hub.join_or_lead(key(1), shards.shard, {.prefix_bytes = 10});
  first.leader->open({});
  first.leader->append(piece("more than ten bytes"));
  EXPECT_TRUE(hub.join_or_lead(key(1), shards.shard, {}).leader);
}

TEST(StreamHubTest, SharesNoMoreThanItsBound) {
  testing::OneShard shards;
  StreamHub hub(shards.metrics, 2);
  auto first = hub.join_or_lead(key(1), shards.shard, {});
  auto second = hub.join_or_lead(key(2), shards.shard, {});
  auto third = hub.join_or_lead(key(3), shards.shard, {});
  EXPECT_TRUE(third.leader);
  EXPECT_TRUE(hub.join_or_lead(key(3), shards.shard, {}).leader) << "made, but not shared";
  EXPECT_FALSE(hub.join_or_lead(key(1), shards.shard, {}).leader);
  first.leader.reset();
  auto fourth = hub.join_or_lead(key(4), shards.shard, {});
  EXPECT_FALSE(hub.join_or_lead(key(4), shards.shard, {}).leader);
}

/// The upstream: some pieces, with a turn of the loop between them.
Task<void> answer(FlightLeader leader, int pieces) {
  leader.open({});
  for (int i = 0; i < pieces; ++i) {
    co_await asio::post(asio::use_awaitable);
    if (!leader.append(piece(std::to_string(i) + ','))) co_return;
  }
  leader.finish({});
}

struct Tally {
  std::atomic<int> leaders{0};
  std::atomic<int> whole{0};
};

Task<void> ask(StreamHub& hub, runtime::Shard& shard, Tally& tally, const std::string& expected) {
  auto joined = hub.join_or_lead(key(1), shard, {});
  if (joined.leader) {
    ++tally.leaders;
    shard.gate().spawn("answer", answer(std::move(*joined.leader), 200));
  }
  const Heard heard = co_await listen(*joined.subscription);
  if (heard == Heard{expected, End::kDone}) ++tally.whole;
}

TEST(StreamHubTest, GivesAStampedeAcrossShardsOneIdenticalAnswer) {
  static constexpr int kAskers = 250;
  observe::Registry metrics;
  runtime::OffloadPool offload(1, 8);
  runtime::Runtime runtime(4, {system_clock(), observe::Log::none(), metrics, offload});
  StreamHub hub(metrics);
  std::string expected;
  for (int i = 0; i < 200; ++i) expected += std::to_string(i) + ',';

  // Whoever comes after the end begins anew, so everybody is held until all have joined.
  auto [holder, leader] = hub.join_or_lead(key(1), runtime.shard(0), {});
  Tally tally;
  std::latch joined(4);
  runtime.start();
  const auto stampede = [&](runtime::Shard& shard) -> Task<void> {
    runtime::Gate gate(shard.executor(), shard.on_escape());
    for (int i = 0; i < kAskers; ++i) gate.spawn("ask", ask(hub, shard, tally, expected));
    co_await asio::post(asio::use_awaitable);
    joined.arrive_and_wait();  // blocks the loop, as only a test may
    if (shard.index() == 0) shard.gate().spawn("answer", answer(std::move(*leader), 200));
    co_await gate.drain(Deadline::after(system_clock(), 20s));
    co_await gate.stop();
  };
  runtime.on_every_shard(stampede);
  runtime.on_every_shard([&, &held = holder](runtime::Shard& shard) -> Task<void> {
    if (shard.index() == 0) held.reset();
    co_return;
  });
  runtime.stop();
  EXPECT_EQ(tally.leaders, 0);
  EXPECT_EQ(tally.whole, 4 * kAskers);
}

TEST(StreamHubTest, SurvivesJoiningAndLeavingFromAllShardsAtOnce) {
  observe::Registry metrics;
  runtime::OffloadPool offload(1, 8);
  runtime::Runtime runtime(4, {system_clock(), observe::Log::none(), metrics, offload});
  StreamHub hub(metrics);
  std::string expected;
  for (int i = 0; i < 200; ++i) expected += std::to_string(i) + ',';
  Tally tally;
  std::atomic<int> left = 0;
  runtime.start();
  runtime.on_every_shard([&](runtime::Shard& shard) -> Task<void> {
    runtime::Gate gate(shard.executor(), shard.on_escape());
    for (int i = 0; i < 60; ++i) {
      const auto member = gate.spawn("ask", ask(hub, shard, tally, expected));
      co_await asio::post(asio::use_awaitable);
      if (member && i % 3 == 0) {
        runtime::Gate::cancel(*member);  // a client that goes away
        ++left;
      }
    }
    co_await gate.drain(Deadline::after(system_clock(), 20s));
    co_await gate.stop();
  });
  runtime.stop();
  EXPECT_GE(tally.whole + left, 240);
  EXPECT_EQ(metrics.gauge("conciergus_llm_flights", "").value(), 0);
}

}  // namespace
}  // namespace conciergus::llm

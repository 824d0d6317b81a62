#include "conciergus/net/resolver.hpp"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "support/run_coro.hpp"
#include "support/test_shard.hpp"

namespace conciergus::net {
namespace {
using namespace std::chrono_literals;

const auto kOne = asio::ip::make_address("192.0.2.1");

/// Counts look-ups, which run on the offload pool, and answers what it is told to.
struct FakeDns {
  std::atomic<int> calls{0};
  std::atomic<bool> fails{false};
  std::chrono::milliseconds takes{0};

  Resolver::Lookup lookup() {
    return [this](const std::string&) -> Result<Addresses> {
      ++calls;
      std::this_thread::sleep_for(takes);
      if (fails) return fail(ErrorCode::kUnavailable, "no such name");
      return Addresses{kOne};
    };
  }
};

class ResolverTest : public testing::Test {
 protected:
  TestShard shard_;
  FakeDns dns_;
  Deadline soon_ = Deadline::after(system_clock(), 5s);
};

TEST_F(ResolverTest, AsksOnceForANameAndKeepsTheAnswer) {
  shard_.run([&]() -> Task<void> {
    Resolver resolver(shard_.get(), {}, dns_.lookup());
    for (int i = 0; i < 3; ++i) {
      const auto addresses = co_await resolver.resolve("app.example", soon_);
      EXPECT_EQ(addresses.value(), Addresses{kOne});
    }
    EXPECT_EQ(dns_.calls, 1);
    co_await resolver.stop();
  });
}

TEST_F(ResolverTest, AsksAgainWhenTheAnswerIsTooOld) {
  shard_.run([&]() -> Task<void> {
    Resolver resolver(shard_.get(), {.keep = 0s, .keep_negative = 0s}, dns_.lookup());
    for (const bool fails : {false, true, false}) {
      dns_.fails = fails;
      EXPECT_EQ((co_await resolver.resolve("app.example", soon_)).has_value(), !fails);
    }
    EXPECT_EQ(dns_.calls, 3);
    co_await resolver.stop();
  });
}

TEST_F(ResolverTest, KeepsAFailureForAWhile) {
  dns_.fails = true;
  shard_.run([&]() -> Task<void> {
    Resolver resolver(shard_.get(), {}, dns_.lookup());
    for (int i = 0; i < 2; ++i) {
      const auto addresses = co_await resolver.resolve("app.example", soon_);
      EXPECT_TRUE(!addresses && addresses.error().code() == ErrorCode::kUnavailable);
    }
    EXPECT_EQ(dns_.calls, 1);
    co_await resolver.stop();
  });
}

TEST_F(ResolverTest, SharesOneLookUpBetweenAllWhoAskMeanwhile) {
  dns_.takes = 20ms;
  shard_.run([&]() -> Task<void> {
    Resolver resolver(shard_.get(), {}, dns_.lookup());
    runtime::Gate gate(shard_.get().executor(), shard_.get().on_escape());
    int answers = 0;
    auto ask = [](Resolver& from, Deadline deadline, int& count) -> Task<void> {
      if (co_await from.resolve("app.example", deadline)) ++count;
    };
    for (int i = 0; i < 8; ++i) gate.spawn("ask", ask(resolver, soon_, answers));
    EXPECT_TRUE(co_await gate.drain(soon_));
    EXPECT_EQ(answers, 8);
    EXPECT_EQ(dns_.calls, 1);
    co_await resolver.stop();
  });
}

TEST_F(ResolverTest, LeavesALateLookUpToThoseWhoComeLater) {
  dns_.takes = 60ms;
  shard_.run([&]() -> Task<void> {
    Resolver resolver(shard_.get(), {}, dns_.lookup());
    const auto late =
        co_await resolver.resolve("app.example", Deadline::after(system_clock(), 5ms));
    EXPECT_TRUE(!late && late.error().code() == ErrorCode::kTimeout);
    EXPECT_TRUE((co_await resolver.resolve("app.example", soon_)).has_value());
    EXPECT_EQ(dns_.calls, 1);
    co_await resolver.stop();
  });
}

TEST_F(ResolverTest, BoundsItsCache) {
  shard_.run([&]() -> Task<void> {
    Resolver resolver(shard_.get(), {.max_names = 2}, dns_.lookup());
    for (const auto* name : {"a", "b", "c", "c"}) {
      EXPECT_TRUE((co_await resolver.resolve(name, soon_)).has_value());
    }
    EXPECT_EQ(dns_.calls, 3);
    EXPECT_TRUE((co_await resolver.resolve("a", soon_)).has_value());
    EXPECT_EQ(dns_.calls, 4);
    co_await resolver.stop();
  });
}

TEST_F(ResolverTest, DoesNotAskForAddressesAndRefusesOnceStopped) {
  shard_.run([&]() -> Task<void> {
    Resolver resolver(shard_.get(), {}, dns_.lookup());
    co_await resolver.stop();
    const auto address = co_await resolver.resolve("::1", soon_);
    EXPECT_TRUE(address && address->front().is_v6());
    EXPECT_FALSE((co_await resolver.resolve("app.example", soon_)).has_value());
    EXPECT_EQ(dns_.calls, 0);
  });
}

TEST_F(ResolverTest, KnowsLocalhostByTheSystem) {
  const auto addresses = Resolver::system_lookup("localhost");
  ASSERT_TRUE(addresses.has_value());
  EXPECT_TRUE(addresses->front().is_loopback());
  EXPECT_FALSE(Resolver::system_lookup("nobody.invalid").has_value());
}

}  // namespace
}  // namespace conciergus::net

#include "conciergus/net/connect.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/run_coro.hpp"

namespace conciergus::net {
namespace {
using namespace std::chrono_literals;
using asio::ip::make_address;
using asio::ip::tcp;
using testing::HasSubstr;

Addresses addresses(std::initializer_list<const char*> texts) {
  Addresses all;
  for (const auto* text : texts) all.push_back(make_address(text));
  return all;
}

TEST(InterleaveFamiliesTest, LetsFamiliesTakeTurnsBeginningWithTheFirst) {
  EXPECT_EQ(interleave_families(addresses({"::1", "::2", "::3", "10.0.0.1", "10.0.0.2"})),
            addresses({"::1", "10.0.0.1", "::2", "10.0.0.2", "::3"}));
  EXPECT_EQ(interleave_families(addresses({"10.0.0.1", "10.0.0.2"})),
            addresses({"10.0.0.1", "10.0.0.2"}));
  EXPECT_TRUE(interleave_families({}).empty());
}

/// A port that answers on 127.0.0.1, refuses on 127.0.0.2, and is dead on 127.0.0.3: there the
/// queue of a listener that accepts nobody is full, so that connecting neither succeeds nor fails.
class ConnectTest : public testing::Test {
 protected:
  ConnectTest()
      : alive_(io_, {make_address("127.0.0.1"), 0}),
        port_(alive_.local_endpoint().port()),
        dead_(io_) {
    const tcp::endpoint endpoint(make_address("127.0.0.3"), port_);
    dead_.open(tcp::v4());
    dead_.set_option(tcp::acceptor::reuse_address(true));
    dead_.bind(endpoint);
    dead_.listen(0);
    for (int i = 0; i < 4; ++i) {
      auto& filler = fillers_.emplace_back(io_);
      filler.async_connect(endpoint, [](const auto&) {});
    }
    io_.run_for(20ms);
  }

  Task<Result<tcp::socket>> connect(std::initializer_list<const char*> to,
                                    Clock::Instant::duration limit = 5s) {
    started_ = system_clock().now();
    co_return co_await connect_any(addresses(to), port_, Deadline::after(system_clock(), limit));
  }
  Clock::Instant::duration elapsed() const { return system_clock().now() - started_; }

  asio::io_context io_;
  tcp::acceptor alive_;
  const std::uint16_t port_;
  tcp::acceptor dead_;
  std::list<tcp::socket> fillers_;
  Clock::Instant started_;
};

TEST_F(ConnectTest, TriesTheNextAddressAtOnceWhenOneRefuses) {
  run_coro([&]() -> Task<void> {
    const auto socket = co_await connect({"127.0.0.2", "127.0.0.1"});
    CONCIERGUS_CO_ASSERT(socket.has_value());
    EXPECT_EQ(socket->remote_endpoint().address(), make_address("127.0.0.1"));
    EXPECT_LT(elapsed(), kConnectStagger);
  });
}

TEST_F(ConnectTest, TriesTheNextAddressBesideOneThatDoesNotAnswer) {
  run_coro([&]() -> Task<void> {
    const auto socket = co_await connect({"127.0.0.3", "127.0.0.1"});
    CONCIERGUS_CO_ASSERT(socket.has_value());
    EXPECT_EQ(socket->remote_endpoint().address(), make_address("127.0.0.1"));
    EXPECT_GE(elapsed(), kConnectStagger);
    EXPECT_LT(elapsed(), 2s);
  });
}

TEST_F(ConnectTest, GivesUpAtTheDeadline) {
  run_coro([&]() -> Task<void> {
    const auto socket = co_await connect({"127.0.0.3"}, 40ms);
    EXPECT_TRUE(!socket && socket.error().code() == ErrorCode::kTimeout);
    EXPECT_LT(elapsed(), 2s);
  });
}

TEST_F(ConnectTest, TellsWhyTheFirstAddressFailedWhenAllHave) {
  run_coro([&]() -> Task<void> {
    const auto socket = co_await connect({"127.0.0.2", "127.0.0.4"});
    CONCIERGUS_CO_ASSERT(!socket.has_value());
    EXPECT_EQ(socket.error().code(), ErrorCode::kUnavailable);
    EXPECT_THAT(socket.error().detail(), HasSubstr("127.0.0.2:"));
    EXPECT_THAT(socket.error().detail(), HasSubstr("refused"));
    EXPECT_FALSE((co_await connect({})).has_value());
  });
}

}  // namespace
}  // namespace conciergus::net

#include "conciergus/llm/flight.hpp"

#include <gmock/gmock.h>

#include "conciergus/llm/testing/one_shard.hpp"
#include "conciergus/runtime/gate.hpp"

namespace conciergus::llm {
namespace {
using namespace std::chrono_literals;
using End = Batch::End;
using testing::Heard;
using testing::listen;
using testing::piece;

class FlightTest : public ::testing::Test {
 protected:
  struct Started {
    std::shared_ptr<Flight> flight;
    std::unique_ptr<Subscription> first;
    FlightLeader leader;
  };
  Started start(const FlightConfig& config = {}) {
    auto flight = std::make_shared<Flight>(shards_.shard, config);
    auto first = flight->subscribe(shards_.shard);
    FlightLeader leader(flight, [this] { ++gone_; });
    FlightLeader::on_abandoned(*flight, [this] { ++abandoned_; });
    return {std::move(flight), std::move(first), std::move(leader)};
  }
  Heard hear(Subscription& subscription) {
    Heard heard;
    shards_.run([&]() -> Task<void> { heard = co_await listen(subscription); });
    return heard;
  }
  /// Only what is there already.
  Batch take(Subscription& subscription) {
    Batch batch;
    shards_.run(
        [&]() -> Task<void> { batch = co_await subscription.next(Deadline(shards_.clock.now())); });
    return batch;
  }

  testing::OneShard shards_;
  int gone_ = 0;
  int abandoned_ = 0;
};

TEST_F(FlightTest, GivesALateJoinerWhatIsThereAndThenWhatComes) {
  auto [flight, first, leader] = start();
  leader.open({});
  for (const char* token : {"1", "2", "3"}) EXPECT_TRUE(leader.append(piece(token)));
  const auto late = flight->subscribe(shards_.shard);
  ASSERT_TRUE(late);
  EXPECT_EQ(take(*late).pieces.size(), 3u);
  for (const char* token : {"4", "5", "6"}) EXPECT_TRUE(leader.append(piece(token)));
  const Batch rest = take(*late);
  EXPECT_EQ(rest.first, 3u);
  EXPECT_EQ(rest.pieces.size(), 3u);
  EXPECT_EQ(rest.end, End::kNone);
  leader.finish({.answer = nullptr, .cost = 0.5});
  EXPECT_EQ(hear(*late), (Heard{"", End::kDone}));
  EXPECT_EQ(hear(*first), (Heard{"123456", End::kDone}));
  EXPECT_EQ(flight->result().cost, 0.5);
}

TEST_F(FlightTest, WakesAReaderThatWaitsForTheHeadAndForPieces) {
  auto [flight, first, leader] = start();
  shards_.run([&, &reader = *first, &lead = leader]() -> Task<void> {
    runtime::Gate gate(shards_.shard.executor(), [](auto, const auto&) { ADD_FAILURE(); });
    const auto produce = [](FlightLeader& to) -> Task<void> {
      to.open({.protocol = Protocol::kMessages, .model = "m"});
      co_await asio::post(asio::use_awaitable);
      to.append(piece("a"));
      co_await asio::post(asio::use_awaitable);
      to.append(piece("b"));
      to.finish({});
    };
    gate.spawn("produce", produce(lead));
    const bool is_open = co_await reader.opened(Deadline());
    EXPECT_TRUE(is_open);
    EXPECT_EQ(reader.flight()->head().model, "m");
    const Heard heard = co_await listen(reader);
    EXPECT_EQ(heard, (Heard{"ab", End::kDone}));
    co_await gate.stop();
  });
}

TEST_F(FlightTest, ReturnsEmptyHandedAtTheDeadline) {
  auto [flight, first, leader] = start();
  const Batch nothing = take(*first);
  EXPECT_TRUE(nothing.pieces.empty());
  EXPECT_EQ(nothing.end, End::kNone);
}

TEST_F(FlightTest, StampsPiecesWithTheTimeSinceItBegan) {
  auto [flight, first, leader] = start();
  leader.open({});
  shards_.clock.advance(120ms);
  leader.append(piece("a"));
  EXPECT_EQ(take(*first).pieces.front()->at, 120ms);
}

TEST_F(FlightTest, GoesOnForTheOthersWhenTheFirstClientLeaves) {
  auto [flight, first, leader] = start();
  leader.open({});
  leader.append(piece("a"));
  const auto second = flight->subscribe(shards_.shard);
  first.reset();
  shards_.settle();
  EXPECT_EQ(abandoned_, 0);
  EXPECT_TRUE(leader.append(piece("b")));
  leader.finish({});
  EXPECT_EQ(hear(*second), (Heard{"ab", End::kDone}));
}

TEST_F(FlightTest, IsAbandonedWhenTheLastListenerLeaves) {
  auto [flight, first, leader] = start();
  leader.open({});
  first.reset();
  shards_.settle();
  EXPECT_EQ(abandoned_, 1);
  EXPECT_FALSE(leader.append(piece("a")));
  EXPECT_FALSE(flight->subscribe(shards_.shard)) << "nobody joins what is being given up";
}

TEST_F(FlightTest, DrainsWithinItsBoundsWhenAskedTo) {
  auto [flight, first, leader] =
      start({.when_left = FlightConfig::WhenLeft::kDrain, .drain_bytes = 10, .drain_time = 5s});
  leader.open({});
  leader.append(piece("before"));
  first.reset();
  EXPECT_TRUE(leader.append(piece("12345")));
  shards_.clock.advance(5s);
  EXPECT_TRUE(leader.append(piece("67890")));
  const auto back = flight->subscribe(shards_.shard);
  ASSERT_TRUE(back) << "it can be joined while it drains";
  EXPECT_TRUE(leader.append(piece("as long as anybody listens")));
  EXPECT_EQ(abandoned_, 0);
}

TEST_F(FlightTest, GivesUpDrainingPastItsBytesOrItsTime) {
  const FlightConfig config{
      .when_left = FlightConfig::WhenLeft::kDrain, .drain_bytes = 10, .drain_time = 5s};
  auto by_bytes = start(config);
  by_bytes.leader.open({});
  by_bytes.first.reset();
  EXPECT_FALSE(by_bytes.leader.append(piece("12345678901")));
  auto by_time = start(config);
  by_time.leader.open({});
  by_time.first.reset();
  shards_.clock.advance(5'001ms);
  EXPECT_FALSE(by_time.leader.append(piece("1")));
}

TEST_F(FlightTest, TellsEverybodyTheSameFailureBehindWhatTheyHave) {
  auto [flight, first, leader] = start();
  leader.open({});
  leader.append(piece("a"));
  const auto second = flight->subscribe(shards_.shard);
  FlightFailure failure;
  failure.failure.code = "upstream_truncated";
  leader.fail(failure);
  EXPECT_EQ(gone_, 1);
  EXPECT_EQ(hear(*first), (Heard{"a", End::kFailed}));
  EXPECT_EQ(hear(*second), (Heard{"a", End::kFailed}));
  EXPECT_EQ(flight->failure().failure.code, "upstream_truncated");
  leader.finish({});
  EXPECT_EQ(flight->state(), FlightState::kFailed) << "the first end counts";
}

TEST_F(FlightTest, FailsWhenItsLeaderIsDestroyedBeforeTheEnd) {
  std::unique_ptr<Subscription> reader;
  {
    auto started = start();
    reader = std::move(started.first);
    started.leader.open({});
  }
  EXPECT_EQ(hear(*reader).end, End::kFailed);
  EXPECT_EQ(reader->flight()->failure().failure.status, 499u);
  EXPECT_TRUE(reader->flight()->is_committed());
}

TEST_F(FlightTest, TellsAFailureBeforeTheCommitFromOneWithinTheAnswer) {
  auto [flight, first, leader] = start();
  leader.fail({});
  EXPECT_FALSE(flight->is_committed());
  EXPECT_EQ(hear(*first), (Heard{"", End::kFailed}));
}

TEST_F(FlightTest, CanBeJoinedBetweenItsEndAndTheStoringOfTheAnswer) {
  auto [flight, first, leader] = start();
  leader.open({});
  leader.append(piece("a"));
  leader.finish({});
  EXPECT_EQ(gone_, 0);
  const auto late = flight->subscribe(shards_.shard);
  EXPECT_EQ(hear(*late), (Heard{"a", End::kDone}));
}

TEST_F(FlightTest, ClosesToJoinersPastItsPrefixButNotToTheOnesThatAreThere) {
  auto [flight, first, leader] = start({.prefix_bytes = 100, .lag_bytes = 1'000});
  leader.open({});
  leader.append(piece(std::string(100, 'a')));
  EXPECT_TRUE(flight->subscribe(shards_.shard));
  leader.append(piece(std::string(100, 'b')));
  EXPECT_FALSE(flight->subscribe(shards_.shard));
  leader.finish({});
  EXPECT_EQ(hear(*first).bytes.size(), 200u);
}

TEST_F(FlightTest, TrimsToTheSlowestReaderAndKeepsTheLatestPrefix) {
  auto [flight, first, leader] = start({.prefix_bytes = 100, .lag_bytes = 1'000});
  const auto slow = flight->subscribe(shards_.shard);
  leader.open({});
  for (int i = 0; i < 5; ++i) leader.append(piece(std::string(50, 'a')));
  take(*first);
  EXPECT_EQ(flight->standing().bytes, 250u);
  EXPECT_TRUE(flight->pieces().has_value());
  take(*slow);
  leader.append(piece(std::string(50, 'a')));
  EXPECT_EQ(flight->standing().bytes, 150u) << "what is over goes with the next piece";
  EXPECT_FALSE(flight->pieces().has_value()) << "no whole record any more";
  EXPECT_FALSE(flight->subscribe(shards_.shard, 2)) << "trimmed";
  EXPECT_TRUE(flight->subscribe(shards_.shard, 3));
}

TEST_F(FlightTest, CutsOffAReaderThatIsTooSlowWhileOthersGoOn) {
  auto [flight, fast, leader] = start({.prefix_bytes = 100, .lag_bytes = 200});
  const auto slow = flight->subscribe(shards_.shard);
  leader.open({});
  std::string heard;
  for (int i = 0; i < 20; ++i) {
    leader.append(piece(std::string(50, 'a')));
    for (const auto& part : take(*fast).pieces) heard += part->bytes;
    EXPECT_LE(flight->standing().bytes, 100u + 200u + 50u);
  }
  leader.finish({});
  EXPECT_EQ(heard.size(), 1'000u);
  EXPECT_EQ(hear(*slow), (Heard{"", End::kOverrun}));
  EXPECT_EQ(hear(*fast).end, End::kDone);
}

TEST_F(FlightTest, MakesTheLeaderWaitForASingleSlowReader) {
  auto [flight, first, leader] = start({.lag_bytes = 200});
  leader.open({});
  const auto has_room = [&, &lead = leader] {
    bool room = false;
    shards_.run([&]() -> Task<void> { room = co_await lead.room(Deadline(shards_.clock.now())); });
    return room;
  };
  leader.append(piece(std::string(100, 'a')));
  EXPECT_TRUE(has_room());
  leader.append(piece("b"));
  EXPECT_FALSE(has_room());
  shards_.run([&, &lead = leader, &reader = *first]() -> Task<void> {
    runtime::Gate gate(shards_.shard.executor(), [](auto, const auto&) { ADD_FAILURE(); });
    const auto read = [](Subscription& from) -> Task<void> { co_await from.next(Deadline()); };
    gate.spawn("read", read(reader));
    EXPECT_TRUE(co_await lead.room(Deadline()));
    co_await gate.stop();
  });
  leader.append(piece(std::string(101, 'a')));
  EXPECT_FALSE(has_room());
  const auto second = flight->subscribe(shards_.shard);
  EXPECT_TRUE(has_room()) << "nobody holds up the others";
}

TEST_F(FlightTest, NeverCutsASingleReaderForOneLargePiece) {
  auto [flight, first, leader] = start({.prefix_bytes = 100, .lag_bytes = 100});
  leader.open({.is_stream = false});
  leader.append(piece(std::string(5'000, 'a')));
  leader.finish({});
  EXPECT_EQ(hear(*first).bytes.size(), 5'000u);
}

TEST_F(FlightTest, KeepsNothingThatWasReadWhenNobodyElseCanWantIt) {
  auto [flight, first, leader] = start({.keeps_prefix = false});
  leader.open({});
  for (int i = 0; i < 10; ++i) {
    leader.append(piece("0123456789"));
    EXPECT_EQ(take(*first).pieces.size(), 1u);
    EXPECT_EQ(flight->standing().bytes, 0u);
  }
  EXPECT_FALSE(flight->subscribe(shards_.shard));
}

TEST_F(FlightTest, HandsOutALongBacklogInParts) {
  auto [flight, first, leader] = start();
  leader.open({});
  for (int i = 0; i < 200; ++i) leader.append(piece(std::string(1'000, 'a')));
  leader.finish({});
  const Batch part = take(*first);
  EXPECT_LT(part.pieces.size(), 100u);
  EXPECT_EQ(part.end, End::kNone);
  EXPECT_EQ(hear(*first).end, End::kDone);
}

TEST_F(FlightTest, EndsAStoppedStreamAndTheCallWithTheLastOne) {
  auto [flight, first, leader] = start({.when_left = FlightConfig::WhenLeft::kDrain});
  leader.open({});
  const auto ticket = std::make_shared<StreamTicket>();
  flight->attach(*first, ticket);
  const auto second = flight->subscribe(shards_.shard);
  const auto other = std::make_shared<StreamTicket>();
  flight->attach(*second, other);
  flight->stop(*ticket);
  EXPECT_EQ(hear(*first).end, End::kStopped);
  EXPECT_TRUE(leader.append(piece("a")));
  flight->stop(*other);
  shards_.settle();
  EXPECT_EQ(abandoned_, 1) << "an explicit stop does not drain";
  EXPECT_FALSE(leader.append(piece("b")));
}

TEST_F(FlightTest, WakesAWaitingReaderThatIsStopped) {
  auto [flight, first, leader] = start();
  const auto ticket = std::make_shared<StreamTicket>();
  flight->attach(*first, ticket);
  shards_.shard.post([ticket, stopped = flight] { stopped->stop(*ticket); });
  EXPECT_EQ(hear(*first).end, End::kStopped);
}

TEST_F(FlightTest, GoesOnForWhoeverHoldsIt) {
  auto [flight, first, leader] = start();
  leader.open({});
  flight->hold();
  first.reset();
  EXPECT_TRUE(leader.append(piece("a")));
  flight->release();
  shards_.settle();
  EXPECT_EQ(abandoned_, 1);
  EXPECT_FALSE(leader.append(piece("b")));
}

}  // namespace
}  // namespace conciergus::llm

#include "conciergus/llm/resume.hpp"

#include <gtest/gtest.h>

#include "conciergus/llm/testing/one_shard.hpp"

namespace conciergus::llm {
namespace {
using namespace std::chrono_literals;
using End = Batch::End;
using Outcome = ResumeRegistry::Outcome;
using testing::Heard;
using testing::listen;
using testing::piece;

TEST(EventIdTest, ReadsWhatItWrites) {
  const EventId id{"abc", 17};
  EXPECT_EQ(id.to_string(), "abc:17");
  const auto read = EventId::parse("abc:17");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->stream, "abc");
  EXPECT_EQ(read->seq, 17u);
  for (const char* wrong : {"", ":", "abc", "abc:", ":1", "abc:-1", "abc:1x", "abc: 1"}) {
    EXPECT_FALSE(EventId::parse(wrong)) << wrong;
  }
}

class ResumeTest : public ::testing::Test {
 protected:
  /// An answer under way, as the route makes it.
  void start(const std::string& scope = "tenant", const std::string& chat = "chat") {
    auto flight = std::make_shared<Flight>(shards_.shard, config_);
    client_ = flight->subscribe(shards_.shard);
    leader_.emplace(std::move(flight), nullptr);
    FlightLeader::on_abandoned(*leader_->flight(), [this] { ++abandoned_; });
    leader_->open({});
    stream_ = registry_.add(scope, chat, *client_);
  }
  void say(const char* what) { EXPECT_TRUE(leader_->append(piece(what))); }
  Heard hear(Subscription& subscription) {
    Heard heard;
    shards_.run([&]() -> Task<void> { heard = co_await listen(subscription); });
    return heard;
  }
  Outcome resume(std::uint64_t seq, const std::string& scope = "tenant") {
    return registry_.resume(scope, {stream_, seq}, shards_.shard).outcome;
  }

  testing::OneShard shards_;
  FlightConfig config_;
  ResumeRegistry registry_{shards_.clock, shards_.metrics, {.window = 60s, .max_streams = 3}};
  std::unique_ptr<Subscription> client_;
  std::optional<FlightLeader> leader_;
  std::string stream_;
  int abandoned_ = 0;
};

TEST_F(ResumeTest, ContinuesAfterTheLastEventThatArrived) {
  start();
  for (const char* token : {"0", "1", "2"}) say(token);
  client_.reset();
  say("3");
  auto resumed = registry_.resume("tenant", {stream_, 1}, shards_.shard);
  ASSERT_EQ(resumed.outcome, Outcome::kFound);
  EXPECT_EQ(resumed.stream, stream_);
  say("4");
  leader_->finish({});
  EXPECT_EQ(hear(*resumed.subscription), (Heard{"234", End::kDone}));
}

TEST_F(ResumeTest, KeepsTheCallGoingWhileTheClientIsAway) {
  start();
  client_.reset();
  shards_.settle();
  EXPECT_EQ(abandoned_, 0);
  shards_.clock.advance(60s);
  registry_.sweep();
  say("still wanted");
  shards_.clock.advance(1ms);
  registry_.sweep();
  shards_.settle();
  EXPECT_EQ(abandoned_, 1);
  EXPECT_EQ(resume(0), Outcome::kGone);
}

TEST_F(ResumeTest, KeepsAnEndedAnswerForTheWindowAndRemembersItForAnother) {
  start();
  say("0");
  say("1");
  leader_->finish({});
  leader_.reset();
  client_.reset();
  shards_.clock.advance(60s);
  registry_.sweep();
  auto resumed = registry_.resume("tenant", {stream_, 0}, shards_.shard);
  ASSERT_EQ(resumed.outcome, Outcome::kFound);
  EXPECT_EQ(hear(*resumed.subscription), (Heard{"1", End::kDone}));
  shards_.clock.advance(1ms);
  registry_.sweep();
  EXPECT_EQ(resume(0), Outcome::kGone);
  shards_.clock.advance(61s);
  registry_.sweep();
  EXPECT_EQ(resume(0), Outcome::kNotFound);
}

TEST_F(ResumeTest, HasNothingForWhoeverHeardItAll) {
  start();
  say("0");
  leader_->finish({});
  hear(*client_);
  EXPECT_EQ(resume(0), Outcome::kNothing);
  EXPECT_EQ(registry_.resume_chat("tenant", "chat", shards_.shard).outcome, Outcome::kNothing);
}

TEST_F(ResumeTest, LooksToOtherScopesLikeAStreamThatNeverWas) {
  start();
  say("0");
  EXPECT_EQ(resume(0, "other"), Outcome::kNotFound);
  EXPECT_EQ(registry_.stop("other", stream_), Outcome::kNotFound);
  EXPECT_EQ(registry_.resume_chat("other", "chat", shards_.shard).outcome, Outcome::kNothing);
  EXPECT_EQ(registry_.stop_chat("other", "chat"), Outcome::kNotFound);
  EXPECT_EQ(registry_.resume("tenant", {"no such", 0}, shards_.shard).outcome, Outcome::kNotFound);
}

TEST_F(ResumeTest, RefusesANumberThatWasNeverSent) {
  start();
  say("0");
  EXPECT_EQ(resume(1), Outcome::kGone);
  EXPECT_EQ(resume(~std::uint64_t{0}), Outcome::kGone);
  EXPECT_EQ(resume(0), Outcome::kFound);
}

TEST_F(ResumeTest, RefusesEventsThatWereTrimmed) {
  config_ = {.prefix_bytes = 10};
  start();
  for (int i = 0; i < 4; ++i) {
    say("0123456789");
    shards_.run([&]() -> Task<void> { co_await client_->next(Deadline()); });
  }
  EXPECT_EQ(resume(0), Outcome::kGone);
  EXPECT_EQ(resume(1), Outcome::kFound);
  EXPECT_EQ(registry_.resume_chat("tenant", "chat", shards_.shard).outcome, Outcome::kNothing);
}

TEST_F(ResumeTest, GivesAChatItsRunningAnswerFromTheBeginning) {
  start();
  say("0");
  client_.reset();
  auto resumed = registry_.resume_chat("tenant", "chat", shards_.shard);
  ASSERT_EQ(resumed.outcome, Outcome::kFound);
  say("1");
  leader_->finish({});
  EXPECT_EQ(hear(*resumed.subscription), (Heard{"01", End::kDone}));
  EXPECT_EQ(registry_.resume_chat("tenant", "other", shards_.shard).outcome, Outcome::kNothing);
}

TEST_F(ResumeTest, GivesAChatTheAnswerThatEndedInItsAbsence) {
  start();
  say("0");
  client_.reset();
  leader_->finish({});
  auto resumed = registry_.resume_chat("tenant", "chat", shards_.shard);
  ASSERT_EQ(resumed.outcome, Outcome::kFound);
  EXPECT_EQ(hear(*resumed.subscription), (Heard{"0", End::kDone}));
}

TEST_F(ResumeTest, TellsOfAFailureInTheClientsAbsence) {
  start();
  say("0");
  client_.reset();
  leader_->fail({});
  auto resumed = registry_.resume("tenant", {stream_, 0}, shards_.shard);
  ASSERT_EQ(resumed.outcome, Outcome::kFound);
  EXPECT_EQ(hear(*resumed.subscription), (Heard{"", End::kFailed}));
}

TEST_F(ResumeTest, StopsTheStreamAndTheCallWithIt) {
  start();
  say("0");
  EXPECT_EQ(registry_.stop("tenant", stream_), Outcome::kFound);
  EXPECT_EQ(hear(*client_).end, End::kStopped);
  shards_.settle();
  EXPECT_EQ(abandoned_, 1);
  EXPECT_FALSE(leader_->append(piece("1")));
  EXPECT_EQ(registry_.stop("tenant", stream_), Outcome::kFound) << "twice does no harm";
  EXPECT_EQ(registry_.resume_chat("tenant", "chat", shards_.shard).outcome, Outcome::kNothing);
}

TEST_F(ResumeTest, StopsACallWhoseClientIsAway) {
  start();
  client_.reset();
  EXPECT_EQ(registry_.stop_chat("tenant", "chat"), Outcome::kFound);
  shards_.settle();
  EXPECT_EQ(abandoned_, 1);
}

TEST_F(ResumeTest, StopsOneOfTwoThatShareACall) {
  start();
  auto other = leader_->flight()->subscribe(shards_.shard);
  registry_.stop("tenant", stream_);
  say("for the other");
  leader_->finish({});
  EXPECT_EQ(hear(*other), (Heard{"for the other", End::kDone}));
}

TEST_F(ResumeTest, PrefersStreamsWithListenersWhenItIsFull) {
  std::vector<std::unique_ptr<Subscription>> clients;
  std::vector<FlightLeader> leaders;
  std::vector<std::string> streams;
  for (int i = 0; i < 4; ++i) {
    start("tenant", std::to_string(i));
    streams.push_back(stream_);
    leaders.push_back(std::move(*leader_));
    if (i != 1) clients.push_back(std::move(client_));
    client_.reset();
  }
  EXPECT_FALSE(streams.back().empty()) << "the one without a client made room";
  stream_ = streams[1];
  EXPECT_EQ(resume(0), Outcome::kNotFound);
  start("tenant", "one too many");
  EXPECT_TRUE(stream_.empty());
}

TEST_F(ResumeTest, GivesUpTheOldestEndedStreamsPastItsBytes) {
  ResumeRegistry small(shards_.clock, shards_.metrics, {.window = 60s, .max_bytes = 150});
  std::vector<std::string> streams;
  for (int i = 0; i < 2; ++i) {
    start();
    streams.push_back(small.add("tenant", "", *client_));
    leader_->append(piece(std::string(100, 'x')));
    leader_->finish({});
  }
  small.sweep();
  EXPECT_EQ(small.resume("tenant", {streams[0], 0}, shards_.shard).outcome, Outcome::kGone);
  EXPECT_EQ(small.resume("tenant", {streams[1], 0}, shards_.shard).outcome, Outcome::kFound);
}

}  // namespace
}  // namespace conciergus::llm

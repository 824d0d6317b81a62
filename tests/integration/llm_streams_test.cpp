// Streams that go on, are resumed, stopped, left, and ended by a shutdown.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conciergus/runtime/with_deadline.hpp"
#include "support/llm_gateway.hpp"

namespace conciergus {
namespace {

using llm::Protocol;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

/// Some 70 tokens in 350 ms.
llm::LlmConfig paced() {
  auto config = LlmGateway::simulated();
  auto& simulated = config.providers.front().simulated;
  simulated.instant = false;
  simulated.first_token = 20ms;
  simulated.tokens_per_second = 200;
  simulated.token_spread = 0;
  return config;
}

class LlmStreamsTest : public testing::Test {
 protected:
  explicit LlmStreamsTest(llm::LlmConfig config = paced()) : gateway_(std::move(config)) {}

  static std::string ui_question() {
    return question_in(Protocol::kUiMessages, "simulated", true, "a long story");
  }
  /// Asks, and leaves in the middle of the answer.
  Task<void> ask_and_leave(Protocol protocol, std::string body) {
    const Deadline soon(gateway_.shard().get().now() + 150ms);
    const auto reply = co_await runtime::with_deadline(ask_result(protocol, std::move(body)), soon);
    EXPECT_FALSE(reply) << "it was over too soon";
  }
  Task<Result<Reply>> ask_result(Protocol protocol, std::string body) {
    co_return co_await gateway_.ask(protocol, std::move(body));
  }
  Task<void> ask_into(Protocol protocol, std::string body, Reply& into, runtime::Notifier& done) {
    into = co_await gateway_.ask(protocol, std::move(body));
    done.notify_all();
  }
  Task<void> pause(std::chrono::milliseconds length) {
    asio::steady_timer timer(gateway_.shard().get().executor(), length);
    co_await timer.async_wait(asio::use_awaitable);
  }
  Task<Reply> resume_chat(LlmGateway::Fields headers = {}) {
    const llm::ResumeChatHandler handler(gateway_.engine());
    co_return co_await gateway_.send(
        handler, "GET", "/api/chat/chat-1/stream", "", headers, {"chat-1"});
  }
  Task<Reply> stop_chat() {
    const llm::StopHandler handler(gateway_.engine(), llm::StopHandler::Of::kChat);
    co_return co_await gateway_.send(handler, "POST", "/api/chat/chat-1/stop", "", {}, {"chat-1"});
  }

  LlmGateway gateway_;
};

TEST_F(LlmStreamsTest, GivesAnInterruptedChatAgainFromItsBeginning) {
  gateway_.shard().run([&]() -> Task<void> {
    co_await ask_and_leave(Protocol::kUiMessages, ui_question());
    const Reply stranger = co_await resume_chat({{"authorization", "Bearer other"}});
    EXPECT_EQ(stranger.status, 204u);
    const Reply again = co_await resume_chat();
    EXPECT_EQ(again.status, 200u);
    EXPECT_THAT(again.headers.get("x-vercel-ai-ui-message-stream"), "v1");
    EXPECT_THAT(again.body, HasSubstr(R"("type":"start")"));
    EXPECT_THAT(again.body, HasSubstr("far."));
    EXPECT_EQ(again.events().back(), "[DONE]");
    const Reply nothing = co_await resume_chat();
    EXPECT_EQ(nothing.status, 204u) << "it was delivered";
  });
  EXPECT_EQ(gateway_.attempts("simulated", "ok"), 1u);
}

TEST_F(LlmStreamsTest, StopsAChatHereAndAtTheProvider) {
  Reply stopped;
  gateway_.shard().run([&]() -> Task<void> {
    runtime::Notifier done(gateway_.shard().get().executor());
    asio::co_spawn(gateway_.shard().get().executor(),
                   ask_into(Protocol::kUiMessages, ui_question(), stopped, done),
                   asio::detached);
    co_await pause(150ms);
    const Reply stop = co_await stop_chat();
    EXPECT_EQ(stop.status, 204u);
    while (stopped.status == 0) co_await done.wait();
    const Reply nothing = co_await resume_chat();
    EXPECT_EQ(nothing.status, 204u);
  });
  EXPECT_THAT(stopped.body, HasSubstr("text-delta"));
  EXPECT_THAT(stopped.body, Not(HasSubstr("far.")));
  EXPECT_EQ(gateway_.attempts("simulated", "ok"), 0u);
  const Reply afresh = gateway_.ask_now(Protocol::kUiMessages, ui_question());
  EXPECT_THAT(afresh.cache(), Not(HasSubstr("hit"))) << "nothing of it was stored";
}

TEST_F(LlmStreamsTest, CancelsTheCallOfAPlainStreamThatEverybodyHasLeft) {
  const auto body = question_in(Protocol::kChatCompletions, "simulated", true);
  gateway_.shard().run([&]() -> Task<void> {
    co_await ask_and_leave(Protocol::kChatCompletions, body);
    co_await pause(500ms);
  });
  EXPECT_EQ(gateway_.attempts("simulated", "ok"), 0u);
  EXPECT_THAT(gateway_.ask_now(Protocol::kChatCompletions, body).cache(), Not(HasSubstr("hit")));
}

TEST_F(LlmStreamsTest, LetsALateJoinerHaveTheBeginningToo) {
  const auto body = question_in(Protocol::kChatCompletions, "simulated", true);
  Reply first;
  gateway_.shard().run([&]() -> Task<void> {
    runtime::Notifier done(gateway_.shard().get().executor());
    asio::co_spawn(gateway_.shard().get().executor(),
                   ask_into(Protocol::kChatCompletions, body, first, done),
                   asio::detached);
    co_await pause(150ms);
    const Reply second = co_await gateway_.ask(Protocol::kChatCompletions, body);
    while (first.status == 0) co_await done.wait();
    EXPECT_EQ(second.body, first.body);
    EXPECT_EQ(second.cache(), "conciergus; fwd=miss; collapsed");
  });
  EXPECT_EQ(gateway_.attempts("simulated", "ok"), 1u);
}

TEST_F(LlmStreamsTest, EndsStreamsProperlyWhenTheEngineStops) {
  Reply ended;
  gateway_.shard().run([&]() -> Task<void> {
    runtime::Notifier done(gateway_.shard().get().executor());
    const auto body = question_in(Protocol::kMessages, "simulated", true);
    asio::co_spawn(gateway_.shard().get().executor(),
                   ask_into(Protocol::kMessages, body, ended, done),
                   asio::detached);
    co_await pause(150ms);
    auto& shard = gateway_.shard().get();
    co_await gateway_.engine()->stop(shard, Deadline(shard.now() + 10ms));
    while (ended.status == 0) co_await done.wait();
    const Reply late = co_await gateway_.ask(Protocol::kMessages, body);
    EXPECT_EQ(late.status, 503u) << late.body;
  });
  EXPECT_THAT(ended.body, HasSubstr("event: error\n"));
  EXPECT_THAT(ended.body, HasSubstr("shutting down"));
  EXPECT_THAT(ended.body, Not(HasSubstr("message_stop")));
}

class LlmDrainTest : public LlmStreamsTest {
 protected:
  static llm::LlmConfig draining() {
    auto config = paced();
    config.on_disconnect = llm::DisconnectPolicy::kDrain;
    return config;
  }
  LlmDrainTest() : LlmStreamsTest(draining()) {}
};

TEST_F(LlmDrainTest, ReadsAnAnswerToItsEndForTheCache) {
  const auto body = question_in(Protocol::kChatCompletions, "simulated", true);
  gateway_.shard().run([&]() -> Task<void> {
    co_await ask_and_leave(Protocol::kChatCompletions, body);
    co_await pause(700ms);
  });
  EXPECT_EQ(gateway_.attempts("simulated", "ok"), 1u);
  EXPECT_THAT(gateway_.ask_now(Protocol::kChatCompletions, body).cache(), HasSubstr("hit"));
}

class LlmHeartbeatTest : public LlmStreamsTest {
 protected:
  static llm::LlmConfig slow() {
    auto config = LlmGateway::simulated();
    config.heartbeat = 100ms;
    config.timeouts.stall = 350ms;
    return config;
  }
  LlmHeartbeatTest() : LlmStreamsTest(slow()) {}
};

TEST_F(LlmHeartbeatTest, KeepsASilentStreamAliveButNotBeyondTheStall) {
  const Reply reply =
      gateway_.ask_now(Protocol::kChatCompletions,
                       question_in(Protocol::kChatCompletions, "simulated!stall=3", true));
  EXPECT_THAT(reply.body, HasSubstr(": hb\n\n: hb\n\n"));
  EXPECT_THAT(reply.body, HasSubstr("upstream_timeout"));
  EXPECT_EQ(reply.events().back(), "[DONE]");
}

}  // namespace
}  // namespace conciergus

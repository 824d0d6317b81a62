// The LLM routes from request to answer, over the simulated provider.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/llm_gateway.hpp"

namespace conciergus {
namespace {

using llm::Protocol;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr Protocol kChats[] = {
    Protocol::kChatCompletions, Protocol::kMessages, Protocol::kResponses, Protocol::kUiMessages};

class LlmRoutesTest : public testing::Test {
 protected:
  LlmGateway gateway_{LlmGateway::simulated()};

  Reply chat(std::string_view rest, LlmGateway::Fields headers = {}, bool is_stream = false) {
    return gateway_.ask_now(Protocol::kChatCompletions,
                            question_in(Protocol::kChatCompletions, "m", is_stream, "hello", rest),
                            headers);
  }
  std::uint64_t calls() { return gateway_.attempts("simulated", "ok"); }
};

TEST_F(LlmRoutesTest, AnswersInEveryProtocol) {
  for (const Protocol protocol : kChats) {
    for (const bool is_stream : {false, true}) {
      const Reply reply = gateway_.ask_now(protocol, question_in(protocol, "simulated", is_stream));
      EXPECT_EQ(reply.status, 200u) << to_string(protocol) << reply.body;
      EXPECT_THAT(reply.body, HasSubstr("far.")) << to_string(protocol);
      EXPECT_FALSE(reply.is_cut);
      EXPECT_EQ(reply.headers.get("x-conciergus-provider"), "simulated");
    }
  }
}

TEST_F(LlmRoutesTest, GivesEmbeddings) {
  const auto body = question_in(Protocol::kEmbeddings, "simulated", false);
  const Reply first = gateway_.ask_now(Protocol::kEmbeddings, body);
  EXPECT_THAT(first.body, StartsWith(R"({"object":"list","data":[{"object":"embedding")"));
  const Reply second = gateway_.ask_now(Protocol::kEmbeddings, body);
  EXPECT_EQ(second.body, first.body);
  EXPECT_THAT(second.cache(), StartsWith("conciergus; hit; ttl="));
}

TEST_F(LlmRoutesTest, GivesARepeatedQuestionTheRecordedAnswer) {
  for (const Protocol protocol : kChats) {
    for (const bool is_stream : {false, true}) {
      const auto text = std::string("repeat ") + std::string(to_string(protocol)) +
                        (is_stream ? " stream" : " whole");
      const auto body = question_in(protocol, "simulated", is_stream, text);
      const Reply first = gateway_.ask_now(protocol, body);
      const auto before = calls();
      const Reply second = gateway_.ask_now(protocol, body);
      EXPECT_EQ(calls(), before);
      EXPECT_EQ(first.cache(), "conciergus; fwd=miss") << to_string(protocol);
      EXPECT_THAT(second.cache(), StartsWith("conciergus; hit; ttl="));
      EXPECT_TRUE(second.headers.contains("age"));
      if (protocol != Protocol::kUiMessages) {
        EXPECT_EQ(second.events(), first.events());
        if (!is_stream) EXPECT_EQ(second.body, first.body);
      } else {
        EXPECT_NE(second.body, first.body) << "a new message id";
        EXPECT_EQ(second.events().size(), first.events().size());
      }
    }
  }
}

TEST_F(LlmRoutesTest, RendersOneRecordAsStreamAndWhole) {
  for (const Protocol protocol :
       {Protocol::kChatCompletions, Protocol::kMessages, Protocol::kResponses}) {
    for (const bool first : {false, true}) {
      const auto text = std::string(to_string(protocol)) + (first ? "s" : "w");
      (void)gateway_.ask_now(protocol, question_in(protocol, "simulated", first, text));
      const auto before = calls();
      const Reply other =
          gateway_.ask_now(protocol, question_in(protocol, "simulated", !first, text));
      EXPECT_EQ(calls(), before) << to_string(protocol);
      EXPECT_THAT(other.body, HasSubstr(first ? "far." : "data: "));
      EXPECT_THAT(other.headers.get("content-type"),
                  StartsWith(first ? "application/json" : "text/event-stream"));
    }
  }
}

TEST_F(LlmRoutesTest, StripsUsageThatTheClientDidNotAskFor) {
  const auto asked = R"(,"stream_options":{"include_usage":true})";
  for (int round = 0; round < 2; ++round) {  // live, and from the cache
    EXPECT_THAT(chat("", {}, true).body, Not(HasSubstr("prompt_tokens")));
    const Reply with = chat(asked, {}, true);
    EXPECT_THAT(with.body, HasSubstr("prompt_tokens"));
    EXPECT_THAT(with.body, EndsWith("data: [DONE]\n\n"));
  }
  EXPECT_EQ(calls(), 1u);
}

TEST_F(LlmRoutesTest, ObeysTheRequestsCacheControl) {
  EXPECT_EQ(chat("", {{"cache-control", "only-if-cached"}}).status, 504u);
  EXPECT_EQ(calls(), 0u);
  EXPECT_EQ(chat("").status, 200u);
  EXPECT_EQ(chat("", {{"cache-control", "only-if-cached"}}).status, 200u);
  EXPECT_EQ(calls(), 1u);
  EXPECT_THAT(chat("", {{"cache-control", "no-cache"}}).cache(), HasSubstr("detail=no-cache"));
  EXPECT_EQ(calls(), 2u);
  (void)chat(R"(,"seed":1)", {{"cache-control", "no-store"}});
  (void)chat(R"(,"seed":1)");
  EXPECT_EQ(calls(), 4u);
}

TEST_F(LlmRoutesTest, SaysWhyAnAnswerIsNotCached) {
  for (const auto& [rest, why] : {std::pair{R"(,"temperature":0.9)", "temperature"},
                                  std::pair{R"(,"n":2)", "choices"},
                                  std::pair{R"(,"store":true)", "store"}}) {
    (void)chat(rest);
    EXPECT_EQ(chat(rest).cache(), "conciergus; fwd=bypass; detail=" + std::string(why));
  }
  EXPECT_EQ(calls(), 6u);
}

TEST_F(LlmRoutesTest, KeepsTenantsApart) {
  (void)chat("", {{"authorization", "Bearer one"}});
  EXPECT_EQ(chat("", {{"authorization", "Bearer two"}}).cache(), "conciergus; fwd=miss");
  EXPECT_THAT(chat("", {{"authorization", "Bearer one"}}).cache(), HasSubstr("; hit"));
  EXPECT_EQ(calls(), 2u);
}

TEST_F(LlmRoutesTest, RefusesBadRequestsInTheClientsProtocol) {
  for (const Protocol protocol : kChats) {
    const Reply broken = gateway_.ask_now(protocol, R"({"model":"m","messages":[}})");
    EXPECT_EQ(broken.status, 400u);
    EXPECT_THAT(broken.body, HasSubstr("25")) << "names the place";
    EXPECT_EQ(gateway_.ask_now(protocol, "[]").status, 400u);
  }
  EXPECT_EQ(gateway_.ask_now(Protocol::kUiMessages, "[]").headers.get("content-type").substr(0, 10),
            "text/plain");
  EXPECT_EQ(calls(), 0u);
}

TEST_F(LlmRoutesTest, RefusesBodiesOverTheLimit) {
  auto config = LlmGateway::simulated();
  config.max_request_bytes = 1'024;
  LlmGateway small(std::move(config));
  const auto body = question_in(Protocol::kChatCompletions, "m", false, std::string(2'000, 'x'));
  EXPECT_EQ(small.ask_now(Protocol::kChatCompletions, body).status, 413u);
}

TEST_F(LlmRoutesTest, KnowsOnlyTheModelsOfItsMap) {
  auto config = LlmGateway::simulated();
  config.models = {
      {.pattern = "mine", .targets = {{.provider = "simulated", .model = "simulated"}}}};
  LlmGateway gateway(std::move(config));
  const auto ask = [&](const char* model) {
    return gateway.ask_now(Protocol::kChatCompletions,
                           question_in(Protocol::kChatCompletions, model, false));
  };
  EXPECT_EQ(ask("other").status, 404u);
  EXPECT_THAT(ask("other").body, HasSubstr("model_not_found"));
  const Reply mine = ask("mine");
  EXPECT_EQ(mine.status, 200u);
  EXPECT_EQ(mine.headers.get("x-conciergus-model"), "simulated");
}

TEST_F(LlmRoutesTest, TellsUnknownKeysFromIssuedOnes) {
  auto config = LlmGateway::simulated();
  config.tenants.keys = {
      {.name = "acme",
       .sha256 = "5f8eee912cd7c0ccb238560e8a22e7f78909e6dac18288188f7f4ea35112700d",
       .models = {"small"}}};
  LlmGateway gateway(std::move(config));
  const auto ask = [&](Protocol protocol, const char* key, const char* model) {
    return gateway.ask_now(protocol, question_in(protocol, model, false), {{"authorization", key}});
  };
  EXPECT_EQ(ask(Protocol::kChatCompletions, "Bearer sk-acme", "small").status, 200u);
  EXPECT_EQ(ask(Protocol::kChatCompletions, "Bearer sk-acme", "large").status, 403u);
  const Reply refused = ask(Protocol::kMessages, "Bearer sk-other", "small");
  EXPECT_EQ(refused.status, 401u);
  EXPECT_THAT(refused.body, HasSubstr(R"("type":"authentication_error")"));
}

TEST_F(LlmRoutesTest, SharesOneCallBetweenAThousand) {
  auto config = LlmGateway::simulated();
  config.providers[0].simulated.instant = false;
  config.providers[0].simulated.first_token = std::chrono::milliseconds(100);
  config.providers[0].simulated.tokens_per_second = 2'000;
  LlmGateway gateway(std::move(config));
  constexpr int kClients = 1'000;
  std::vector<Reply> replies(kClients);
  int waiting = kClients;
  gateway.shard().run(
      [&]() -> Task<void> {
        runtime::Notifier done(gateway.shard().get().executor());
        const auto one =
            [](LlmGateway& at, Reply& into, int& left, runtime::Notifier& all) -> Task<void> {
          const auto body = question_in(Protocol::kChatCompletions, "m", true);
          into = co_await at.ask(Protocol::kChatCompletions, body);
          if (--left == 0) all.notify_all();
        };
        for (Reply& reply : replies) {
          asio::co_spawn(
              gateway.shard().get().executor(), one(gateway, reply, waiting, done), asio::detached);
        }
        while (waiting > 0) co_await done.wait();
      },
      std::chrono::seconds(60));
  EXPECT_EQ(gateway.attempts("simulated", "ok"), 1u);
  int collapsed = 0;
  for (const Reply& reply : replies) {
    EXPECT_EQ(reply.body, replies.front().body);
    collapsed += reply.cache() == "conciergus; fwd=miss; collapsed";
  }
  EXPECT_THAT(replies.front().body, EndsWith("data: [DONE]\n\n"));
  EXPECT_EQ(collapsed, kClients - 1);
}

TEST_F(LlmRoutesTest, CountsCostAndSavings) {
  auto config = LlmGateway::simulated();
  config.prices = {{.model = "*", .input = 1, .output = 10}};
  LlmGateway gateway(std::move(config));
  const auto body = question_in(Protocol::kChatCompletions, "m", false);
  const Reply paid = gateway.ask_now(Protocol::kChatCompletions, body);
  const Reply saved = gateway.ask_now(Protocol::kChatCompletions, body);
  EXPECT_TRUE(paid.headers.contains("x-conciergus-cost"));
  EXPECT_EQ(saved.headers.get("x-conciergus-cost"), "0");
  EXPECT_EQ(saved.headers.get("x-conciergus-saved"), paid.headers.get("x-conciergus-cost"));
}

TEST_F(LlmRoutesTest, ListsModelsInBothForms) {
  const llm::ModelsHandler models(gateway_.engine());
  gateway_.shard().run([&]() -> Task<void> {
    const Reply openai = co_await gateway_.send(models, "GET", "/v1/models", "", {}, {});
    EXPECT_THAT(openai.body, HasSubstr(R"("id":"simulated-mini","object":"model")"));
    const Reply anthropic = co_await gateway_.send(
        models, "GET", "/v1/models", "", {{"anthropic-version", "2023-06-01"}}, {});
    EXPECT_THAT(anthropic.body, HasSubstr(R"("display_name":"simulated")"));
    EXPECT_THAT(anthropic.body, HasSubstr(R"("has_more":false)"));
  });
}

TEST_F(LlmRoutesTest, SendsPrivateSignalsOnlyToThoseWhoAsk) {
  const auto body = question_in(Protocol::kUiMessages, "simulated", true);
  for (int round = 0; round < 2; ++round) {
    EXPECT_THAT(gateway_.ask_now(Protocol::kUiMessages, body).body,
                Not(HasSubstr("data-conciergus")));
    const Reply told =
        gateway_.ask_now(Protocol::kUiMessages, body, {{"x-conciergus-signals", "1"}});
    EXPECT_THAT(told.body, HasSubstr(R"("type":"data-conciergus")"));
  }
}

TEST_F(LlmRoutesTest, HasNothingToResumeOrStopForAnUnknownChat) {
  const llm::ResumeChatHandler resume(gateway_.engine());
  const llm::StopHandler stop(gateway_.engine(), llm::StopHandler::Of::kChat);
  gateway_.shard().run([&]() -> Task<void> {
    const Reply nothing =
        co_await gateway_.send(resume, "GET", "/api/chat/x/stream", "", {}, {"x"});
    EXPECT_EQ(nothing.status, 204u);
    const Reply stopped = co_await gateway_.send(stop, "POST", "/api/chat/x/stop", "", {}, {"x"});
    EXPECT_EQ(stopped.status, 204u);
  });
}

TEST_F(LlmRoutesTest, GivesEveryEventAnIdAndGoesOnBehindIt) {
  auto config = LlmGateway::simulated();
  config.resume.v1 = true;
  LlmGateway gateway(std::move(config));
  const auto body = question_in(Protocol::kChatCompletions, "m", true);
  const Reply all = gateway.ask_now(Protocol::kChatCompletions, body);
  ASSERT_THAT(all.body, StartsWith("id: "));
  // The client saw all but the last three events.
  const auto events = all.events();
  const auto id_of = [&](std::size_t n) {
    std::size_t at = 0;
    for (std::size_t i = 0; i < n; ++i) at = all.body.find("id: ", at + 1);
    return all.body.substr(at + 4, all.body.find('\n', at) - at - 4);
  };
  const std::string last = id_of(events.size() - 4);
  const Reply rest = gateway.ask_now(Protocol::kChatCompletions, body, {{"last-event-id", last}});
  EXPECT_EQ(rest.status, 200u) << rest.body;
  ASSERT_EQ(rest.events().size(), 3u);
  EXPECT_EQ(rest.events().back(), "[DONE]");
  EXPECT_EQ(gateway.attempts("simulated", "ok"), 1u);
  const Reply stranger = gateway.ask_now(
      Protocol::kChatCompletions, body, {{"last-event-id", last}, {"authorization", "Bearer x"}});
  EXPECT_EQ(stranger.status, 404u);
}

}  // namespace
}  // namespace conciergus

// Faults that a provider can show in what it says, in every protocol, streaming and not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/llm_gateway.hpp"

namespace conciergus {
namespace {

using llm::Protocol;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

/// Two simulated providers: the first shows the fault that the model's name asks for, the second is
/// well.
llm::LlmConfig with_fallback(bool has_fallback) {
  auto config = LlmGateway::simulated();
  config.providers.push_back(config.providers.front());
  config.providers.back().name = "second";
  llm::ModelConfig all{.pattern = "*", .targets = {{.provider = "simulated", .model = {}}}};
  if (has_fallback) all.targets.push_back({.provider = "second", .model = "well"});
  config.models = {all};
  config.timeouts.headers = 60ms;
  config.timeouts.first_content = 80ms;
  config.timeouts.stall = 60ms;
  config.timeouts.total = 500ms;
  config.cache.policy = llm::CachePolicy::kAny;
  return config;
}

constexpr Protocol kChats[] = {
    Protocol::kChatCompletions, Protocol::kMessages, Protocol::kResponses, Protocol::kUiMessages};

bool is_stream_only(Protocol protocol) {
  return protocol == Protocol::kUiMessages;
}

struct Row {
  const char* fault;
  unsigned status;        // alone
  bool streams = true;    // applies to streams
  bool wholes = true;     // and to whole answers
  bool rescued = true;    // by the second provider
  const char* code = "";  // where the protocol has codes
};

class BeforeCommitTest : public testing::TestWithParam<Row> {};

TEST_P(BeforeCommitTest, GivesATrueStatusOrTheNextTargetsAnswer) {
  const Row row = GetParam();
  LlmGateway alone(with_fallback(false));
  LlmGateway chain(with_fallback(true));
  const std::string model = std::string("m!") + row.fault;
  for (const Protocol protocol : kChats) {
    for (const bool is_stream : {false, true}) {
      if (is_stream ? !row.streams : !row.wholes || is_stream_only(protocol)) continue;
      SCOPED_TRACE(std::string(to_string(protocol)) + (is_stream ? " stream" : " whole"));
      const auto body = question_in(protocol, model, is_stream);
      const Reply failed = alone.ask_now(protocol, body);
      EXPECT_EQ(failed.status, row.status) << failed.body;
      const bool has_code =
          protocol == Protocol::kChatCompletions || protocol == Protocol::kResponses;
      if (has_code) EXPECT_THAT(failed.body, HasSubstr(row.code));
      EXPECT_FALSE(failed.body.empty());

      const Reply reply = chain.ask_now(protocol, body);
      EXPECT_EQ(reply.status, row.rescued ? 200u : row.status) << reply.body;
      if (!row.rescued) continue;
      EXPECT_THAT(reply.body, HasSubstr("far."));
      EXPECT_EQ(reply.headers.get("x-conciergus-provider"), "second");
      EXPECT_EQ(reply.headers.get("x-conciergus-fallback"), "1");
      EXPECT_EQ(reply.headers.get("x-conciergus-attempts"), "2");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    FaultMatrix,
    BeforeCommitTest,
    testing::Values(
        Row{.fault = "status=500", .status = 502, .code = "upstream_error"},
        Row{.fault = "status=502", .status = 502, .code = "upstream_error"},
        Row{.fault = "status=503", .status = 503, .code = "upstream_error"},
        Row{.fault = "status=529", .status = 503, .code = "upstream_error"},
        Row{.fault = "status=408", .status = 504, .code = "upstream_timeout"},
        Row{.fault = "status=400", .status = 400, .rescued = false, .code = "simulated_400"},
        Row{.fault = "status=404", .status = 404, .rescued = false, .code = "simulated_404"},
        Row{.fault = "status=413", .status = 413, .rescued = false},
        Row{.fault = "status=422", .status = 422, .rescued = false},
        Row{.fault = "status=401", .status = 502, .code = "upstream_auth"},
        Row{.fault = "status=402", .status = 502, .code = "upstream_auth"},
        Row{.fault = "status=403", .status = 502, .code = "upstream_auth"},
        Row{.fault = "status=429", .status = 429},
        Row{.fault = "silence", .status = 504, .code = "upstream_timeout"},
        Row{.fault = "pings", .status = 504, .code = "upstream_timeout"},
        Row{.fault = "error-in-200", .status = 502},
        Row{.fault = "lifecycle-error", .status = 502, .wholes = false},
        Row{.fault = "html", .status = 502, .code = "upstream_invalid"},
        Row{.fault = "redirect", .status = 502, .code = "upstream_invalid"},
        Row{.fault = "empty", .status = 502, .streams = false},
        Row{.fault = "malformed", .status = 502},
        Row{.fault = "oversize=1100", .status = 502, .wholes = false, .code = "upstream_invalid"},
        Row{.fault = "cut", .status = 502, .code = "upstream_truncated"},
        Row{.fault = "early-end", .status = 502, .wholes = false, .code = "upstream_truncated"},
        Row{.fault = "early-end", .status = 502, .streams = false},
        Row{.fault = "stall", .status = 504, .code = "upstream_timeout"}),
    [](const auto& info) {
      std::string name = std::string(info.param.fault) + (info.param.streams ? "" : "Whole");
      std::erase_if(name, [](char c) { return c == '-' || c == '='; });
      return name;
    });

class AfterCommitTest : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(AfterCommitTest, EndsTheStreamWithAnErrorAndNeverFallsBack) {
  const auto& [fault, code] = GetParam();
  LlmGateway gateway(with_fallback(true));
  for (const Protocol protocol : kChats) {
    SCOPED_TRACE(to_string(protocol));
    const auto body = question_in(protocol, std::string("m!") + fault, true);
    for (int round = 0; round < 2; ++round) {  // the second time too: nothing is stored
      const Reply reply = gateway.ask_now(protocol, body);
      EXPECT_EQ(reply.status, 200u);
      EXPECT_FALSE(reply.is_cut);
      EXPECT_EQ(reply.headers.get("x-conciergus-provider"), "simulated");
      EXPECT_THAT(reply.cache(), Not(HasSubstr("hit")));
      const auto events = reply.events();
      ASSERT_GE(events.size(), 2u) << reply.body;
      switch (protocol) {
        case Protocol::kChatCompletions:
          EXPECT_EQ(events.back(), "[DONE]");
          EXPECT_THAT(events[events.size() - 2], HasSubstr(R"({"error":{)"));
          EXPECT_THAT(events[events.size() - 2], HasSubstr(code));
          EXPECT_THAT(reply.body, Not(HasSubstr(R"("finish_reason":"stop")")));
          break;
        case Protocol::kMessages:
          EXPECT_THAT(reply.body, HasSubstr("event: error\n"));
          EXPECT_THAT(reply.body, Not(HasSubstr("message_stop")));
          break;
        case Protocol::kResponses:
          EXPECT_THAT(events.back(), HasSubstr(code));
          EXPECT_THAT(reply.body, Not(HasSubstr("response.completed")));
          break;
        default:
          EXPECT_EQ(events.back(), "[DONE]");
          EXPECT_THAT(events[events.size() - 2], HasSubstr(R"("type":"error")"));
          EXPECT_THAT(reply.body, HasSubstr("text-end")) << "what was begun is ended";
      }
    }
  }
  EXPECT_EQ(gateway.attempts("second", "ok"), 0u);
}

INSTANTIATE_TEST_SUITE_P(FaultMatrix,
                         AfterCommitTest,
                         testing::Values(std::pair{"cut=3", "upstream_truncated"},
                                         std::pair{"early-end=3", "upstream_truncated"},
                                         std::pair{"stall=3", "upstream_timeout"},
                                         std::pair{"malformed=3", "error"},
                                         std::pair{"error=3", "error"},
                                         std::pair{"drip=40", "timeout"}),
                         [](const auto& info) {
                           std::string name = info.param.first;
                           std::erase_if(name, [](char c) { return c == '-' || c == '='; });
                           return name;
                         });

class ToleratedTest : public testing::Test {
 protected:
  Reply ask(Protocol protocol, const std::string& fault, bool is_stream) {
    return gateway_.ask_now(protocol, question_in(protocol, "m!" + fault, is_stream));
  }
  LlmGateway gateway_{with_fallback(false)};
};

TEST_F(ToleratedTest, RendersAWholeAnswerAsTheStreamThatWasAskedFor) {
  for (const Protocol protocol : kChats) {
    const Reply reply = ask(protocol, "whole", true);
    EXPECT_EQ(reply.status, 200u) << to_string(protocol);
    EXPECT_GT(reply.events().size(), 10u) << to_string(protocol) << reply.body;
    EXPECT_THAT(ask(protocol, "whole", true).cache(), HasSubstr("hit"));
  }
}

TEST_F(ToleratedTest, AssemblesAStreamWhereAWholeAnswerWasAskedFor) {
  for (const Protocol protocol :
       {Protocol::kChatCompletions, Protocol::kMessages, Protocol::kResponses}) {
    const Reply reply = ask(protocol, "stream", false);
    EXPECT_THAT(reply.headers.get("content-type"), HasSubstr("json")) << to_string(protocol);
    EXPECT_THAT(reply.body, HasSubstr("far."));
    EXPECT_THAT(ask(protocol, "stream", false).cache(), HasSubstr("hit"));
  }
}

TEST_F(ToleratedTest, SuppliesAMissingLastWordButStoresNothing) {
  for (const Protocol protocol :
       {Protocol::kChatCompletions, Protocol::kMessages, Protocol::kUiMessages}) {
    for (int round = 0; round < 2; ++round) {
      const Reply reply = ask(protocol, "no-done", true);
      EXPECT_THAT(reply.body, Not(HasSubstr("error"))) << to_string(protocol);
      const char* const end = protocol == Protocol::kMessages ? "message_stop" : "[DONE]";
      EXPECT_THAT(reply.events().back(), HasSubstr(end));
      EXPECT_THAT(reply.cache(), Not(HasSubstr("hit")));
    }
  }
}

TEST_F(ToleratedTest, DropsWhatComesAfterTheLastWord) {
  const Reply reply = ask(Protocol::kChatCompletions, "after-done", true);
  EXPECT_EQ(reply.events().back(), "[DONE]");
  EXPECT_THAT(ask(Protocol::kChatCompletions, "after-done", true).cache(), HasSubstr("hit"));
}

TEST_F(ToleratedTest, ForwardsUnusualEndsAndStoresNone) {
  for (const char* fault : {"length", "content-filter", "no-finish"}) {
    for (int round = 0; round < 2; ++round) {
      const Reply reply = ask(Protocol::kChatCompletions, fault, true);
      EXPECT_EQ(reply.events().back(), "[DONE]") << fault;
      EXPECT_THAT(reply.cache(), Not(HasSubstr("hit"))) << fault;
    }
  }
}

TEST_F(ToleratedTest, GivesUpHoldingBackWhenTooMuchIsHeld) {
  const Reply reply = ask(Protocol::kChatCompletions, "lifecycle=100", true);
  EXPECT_EQ(reply.status, 200u);
  EXPECT_GT(reply.events().size(), 100u);
}

TEST_F(ToleratedTest, TellsWhenToComeBack) {
  const Reply named = ask(Protocol::kChatCompletions, "status=429;retry-after=120", false);
  EXPECT_EQ(named.headers.get("retry-after"), "120");
  const Reply unnamed = ask(Protocol::kMessages, "status=429", true);
  EXPECT_EQ(unnamed.headers.get("retry-after"), "5");
  EXPECT_EQ(unnamed.headers.get("retry-after-ms"), "5000");
  const Reply hopeless = ask(Protocol::kChatCompletions, "status=500", false);
  EXPECT_EQ(hopeless.headers.get("x-should-retry"), "false");
}

TEST_F(ToleratedTest, TakesFaultsFromTheHeaderToo) {
  const Reply reply = gateway_.ask_now(Protocol::kChatCompletions,
                                       question_in(Protocol::kChatCompletions, "m", false),
                                       {{"x-sim-fault", "status=503"}});
  EXPECT_EQ(reply.status, 503u);
}

}  // namespace
}  // namespace conciergus

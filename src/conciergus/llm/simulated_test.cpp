#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conciergus/llm/simulated_answer.hpp"
#include "conciergus/llm/simulated_fault.hpp"
#include "conciergus/llm/simulated_script.hpp"
#include "support/run_coro.hpp"

namespace conciergus::llm {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using namespace std::chrono_literals;

SimulatedConfig instant() {
  SimulatedConfig config;
  config.instant = true;
  return config;
}

SimulatedAnswer ask(const std::string& request,
                    Protocol protocol = Protocol::kChatCompletions,
                    std::uint64_t seed = 1) {
  const auto document = JsonDocument::parse(request);
  return compose_answer(
      read_question(protocol, document->root()), "simulated", seed, 1'700'000'000);
}

std::string chat(std::string_view text) {
  return R"({"messages":[{"role":"user","content":")" + std::string(text) + R"("}]})";
}

TEST(SimulatedFaultTest, ParsesNamesValuesAndOptions) {
  const auto cut = SimulatedFault::parse("cut=3");
  ASSERT_TRUE(cut);
  EXPECT_TRUE(cut->is(SimulatedFaultKind::kCut));
  EXPECT_EQ(cut->value, 3u);
  const auto status = SimulatedFault::parse("status=429; retry-after=2");
  ASSERT_TRUE(status);
  EXPECT_EQ(status->retry_after, "2");
  EXPECT_TRUE(SimulatedFault::parse("bad-arguments")->is(SimulatedFaultKind::kBadArguments));
}

TEST(SimulatedFaultTest, ExplainsWhatItDoesNotKnow) {
  EXPECT_THAT(SimulatedFault::parse("explode").error().detail(), HasSubstr("early-end"));
  for (const char* text : {"", "cut=x", "status=200", "status", "cut=1;wait=2"}) {
    EXPECT_FALSE(SimulatedFault::parse(text)) << text;
  }
}

TEST(SimulatedAnswerTest, RestatesTheQuestionAndSaysWhatItIs) {
  const auto answer = ask(chat("Why is the sky blue?"));
  EXPECT_THAT(answer.whole_text(), HasSubstr("> Why is the sky blue?"));
  EXPECT_THAT(answer.whole_text(), HasSubstr("no real model was asked"));
  EXPECT_EQ(answer.output_tokens, answer.text.size());
  EXPECT_GT(answer.input_tokens, 4u);
}

TEST(SimulatedAnswerTest, IsTheSameForTheSameQuestionOnly) {
  EXPECT_EQ(ask(chat("a")).whole_text(), ask(chat("a")).whole_text());
  EXPECT_NE(ask(chat("a")).id, ask(chat("b")).id);
  EXPECT_NE(ask(chat("a"), Protocol::kChatCompletions, 1).id,
            ask(chat("a"), Protocol::kChatCompletions, 2).id);
}

TEST(SimulatedAnswerTest, CallsAToolThatTheQuestionIsAbout) {
  const auto answer = ask(
      R"({"messages":[{"role":"user","content":"What is the weather in Paris?"}],"tools":[{"type":"function","function":{"name":"get_weather","parameters":{"type":"object","properties":{"city":{"type":"string"},"unit":{"enum":["c","f"]},"days":{"type":"integer"}}}}}]})");
  ASSERT_TRUE(answer.tool_call);
  EXPECT_EQ(answer.tool_call->name, "get_weather");
  EXPECT_EQ(answer.tool_call->arguments, R"({"city":"Paris","unit":"c","days":1})");
  EXPECT_TRUE(answer.text.empty());
}

TEST(SimulatedAnswerTest, TellsWhatTheToolAnswered) {
  const auto answer = ask(
      R"({"messages":[{"role":"user","content":"weather?"},{"role":"user","content":[{"type":"tool_result","content":"sunny"}]}],"tools":[{"name":"get_weather","input_schema":{}}]})",
      Protocol::kMessages);
  EXPECT_FALSE(answer.tool_call);
  EXPECT_THAT(answer.whole_text(), HasSubstr("The tool answered: sunny"));
}

TEST(SimulatedAnswerTest, UnderstandsAPlainResponsesInput) {
  EXPECT_THAT(ask(R"({"input":"hello there"})", Protocol::kResponses).whole_text(),
              HasSubstr("> hello there"));
}

TEST(SimulatedAnswerTest, StopsAtTheTokenLimit) {
  const auto answer = ask(R"({"max_tokens":3,"messages":[{"role":"user","content":"hi"}]})");
  EXPECT_EQ(answer.text.size(), 3u);
  EXPECT_TRUE(answer.is_cut_short);
}

TEST(SimulatedAnswerTest, NeverCutsACharacterInTwo) {
  std::string umlauts;
  for (int i = 0; i < 400; ++i) umlauts += "ü";
  const std::string text = ask(chat("x" + umlauts)).whole_text();
  EXPECT_THAT(text, HasSubstr("ü…"));
}

TEST(SimulatedStreamTest, EndsWithTheProtocolsLastWord) {
  const SimulatedConfig config = instant();
  SimulatedPace pace(config, 1);
  const std::pair<Protocol, const char*> rows[] = {
      {Protocol::kChatCompletions, "data: [DONE]\n\n"},
      {Protocol::kMessages, "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"},
      {Protocol::kResponses, "}\n\n"}};
  for (const auto& [protocol, end] : rows) {
    const auto script = script_stream(protocol, ask(chat("hi")), true, {}, pace);
    EXPECT_THAT(script.pieces.back().bytes, EndsWith(end));
    EXPECT_EQ(script.ending, SimulatedScript::Ending::kClean);
  }
}

TEST(SimulatedStreamTest, CutsBehindTheWantedNumberOfTokens) {
  const SimulatedConfig config = instant();
  SimulatedPace pace(config, 1);
  const auto fault = SimulatedFault::parse("cut=3");
  const auto script =
      script_stream(Protocol::kChatCompletions, ask(chat("hi")), true, *fault, pace);
  EXPECT_EQ(script.pieces.size(), 4u);  // the role, and three tokens
  EXPECT_EQ(script.ending, SimulatedScript::Ending::kBroken);
}

TEST(SimulatedPaceTest, KeepsToItsMediansAndItsSeed) {
  SimulatedConfig config;
  SimulatedPace one(config, 7);
  SimulatedPace two(config, 7);
  std::vector<std::chrono::microseconds> gaps;
  for (int i = 0; i < 1'001; ++i) {
    gaps.push_back(one.next_token());
    EXPECT_EQ(gaps.back(), two.next_token());
  }
  std::ranges::nth_element(gaps, gaps.begin() + 500);
  EXPECT_NEAR(static_cast<double>(gaps[500].count()), 1e6 / 60, 1'500);
}

TEST(SimulatedBodyTest, JoinsWhatIsDueAndThenEnds) {
  run_coro([]() -> Task<void> {
    SimulatedScript script;
    script.pieces = {{"a", 0us}, {"b", 0us}, {"c", 1us}};
    SimulatedBody body(std::move(script));
    const auto first = co_await body.read();
    EXPECT_EQ(*first, "ab");
    const auto second = co_await body.read();
    EXPECT_EQ(*second, "c");
    const auto end = co_await body.read();
    EXPECT_TRUE(end && end->empty());
  });
}

TEST(SimulatedBodyTest, BreaksWhenItShall) {
  run_coro([]() -> Task<void> {
    SimulatedScript script;
    script.ending = SimulatedScript::Ending::kBroken;
    SimulatedBody body(std::move(script));
    const auto end = co_await body.read();
    EXPECT_EQ(end.error().code(), ErrorCode::kUnavailable);
  });
}

}  // namespace
}  // namespace conciergus::llm

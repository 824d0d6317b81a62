#include "conciergus/llm/answer_builder.hpp"

#include <gmock/gmock.h>

namespace conciergus::llm {
namespace {

AnswerBuilder build(std::vector<Delta> deltas) {
  AnswerBuilder builder;
  for (const Delta& delta : deltas) builder.add(delta);
  return builder;
}

delta::Finished finished(FinishReason reason) {
  return {{.reason = reason}};
}

TEST(AnswerBuilderTest, JoinsDeltasOfOneBlockAndKeepsTwoBlocksApart) {
  const auto builder = build({delta::Text{"a"},
                              delta::Text{""},
                              delta::Text{"b"},
                              delta::BlockEnd{},
                              delta::Text{"c"},
                              delta::Reasoning{"r"},
                              delta::Text{"d"}});
  EXPECT_THAT(builder.answer().blocks,
              testing::ElementsAre(Block(TextBlock{"ab"}),
                                   Block(TextBlock{"c"}),
                                   Block(ReasoningBlock{"r"}),
                                   Block(TextBlock{"d"})));
}

TEST(AnswerBuilderTest, CollectsInterleavedToolCalls) {
  const auto builder = build({delta::ToolStart{0, "a", "f"},
                              delta::ToolStart{1, "b", "g"},
                              delta::ToolArguments{0, "{"},
                              delta::ToolArguments{1, "[]"},
                              delta::ToolArguments{0, "}"}});
  EXPECT_THAT(builder.answer().blocks,
              testing::ElementsAre(Block(ToolCallBlock{"a", "f", "{}"}),
                                   Block(ToolCallBlock{"b", "g", "[]"})));
}

TEST(AnswerBuilderTest, TakesUsageAsRunningTotals) {
  const auto builder =
      build({delta::UsageReport{{.input = 5, .output = 1}}, delta::UsageReport{{.output = 9}}});
  EXPECT_EQ(builder.answer().usage.input, 5U);
  EXPECT_EQ(builder.answer().usage.output, 9U);
}

TEST(AnswerBuilderTest, StoresAWholeAnswer) {
  const auto builder = build({delta::Text{"x"}, finished(FinishReason::kStop), delta::Done{}});
  EXPECT_TRUE(builder.is_complete());
  EXPECT_EQ(builder.storage_obstacle({}), "");
}

TEST(AnswerBuilderTest, NamesWhyAnAnswerMustNotBeStored) {
  using enum FinishReason;
  const auto obstacle = [](std::vector<Delta> deltas, AnswerBuilder::Rules rules = {}) {
    return build(std::move(deltas)).storage_obstacle(rules);
  };
  const delta::Text text{"x"};
  const delta::Done done;
  EXPECT_EQ(obstacle({text, finished(kStop), delta::Failed{}, done}), "error");
  EXPECT_EQ(obstacle({text, delta::Unknown{"logprobs"}, finished(kStop), done}), "unrepresentable");
  EXPECT_EQ(obstacle({text, finished(kStop)}), "truncated");
  EXPECT_EQ(obstacle({text, finished(kStop)}, {.finish_reason_is_terminal = true}), "");
  EXPECT_EQ(obstacle({text, done}), "unfinished");
  EXPECT_EQ(obstacle({text, finished(kLength), done}), "length");
  EXPECT_EQ(obstacle({text, finished(kContentFilter), done}), "content-filter");
  EXPECT_EQ(obstacle({text, finished(kRefusal), done}), "refusal");
  EXPECT_EQ(obstacle({text, finished(kPause), done}), "pause");
  EXPECT_EQ(obstacle({text, finished(kOther), done}), "other");
  EXPECT_EQ(obstacle({delta::Refusal{"no"}, finished(kStop), done}), "refusal");
  EXPECT_EQ(obstacle({finished(kStop), done}), "empty");
  EXPECT_EQ(obstacle({delta::Reasoning{"r"}, finished(kStop), done}), "empty");
  const delta::ToolStart call{0, "a", "f"};
  EXPECT_EQ(obstacle({call, finished(kToolCalls), done}), "tool-calls");
  EXPECT_EQ(obstacle({call, finished(kToolCalls), done}, {.allow_tool_calls = true}), "");
  EXPECT_EQ(obstacle({call, delta::ToolArguments{0, "{"}, finished(kToolCalls), done},
                     {.allow_tool_calls = true}),
            "tool-arguments");
  EXPECT_EQ(obstacle({text, delta::ToolArguments{3, "{}"}, finished(kStop), done}),
            "unrepresentable");
}

TEST(IsContentTest, CountsOnlyWhatTheModelSays) {
  for (const Delta& delta : {Delta(delta::Text{"x"}),
                             Delta(delta::Reasoning{"x"}),
                             Delta(delta::Refusal{"x"}),
                             Delta(delta::ToolStart{}),
                             Delta(delta::ToolArguments{0, "{"}),
                             Delta(delta::RedactedReasoning{"x"})}) {
    EXPECT_TRUE(is_content(delta));
  }
  for (const Delta& delta : {Delta(delta::Start{}),
                             Delta(delta::Text{}),
                             Delta(delta::Ping{}),
                             Delta(delta::UsageReport{}),
                             Delta(delta::BlockEnd{}),
                             Delta(delta::Done{})}) {
    EXPECT_FALSE(is_content(delta));
  }
}

}  // namespace
}  // namespace conciergus::llm

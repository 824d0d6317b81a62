#include "conciergus/llm/stream_encoder.hpp"

#include <gmock/gmock.h>

#include "conciergus/llm/answer_builder.hpp"
#include "conciergus/llm/error_reply.hpp"
#include "conciergus/llm/json_writer.hpp"
#include "conciergus/llm/stream_decoder.hpp"
#include "conciergus/llm/testing/events.hpp"

namespace conciergus::llm {
namespace {
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using enum Protocol;

const EncoderOptions kOptions{.fallback_id = "id-1",
                              .fallback_model = "model-1",
                              .fallback_created = 1763800000,
                              .ui_message_id = "ui-1"};

std::string encode(Protocol client,
                   const std::vector<Delta>& deltas,
                   EncoderOptions options = kOptions) {
  const auto encoder = make_stream_encoder(client, std::move(options));
  std::string out;
  for (const Delta& delta : deltas) encoder->encode(delta, out);
  return out;
}

std::vector<Delta> decode(Protocol upstream, std::string_view stream) {
  const auto decoder = make_stream_decoder(upstream);
  std::vector<Delta> deltas;
  for (const Event& event : split_events(stream)) decoder->decode(event.name, event.data, deltas);
  return deltas;
}

/// Types of the events, in their order.
std::vector<std::string> types(std::string_view stream) {
  std::vector<std::string> all;
  for (const Event& event : split_events(stream)) {
    const auto document = JsonDocument::parse(event.data);
    all.emplace_back(document ? document->root()["type"].text() : event.data);
  }
  return all;
}

/// An answer that `protocol` can say in full.
Answer answer_for(Protocol protocol) {
  Answer answer{.id = "answer-1", .model = "model-x", .created = 1763800001};
  const bool has_items = protocol == kResponses;
  const std::string citation =
      protocol == kMessages    ? R"({"type":"char_location","cited_text":"é"})"
      : protocol == kResponses ? R"({"type":"url_citation","url":"https://x"})"
                               : R"({"type":"url_citation","url_citation":{"url":"https://x"}})";
  ReasoningBlock reasoning{.text = "Let me think about \"it\", step by step.\n"};
  if (protocol != kChatCompletions) reasoning.signature = "sig==";
  if (has_items) reasoning.item_id = "rs_9";
  answer.blocks.emplace_back(reasoning);
  if (protocol == kMessages) answer.blocks.emplace_back(ReasoningBlock{.redacted = "zzz"});
  answer.blocks.emplace_back(TextBlock{
      "The quick brown fox — naïve 😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀 jumps\tover.",
      {citation},
      has_items ? "msg_9" : ""});
  if (protocol != kChatCompletions) {
    answer.blocks.emplace_back(TextBlock{"Second text", {}, has_items ? "msg_9" : ""});
  }
  answer.blocks.emplace_back(ToolCallBlock{
      "call_1", "weather", R"({"city":"Oslo","days":[1,2,3]})", has_items ? "fc_1" : ""});
  answer.blocks.emplace_back(ToolCallBlock{"call_2", "time", "{}", has_items ? "fc_2" : ""});
  answer.finish = {FinishReason::kToolCalls,
                   protocol == kMessages ? "tool_use"
                   : has_items           ? "completed"
                                         : "tool_calls"};
  answer.usage = {.input = 20, .output = 30, .cached_input = 4};
  if (protocol == kMessages) {
    answer.usage.cache_creation = 2;
    answer.created = 0;
  } else {
    answer.usage.reasoning = 7;
  }
  return answer;
}

class RoundTripTest : public testing::TestWithParam<Protocol> {};

TEST_P(RoundTripTest, TellsTheSameAnswerCutIntoAStream) {
  const Answer answer = answer_for(GetParam());
  EXPECT_EQ(fold(decode(GetParam(), encode(GetParam(), replay(answer)))), answer);
}

TEST_P(RoundTripTest, TellsTheSameAnswerInOneStreamEventABlock) {
  const Answer answer = answer_for(GetParam());
  EXPECT_EQ(fold(decode(GetParam(), encode(GetParam(), unfold(answer)))), answer);
}

TEST_P(RoundTripTest, TellsTheSameAnswerWhole) {
  const Answer answer = answer_for(GetParam());
  EXPECT_EQ(fold(decode_whole(GetParam(), encode_whole(GetParam(), answer, kOptions))), answer);
}

TEST_P(RoundTripTest, MayBeStoredAfterEitherForm) {
  for (const auto& deltas :
       {decode(GetParam(), encode(GetParam(), replay(answer_for(GetParam())))),
        decode_whole(GetParam(), encode_whole(GetParam(), answer_for(GetParam()), kOptions))}) {
    AnswerBuilder builder;
    for (const Delta& delta : deltas) builder.add(delta);
    EXPECT_EQ(builder.storage_obstacle({.allow_tool_calls = true}), "");
  }
}

TEST_P(RoundTripTest, KeepsEveryFinishReasonThatStreamsTell) {
  for (const FinishReason reason : {FinishReason::kStop, FinishReason::kLength}) {
    Answer answer{.id = "a", .model = "m", .created = GetParam() == kMessages ? 0 : 1};
    answer.blocks.emplace_back(TextBlock{"x"});
    answer.finish.reason = reason;
    EXPECT_EQ(fold(decode(GetParam(), encode(GetParam(), replay(answer)))).finish.reason, reason);
    EXPECT_EQ(
        fold(decode_whole(GetParam(), encode_whole(GetParam(), answer, kOptions))).finish.reason,
        reason);
  }
}

INSTANTIATE_TEST_SUITE_P(Protocols,
                         RoundTripTest,
                         testing::Values(kChatCompletions, kMessages, kResponses),
                         [](const auto& info) { return std::string(to_string(info.param)); });

class PairTest : public testing::TestWithParam<std::tuple<Protocol, Protocol>> {};

/// What all protocols can say comes out of the other one as it went in.
TEST_P(PairTest, CarriesTextReasoningToolsFinishAndUsageAcross) {
  const auto [upstream, client] = GetParam();
  Answer answer{.id = "answer-1", .model = "model-x"};
  answer.blocks = {ReasoningBlock{.text = "Because."},
                   TextBlock{"Some text with \"quotes\" and\nlines."},
                   ToolCallBlock{"call_1", "weather", R"({"city":"Oslo"})"},
                   ToolCallBlock{"call_2", "time", "{}"}};
  answer.finish.reason = FinishReason::kToolCalls;
  answer.usage = {.input = 20, .output = 30};
  const auto told = decode(upstream, encode(upstream, replay(answer)));
  const auto seen = decode(client, encode(client, told));
  const auto whole = decode_whole(client, encode_whole(client, fold(told), kOptions));
  for (Answer other : {fold(seen), fold(whole)}) {
    for (Block& block : other.blocks) std::visit([](auto& b) { b.item_id.clear(); }, block);
    EXPECT_EQ(other.id, answer.id);
    EXPECT_EQ(other.model, answer.model);
    EXPECT_EQ(other.blocks, answer.blocks);
    EXPECT_EQ(other.finish.reason, answer.finish.reason);
    EXPECT_EQ(other.usage.input, answer.usage.input);
    EXPECT_EQ(other.usage.output, answer.usage.output);
  }
}

INSTANTIATE_TEST_SUITE_P(Pairs,
                         PairTest,
                         testing::Combine(testing::Values(kChatCompletions, kMessages, kResponses),
                                          testing::Values(kChatCompletions, kMessages, kResponses)),
                         [](const auto& info) {
                           return std::string(to_string(std::get<0>(info.param))) + "_to_" +
                                  std::string(to_string(std::get<1>(info.param)));
                         });

TEST(ReplayTest, CutsTextAtWordBoundariesIntoSmallPieces) {
  Answer answer;
  answer.blocks = {
      TextBlock{"The quick brown fox jumps over the lazy dog and a "
                "supercalifragilisticexpialidocious éééééééééééééééééééééé"}};
  std::string whole;
  std::vector<std::string> pieces;
  for (const Delta& delta : replay(answer)) {
    if (const auto* text = std::get_if<delta::Text>(&delta)) pieces.push_back(text->text);
  }
  ASSERT_GT(pieces.size(), 5U);
  for (const std::string& piece : pieces) {
    whole += piece;
    EXPECT_TRUE(JsonDocument::parse("\"" + piece + "\"")) << "cut inside a character: " << piece;
    EXPECT_LE(piece.size(), 40U);
  }
  EXPECT_EQ(pieces.front(), "The quick ");
  EXPECT_EQ(whole, std::get<TextBlock>(answer.blocks.front()).text);
}

const std::vector<Delta> kShort = {delta::Start{"c-1", "m", 5},
                                   delta::Text{"Hi"},
                                   delta::Finished{{FinishReason::kStop, "end_turn"}},
                                   delta::UsageReport{{.input = 1, .output = 2}},
                                   delta::Done{}};

TEST(ChatEncoderTest, WritesTheProtocolsBytes) {
  EXPECT_EQ(encode(kChatCompletions, kShort),
            "data: "
            "{\"id\":\"c-1\",\"object\":\"chat.completion.chunk\",\"created\":5,\"model\":\"m\","
            "\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},"
            "\"finish_reason\":null}]}\n\n"
            "data: "
            "{\"id\":\"c-1\",\"object\":\"chat.completion.chunk\",\"created\":5,\"model\":\"m\","
            "\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"},\"finish_reason\":null}]}\n\n"
            "data: "
            "{\"id\":\"c-1\",\"object\":\"chat.completion.chunk\",\"created\":5,\"model\":\"m\","
            "\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
            "data: "
            "{\"id\":\"c-1\",\"object\":\"chat.completion.chunk\",\"created\":5,\"model\":\"m\","
            "\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2,\"total_"
            "tokens\":3}}\n\n"
            "data: [DONE]\n\n");
}

TEST(ChatEncoderTest, LeavesTheUsageChunkOutWhenNobodyAsked) {
  EncoderOptions options = kOptions;
  options.include_usage = false;
  EXPECT_THAT(encode(kChatCompletions, kShort, options), Not(HasSubstr("usage")));
}

TEST(ChatEncoderTest, OpensLazilyWithWhatTheUpstreamDidNotTell) {
  const std::string out = encode(kChatCompletions, {delta::Text{"x"}});
  EXPECT_THAT(out, HasSubstr(R"("id":"id-1")"));
  EXPECT_THAT(out, HasSubstr(R"("created":1763800000,"model":"model-1")"));
  EXPECT_THAT(out, HasSubstr(R"("role":"assistant")"));
}

TEST(MessagesEncoderTest, NamesEveryEventAndTellsThePromptsTokensFirst) {
  const std::string out = encode(kMessages,
                                 {delta::Start{"msg", "m"},
                                  delta::UsageReport{{.input = 7}},
                                  delta::Ping{},
                                  delta::Text{"a"},
                                  delta::ToolStart{0, "t", "f"},
                                  delta::ToolArguments{0, "{}"},
                                  delta::Finished{{FinishReason::kToolCalls, "tool_calls"}},
                                  delta::Done{}});
  EXPECT_THAT(types(out),
              ElementsAre("message_start",
                          "ping",
                          "content_block_start",
                          "content_block_delta",
                          "content_block_stop",
                          "content_block_start",
                          "content_block_delta",
                          "content_block_stop",
                          "message_delta",
                          "message_stop"));
  for (const Event& event : split_events(out)) {
    EXPECT_EQ(JsonDocument::parse(event.data)->root()["type"].text(), event.name);
  }
  EXPECT_THAT(out, HasSubstr(R"("usage":{"input_tokens":7,"output_tokens":0})"));
  EXPECT_THAT(out, HasSubstr(R"("stop_reason":"tool_use")"));
}

TEST(MessagesEncoderTest, EndsWithAnErrorWhenToolCallsAreMixed) {
  const auto all = types(encode(kMessages,
                                {delta::ToolStart{0, "a", "f"},
                                 delta::ToolStart{1, "b", "g"},
                                 delta::ToolArguments{0, "{}"},
                                 delta::Done{}}));
  EXPECT_EQ(all.back(), "error");
}

TEST(ResponsesEncoderTest, NumbersItsEventsAndRepeatsTheWholeAtTheEnd) {
  const std::string out = encode(kResponses, replay(answer_for(kResponses)));
  std::uint64_t number = 0;
  for (const Event& event : split_events(out)) {
    const auto document = JsonDocument::parse(event.data);
    ASSERT_TRUE(document) << event.data;
    EXPECT_EQ(document->root()["sequence_number"].unsigned_integer(), number++);
    EXPECT_EQ(document->root()["type"].text(), event.name);
  }
  const auto last = split_events(out).back();
  EXPECT_EQ(last.name, "response.completed");
  const auto document = JsonDocument::parse(last.data);
  std::string whole;
  append_json(whole, document->root()["response"]);
  EXPECT_EQ(fold(decode_whole(kResponses, whole)), answer_for(kResponses));
}

TEST(ResponsesEncoderTest, WritesEachPartsWholeLife) {
  EXPECT_THAT(types(encode(kResponses, kShort)),
              ElementsAre("response.created",
                          "response.in_progress",
                          "response.output_item.added",
                          "response.content_part.added",
                          "response.output_text.delta",
                          "response.output_text.done",
                          "response.content_part.done",
                          "response.output_item.done",
                          "response.completed"));
}

TEST(UiEncoderTest, WritesAMinimalAnswer) {
  EXPECT_EQ(encode(kUiMessages, kShort),
            "data: {\"type\":\"start\",\"messageId\":\"ui-1\"}\n\n"
            "data: {\"type\":\"start-step\"}\n\n"
            "data: {\"type\":\"text-start\",\"id\":\"0\"}\n\n"
            "data: {\"type\":\"text-delta\",\"id\":\"0\",\"delta\":\"Hi\"}\n\n"
            "data: {\"type\":\"text-end\",\"id\":\"0\"}\n\n"
            "data: {\"type\":\"finish-step\"}\n\n"
            "data: {\"type\":\"finish\"}\n\n"
            "data: [DONE]\n\n");
}

TEST(UiEncoderTest, TellsTheFinishReasonOnlyWhenAskedTo) {
  EncoderOptions options = kOptions;
  options.ui_finish_reason = true;
  EXPECT_THAT(encode(kUiMessages, kShort, options),
              HasSubstr(R"({"type":"finish","finishReason":"stop"})"));
}

TEST(UiEncoderTest, ClosesEachPartBeforeAnotherKindStarts) {
  EXPECT_THAT(types(encode(kUiMessages,
                           replay({.blocks = {ReasoningBlock{.text = "r"},
                                              TextBlock{"t"},
                                              ToolCallBlock{"a", "f", R"({"x":1})"},
                                              ToolCallBlock{"b", "g", "{bad"},
                                              TextBlock{"u"}},
                                   .finish = {FinishReason::kStop}}))),
              ElementsAre("start",
                          "start-step",
                          "reasoning-start",
                          "reasoning-delta",
                          "reasoning-end",
                          "text-start",
                          "text-delta",
                          "text-end",
                          "tool-input-start",
                          "tool-input-delta",
                          "tool-input-available",
                          "tool-input-start",
                          "tool-input-delta",
                          "tool-input-error",
                          "text-start",
                          "text-delta",
                          "text-end",
                          "finish-step",
                          "finish",
                          "[DONE]"));
}

TEST(UiEncoderTest, FollowsInterleavedToolCalls) {
  const std::string out = encode(kUiMessages,
                                 {delta::ToolStart{0, "a", "f"},
                                  delta::ToolStart{1, "b", "g"},
                                  delta::ToolArguments{1, "[1]"},
                                  delta::ToolArguments{0, "[0]"},
                                  delta::Finished{{FinishReason::kToolCalls}},
                                  delta::Done{}});
  EXPECT_THAT(
      out,
      HasSubstr(R"({"type":"tool-input-available","toolCallId":"a","toolName":"f","input":[0]})"));
  EXPECT_THAT(
      out,
      HasSubstr(R"({"type":"tool-input-available","toolCallId":"b","toolName":"g","input":[1]})"));
}

TEST(UiEncoderTest, SendsSignalsAfterTheStartAndBeforeTheFinish) {
  const auto encoder = make_stream_encoder(kUiMessages, kOptions);
  std::string out;
  encoder->set_signal(R"({"cache":"miss"})");
  encoder->encode(delta::Text{"x"}, out);
  encoder->set_signal(R"({"cache":"stored"})");
  encoder->encode(delta::Done{}, out);
  EXPECT_THAT(types(out),
              ElementsAre("start",
                          "data-conciergus",
                          "start-step",
                          "text-start",
                          "text-delta",
                          "text-end",
                          "finish-step",
                          "data-conciergus",
                          "finish",
                          "[DONE]"));
  EXPECT_THAT(out,
              HasSubstr(R"({"type":"data-conciergus","transient":true,"data":{"cache":"miss"}})"));
}

TEST(UiEncoderTest, ShowsCitationsOfEveryFormAsSources) {
  const std::string out =
      encode(kUiMessages,
             {delta::Text{"x"},
              delta::Citation{R"({"url_citation":{"url":"https://a","title":"A"}})"},
              delta::Citation{R"({"type":"url_citation","url":"https://b"})"},
              delta::Citation{R"({"type":"char_location"})"}});
  EXPECT_THAT(
      out,
      HasSubstr(R"({"type":"source-url","sourceId":"source-0","url":"https://a","title":"A"})"));
  EXPECT_THAT(out, HasSubstr(R"({"type":"source-url","sourceId":"source-1","url":"https://b"})"));
}

/// Section by section of the honest truncation: an error, the protocol's end, and no sign of
/// success.
TEST(TruncationTest, EndsEveryProtocolWithItsErrorAndNothingBehind) {
  const std::vector<Delta> cut = {delta::Start{"id", "m", 5},
                                  delta::Text{"Half an ans"},
                                  delta::ToolStart{0, "a", "f"},
                                  delta::ToolArguments{0, "{\"x"},
                                  delta::Failed{truncated_failure()},
                                  delta::Text{"late"},
                                  delta::Done{}};
  const auto chat = encode(kChatCompletions, cut);
  EXPECT_TRUE(
      chat.ends_with("\"type\":\"server_error\",\"param\":null,\"code\":\"upstream_truncated\"}}"
                     "\n\ndata: [DONE]\n\n"))
      << chat;
  EXPECT_THAT(chat, Not(HasSubstr("\"finish_reason\":\"")));
  EXPECT_THAT(types(encode(kMessages, cut)),
              ElementsAre("message_start",
                          "content_block_start",
                          "content_block_delta",
                          "content_block_stop",
                          "content_block_start",
                          "content_block_delta",
                          "content_block_stop",
                          "error"));
  const auto responses = split_events(encode(kResponses, cut));
  EXPECT_EQ(responses.back().name, "error");
  EXPECT_THAT(responses.back().data,
              HasSubstr("\"sequence_number\":" + std::to_string(responses.size() - 1)));
  const auto ui = encode(kUiMessages, cut);
  EXPECT_THAT(types(ui),
              ElementsAre("start",
                          "start-step",
                          "text-start",
                          "text-delta",
                          "text-end",
                          "tool-input-start",
                          "tool-input-delta",
                          "tool-input-error",
                          "error",
                          "[DONE]"));
  for (const std::string& stream : {chat, ui}) EXPECT_THAT(stream, Not(HasSubstr("late")));
}

TEST(TruncationTest, IsReadBackAsAFailure) {
  for (const Protocol protocol : {kChatCompletions, kMessages, kResponses}) {
    AnswerBuilder builder;
    const auto stream = encode(
        protocol,
        {delta::Start{"id", "m", 5}, delta::Text{"Half"}, delta::Failed{truncated_failure()}});
    for (const Delta& delta : decode(protocol, stream)) builder.add(delta);
    ASSERT_TRUE(builder.failure()) << to_string(protocol);
    EXPECT_FALSE(builder.is_complete());
    EXPECT_EQ(builder.failure()->message, truncated_failure().message);
  }
}

TEST(ErrorReplyTest, WritesEachProtocolsBody) {
  const Failure failure{503, "server_error", "circuit_open", "The model is resting."};
  EXPECT_EQ(
      make_error_reply(kChatCompletions, failure).body,
      R"({"error":{"message":"The model is resting.","type":"server_error","param":null,"code":"circuit_open"}})");
  EXPECT_EQ(
      make_error_reply(kMessages, failure, {.request_id = "req-1"}).body,
      R"({"type":"error","error":{"type":"overloaded_error","message":"The model is resting."},"request_id":"req-1"})");
  const auto ui = make_error_reply(kUiMessages, failure);
  EXPECT_EQ(ui.body, "The model is resting.");
  EXPECT_EQ(ui.content_type, "text/plain; charset=utf-8");
  EXPECT_EQ(
      make_error_reply(
          kUiMessages, failure, {.request_id = "r", .ui_signals = true, .retry_after_ms = 12000})
          .body,
      R"({"error":{"code":"circuit_open","message":"The model is resting.","retryAfterMs":12000,"requestId":"r"}})");
  EXPECT_EQ(ui.status, 503U);
}

TEST(ErrorReplyTest, KeepsAProvidersTypeOnlyWhereTheProtocolKnowsIt) {
  EXPECT_EQ(error_type(kChatCompletions, {529, "overloaded_error"}), "server_error");
  EXPECT_EQ(error_type(kChatCompletions, {429, "insufficient_quota"}), "insufficient_quota");
  EXPECT_EQ(error_type(kMessages, {429, "insufficient_quota"}), "rate_limit_error");
  EXPECT_EQ(error_type(kMessages, {529, "overloaded_error"}), "overloaded_error");
  EXPECT_EQ(error_type(kMessages, {400, ""}), "invalid_request_error");
  EXPECT_EQ(error_type(kChatCompletions, {401, ""}), "authentication_error");
}

TEST(ErrorReplyTest, TellsOurOwnErrors) {
  const auto failure =
      to_failure(Error(ErrorCode::kInvalidRequest, "invalid JSON at byte 3: syntax error"));
  EXPECT_EQ(failure.status, 400U);
  EXPECT_EQ(failure.type, "invalid_request_error");
  EXPECT_EQ(failure.code, "invalid_request");
  EXPECT_EQ(to_failure(Error(ErrorCode::kTimeout, "x"), "upstream_timeout").code,
            "upstream_timeout");
}

}  // namespace
}  // namespace conciergus::llm

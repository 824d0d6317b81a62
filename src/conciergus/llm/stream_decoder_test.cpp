#include "conciergus/llm/stream_decoder.hpp"

#include <algorithm>

#include <gmock/gmock.h>

#include "conciergus/llm/answer_builder.hpp"
#include "conciergus/llm/testing/events.hpp"

namespace conciergus::llm {
namespace {
using testing::ElementsAre;
using enum Protocol;

std::string chat_chunk(std::string_view delta, std::string_view finish = "null") {
  return R"({"id":"chatcmpl-1","object":"chat.completion.chunk","created":1763800000,"model":"gpt-x","system_fingerprint":"fp","choices":[{"index":0,"delta":)" +
         std::string(delta) + R"(,"logprobs":null,"finish_reason":)" + std::string(finish) + "}]}";
}

std::vector<Delta> decode_events(Protocol protocol, const std::vector<Event>& events) {
  const auto decoder = make_stream_decoder(protocol);
  std::vector<Delta> deltas;
  for (const Event& event : events) decoder->decode(event.name, event.data, deltas);
  return deltas;
}

std::vector<Delta> decode_one(Protocol protocol,
                              std::string_view data,
                              std::string_view name = "") {
  return decode_events(protocol, {{std::string(name), std::string(data)}});
}

Failure failure_of(const std::vector<Delta>& deltas) {
  for (const Delta& delta : deltas) {
    if (const auto* failed = std::get_if<delta::Failed>(&delta)) return failed->failure;
  }
  return {.status = 0};
}

TEST(ChatDecoderTest, ReadsARecordedStream) {
  const auto deltas = decode_events(
      kChatCompletions,
      {{"", chat_chunk(R"({"role":"assistant","content":"","refusal":null})")},
       {"", chat_chunk(R"({"content":"Hel"})")},
       {"", chat_chunk(R"({"content":"lo"})")},
       {"", chat_chunk("{}", "\"stop\"")},
       {"",
        R"({"id":"chatcmpl-1","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":0}}})"},
       {"", "[DONE]"}});
  EXPECT_THAT(
      deltas,
      ElementsAre(
          Delta(delta::Start{"chatcmpl-1", "gpt-x", 1763800000}),
          Delta(delta::Text{"Hel"}),
          Delta(delta::Text{"lo"}),
          Delta(delta::Finished{{.reason = FinishReason::kStop, .raw = "stop"}}),
          Delta(delta::UsageReport{
              {.input = 9, .output = 2, .cached_input = 4, .cache_creation = {}, .reasoning = 0}}),
          Delta(delta::Done{})));
}

TEST(ChatDecoderTest, ReadsParallelToolCallsAndReasoning) {
  const auto deltas = decode_events(
      kChatCompletions,
      {{"", chat_chunk(R"({"role":"assistant","reasoning_content":"Hm"})")},
       {"",
        chat_chunk(
            R"({"tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":""}}]})")},
       {"", chat_chunk(R"({"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":"}}]})")},
       {"", chat_chunk(R"({"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]})")},
       {"",
        chat_chunk(
            R"({"tool_calls":[{"index":1,"id":"c2","function":{"name":"g","arguments":"{}"}}]})",
            "\"tool_calls\"")},
       {"", "[DONE]"}});
  const Answer answer = fold(deltas);
  EXPECT_THAT(answer.blocks,
              ElementsAre(Block(ReasoningBlock{.text = "Hm"}),
                          Block(ToolCallBlock{"c1", "f", R"({"a":1})"}),
                          Block(ToolCallBlock{"c2", "g", "{}"})));
  EXPECT_EQ(answer.finish.reason, FinishReason::kToolCalls);
}

TEST(ChatDecoderTest, TakesToolCallsWithoutIndexes) {
  const auto answer = fold(decode_events(
      kChatCompletions,
      {{"", chat_chunk(R"({"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{}"}}]})")},
       {"", chat_chunk(R"({"tool_calls":[{"id":"b","function":{"name":"g","arguments":"{"}}]})")},
       {"", chat_chunk(R"({"tool_calls":[{"function":{"arguments":"}"}}]})")}}));
  EXPECT_THAT(
      answer.blocks,
      ElementsAre(Block(ToolCallBlock{"a", "f", "{}"}), Block(ToolCallBlock{"b", "g", "{}"})));
}

TEST(ChatDecoderTest, MapsErrorsInsideA200ToTheirStatus) {
  const auto rate = failure_of(decode_one(
      kChatCompletions,
      R"({"error":{"message":"Slow down","type":"rate_limit_error","param":null,"code":"rate_limit_exceeded"}})"));
  EXPECT_EQ(rate, (Failure{429, "rate_limit_error", "rate_limit_exceeded", "Slow down"}));
  EXPECT_EQ(
      failure_of(decode_one(kChatCompletions, R"({"error":{"message":"x","code":502}})")).status,
      502U);
  EXPECT_EQ(failure_of(decode_one(kChatCompletions, R"({"error":"broken"})")).message, "broken");
  EXPECT_EQ(failure_of(decode_one(
                kChatCompletions, R"({"message":"gone","type":"server_error"})", "error")),
            (Failure{500, "server_error", "", "gone"}));
  EXPECT_EQ(failure_of(decode_one(kChatCompletions, chat_chunk("{}").insert(1, R"("error":null,)")))
                .status,
            0U);
}

TEST(ChatDecoderTest, SaysWhatItCannotRepresent) {
  for (const std::string_view delta :
       {R"({"audio":{"id":"a"}})", R"({"function_call":{"name":"f"}})"}) {
    const auto deltas = decode_one(kChatCompletions, chat_chunk(delta));
    EXPECT_TRUE(std::holds_alternative<delta::Unknown>(deltas.back())) << delta;
  }
  const auto second =
      decode_one(kChatCompletions, R"({"choices":[{"index":1,"delta":{"content":"x"}}]})");
  EXPECT_THAT(second, ElementsAre(Delta(delta::Unknown{"choice"})));
  const auto logprobs =
      decode_one(kChatCompletions,
                 R"({"choices":[{"index":0,"delta":{"content":"x"},"logprobs":{"content":[]}}]})");
  EXPECT_EQ(logprobs.front(), Delta(delta::Unknown{"logprobs"}));
}

TEST(ChatDecoderTest, FailsOnWhatIsNotJsonOrNoChunk) {
  for (const std::string_view data : {"", "{", "{\"choices\":[}", "[]", "12", "DONE"}) {
    EXPECT_EQ(failure_of(decode_one(kChatCompletions, data)).status, 502U) << data;
  }
}

TEST(ChatDecoderTest, TellsAUsageChunkFromOneWithContent) {
  EXPECT_TRUE(is_usage_only(decode_one(
      kChatCompletions, R"({"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}})")));
  EXPECT_FALSE(is_usage_only(decode_one(
      kChatCompletions,
      R"({"choices":[{"index":0,"delta":{"content":"x"}}],"usage":{"prompt_tokens":1}})")));
  EXPECT_FALSE(is_usage_only(decode_one(kChatCompletions, R"({"choices":[],"usage":null})")));
}

TEST(ChatDecoderTest, ReadsAWholeAnswer) {
  const auto deltas = decode_whole(
      kChatCompletions,
      R"({"id":"c","object":"chat.completion","created":5,"model":"m","choices":[{"index":0,"message":
         {"role":"assistant","content":"Hi","refusal":null,"annotations":[{"type":"url_citation","url_citation":{"url":"u"}}]},
         "logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}})");
  const Answer answer = fold(deltas);
  EXPECT_EQ(answer.created, 5);
  EXPECT_THAT(answer.blocks,
              ElementsAre(Block(
                  TextBlock{"Hi", {R"({"type":"url_citation","url_citation":{"url":"u"}})"}})));
  EXPECT_EQ(deltas.back(), Delta(delta::Done{}));
  EXPECT_EQ(failure_of(decode_whole(kChatCompletions, R"({"choices":[]})")).status, 502U);
  EXPECT_EQ(failure_of(decode_whole(kChatCompletions, "<html>")).status, 502U);
  EXPECT_EQ(failure_of(decode_whole(kChatCompletions, R"({"error":{"code":"insufficient_quota"}})"))
                .status,
            429U);
}

const std::vector<Event> kMessageStream = {
    {"message_start",
     R"({"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":10,"cache_creation_input_tokens":3,"cache_read_input_tokens":5,"output_tokens":1}}})"},
    {"content_block_start",
     R"({"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}})"},
    {"content_block_delta",
     R"({"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Let me see"}})"},
    {"content_block_delta",
     R"({"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"sig=="}})"},
    {"content_block_stop", R"({"type":"content_block_stop","index":0})"},
    {"content_block_start",
     R"({"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}})"},
    {"ping", R"({"type":"ping"})"},
    {"content_block_delta",
     R"({"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"One"}})"},
    {"content_block_delta",
     R"({"type":"content_block_delta","index":1,"delta":{"type":"citations_delta","citation":{"type":"char_location","cited_text":"x"}}})"},
    {"content_block_stop", R"({"type":"content_block_stop","index":1})"},
    {"content_block_start",
     R"({"type":"content_block_start","index":2,"content_block":{"type":"text","text":""}})"},
    {"content_block_delta",
     R"({"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":"Two"}})"},
    {"content_block_stop", R"({"type":"content_block_stop","index":2})"},
    {"content_block_start",
     R"({"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"toolu_1","name":"weather","input":{}}})"},
    {"content_block_delta",
     R"({"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":""}})"},
    {"content_block_delta",
     R"({"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"{\"city\": \"Oslo\"}"}})"},
    {"content_block_stop", R"({"type":"content_block_stop","index":3})"},
    {"message_delta",
     R"({"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":42}})"},
    {"message_stop", R"({"type":"message_stop"})"},
};

TEST(MessagesDecoderTest, ReadsARecordedStream) {
  AnswerBuilder builder;
  for (const Delta& delta : decode_events(kMessages, kMessageStream)) builder.add(delta);
  EXPECT_TRUE(builder.is_complete());
  const Answer& answer = builder.answer();
  EXPECT_EQ(answer.id, "msg_1");
  EXPECT_EQ(answer.model, "claude-x");
  EXPECT_THAT(answer.blocks,
              ElementsAre(Block(ReasoningBlock{"Let me see", "sig=="}),
                          Block(TextBlock{"One", {R"({"type":"char_location","cited_text":"x"})"}}),
                          Block(TextBlock{"Two"}),
                          Block(ToolCallBlock{"toolu_1", "weather", R"({"city": "Oslo"})"})));
  EXPECT_EQ(answer.finish, (Finish{FinishReason::kToolCalls, "tool_use"}));
  EXPECT_EQ(
      answer.usage,
      (Usage{.input = 18, .output = 42, .cached_input = 5, .cache_creation = 3, .reasoning = {}}));
}

TEST(MessagesDecoderTest, SaysNothingIsContentBeforeTheFirstThought) {
  const auto deltas = decode_events(
      kMessages, {kMessageStream[0], kMessageStream[1], {"ping", R"({"type":"ping"})"}});
  EXPECT_TRUE(std::ranges::none_of(deltas, is_content));
}

TEST(MessagesDecoderTest, MapsItsErrors) {
  EXPECT_EQ(failure_of(decode_one(
                kMessages,
                R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})",
                "error")),
            (Failure{529, "overloaded_error", "", "Overloaded"}));
  EXPECT_EQ(failure_of(decode_one(kMessages, "not json", "message_start")).status, 502U);
}

TEST(MessagesDecoderTest, KeepsUnknownBlocksAndEventsOutOfTheRecord) {
  for (
      const std::string_view data :
      {R"({"type":"content_block_start","index":0,"content_block":{"type":"server_tool_use","id":"s","name":"web_search"}})",
       R"({"type":"brand_new"})",
       R"({"type":"content_block_delta","index":0,"delta":{"type":"odd_delta"}})"}) {
    EXPECT_TRUE(std::holds_alternative<delta::Unknown>(decode_one(kMessages, data).front()))
        << data;
  }
}

TEST(MessagesDecoderTest, ReadsAWholeMessage) {
  const auto answer = fold(decode_whole(
      kMessages,
      R"({"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[
          {"type":"redacted_thinking","data":"zzz"},{"type":"text","text":"a"},
          {"type":"tool_use","id":"t","name":"f","input":{"b": 1.50}}],
          "stop_reason":"stop_sequence","stop_sequence":"END","usage":{"input_tokens":1,"output_tokens":2}})"));
  EXPECT_THAT(answer.blocks,
              ElementsAre(Block(ReasoningBlock{.redacted = "zzz"}),
                          Block(TextBlock{"a"}),
                          Block(ToolCallBlock{"t", "f", R"({"b":1.50})"})));
  EXPECT_EQ(answer.finish, (Finish{FinishReason::kStop, "stop_sequence", "END"}));
  EXPECT_EQ(failure_of(decode_whole(kMessages, "{}")).status, 502U);
}

const std::vector<Event> kResponseStream = {
    {"response.created",
     R"({"type":"response.created","sequence_number":0,"response":{"id":"resp_1","object":"response","created_at":1763800000,"status":"in_progress","model":"gpt-x","output":[]}})"},
    {"response.in_progress",
     R"({"type":"response.in_progress","sequence_number":1,"response":{"id":"resp_1"}})"},
    {"response.output_item.added",
     R"({"type":"response.output_item.added","sequence_number":2,"output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[]}})"},
    {"response.reasoning_summary_part.added",
     R"({"type":"response.reasoning_summary_part.added","sequence_number":3,"item_id":"rs_1","output_index":0,"summary_index":0,"part":{"type":"summary_text","text":""}})"},
    {"response.reasoning_summary_text.delta",
     R"({"type":"response.reasoning_summary_text.delta","sequence_number":4,"item_id":"rs_1","output_index":0,"summary_index":0,"delta":"Think"})"},
    {"response.output_item.done",
     R"({"type":"response.output_item.done","sequence_number":5,"output_index":0,"item":{"id":"rs_1","type":"reasoning","encrypted_content":"enc","summary":[{"type":"summary_text","text":"Think"}]}})"},
    {"response.output_item.added",
     R"({"type":"response.output_item.added","sequence_number":6,"output_index":1,"item":{"id":"msg_1","type":"message","status":"in_progress","role":"assistant","content":[]}})"},
    {"response.content_part.added",
     R"({"type":"response.content_part.added","sequence_number":7,"item_id":"msg_1","output_index":1,"content_index":0,"part":{"type":"output_text","text":"","annotations":[]}})"},
    {"response.output_text.delta",
     R"({"type":"response.output_text.delta","sequence_number":8,"item_id":"msg_1","output_index":1,"content_index":0,"delta":"Hi","logprobs":[],"obfuscation":"xx"})"},
    {"response.output_text.done",
     R"({"type":"response.output_text.done","sequence_number":9,"item_id":"msg_1","output_index":1,"content_index":0,"text":"Hi"})"},
    {"response.output_item.done",
     R"({"type":"response.output_item.done","sequence_number":10,"output_index":1,"item":{"id":"msg_1","type":"message","content":[{"type":"output_text","text":"Hi"}]}})"},
    {"response.output_item.added",
     R"({"type":"response.output_item.added","sequence_number":11,"output_index":2,"item":{"id":"fc_1","type":"function_call","call_id":"call_1","name":"f","arguments":""}})"},
    {"response.function_call_arguments.delta",
     R"({"type":"response.function_call_arguments.delta","sequence_number":12,"output_index":2,"delta":"{}"})"},
    {"response.output_item.done",
     R"({"type":"response.output_item.done","sequence_number":13,"output_index":2,"item":{"id":"fc_1","type":"function_call","call_id":"call_1","name":"f","arguments":"{}"}})"},
    {"response.completed",
     R"({"type":"response.completed","sequence_number":14,"response":{"id":"resp_1","status":"completed","error":null,"usage":{"input_tokens":3,"input_tokens_details":{"cached_tokens":0},"output_tokens":4,"output_tokens_details":{"reasoning_tokens":2},"total_tokens":7}}})"},
};

TEST(ResponsesDecoderTest, ReadsARecordedStream) {
  AnswerBuilder builder;
  for (const Delta& delta : decode_events(kResponses, kResponseStream)) builder.add(delta);
  EXPECT_TRUE(builder.is_complete());
  EXPECT_EQ(builder.storage_obstacle({.allow_tool_calls = true}), "");
  EXPECT_THAT(builder.answer().blocks,
              ElementsAre(Block(ReasoningBlock{"Think", "enc", "", "rs_1"}),
                          Block(TextBlock{"Hi", {}, "msg_1"}),
                          Block(ToolCallBlock{"call_1", "f", "{}", "fc_1"})));
  EXPECT_EQ(builder.answer().usage.reasoning, 2U);
  EXPECT_EQ(builder.answer().created, 1763800000);
}

TEST(ResponsesDecoderTest, NumbersTheNextEventAndNoticesAGap) {
  const auto decoder = make_stream_decoder(kResponses);
  std::vector<Delta> deltas;
  decoder->decode(kResponseStream[0].name, kResponseStream[0].data, deltas);
  EXPECT_EQ(decoder->next_sequence_number(), 1U);
  decoder->decode(kResponseStream[2].name, kResponseStream[2].data, deltas);
  EXPECT_EQ(decoder->next_sequence_number(), 3U);
  EXPECT_THAT(deltas, testing::Contains(Delta(delta::Unknown{"sequence number"})));
}

TEST(ResponsesDecoderTest, TellsIncompleteAndFailedFromCompleted) {
  const auto incomplete = fold(decode_one(
      kResponses,
      R"({"type":"response.incomplete","response":{"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"}}})"));
  EXPECT_EQ(incomplete.finish.reason, FinishReason::kLength);
  EXPECT_EQ(
      failure_of(decode_one(
          kResponses,
          R"({"type":"response.failed","response":{"status":"failed","error":{"code":"rate_limit_exceeded","message":"quota"}}})")),
      (Failure{429, "", "rate_limit_exceeded", "quota"}));
  EXPECT_EQ(
      failure_of(
          decode_one(
              kResponses,
              R"({"type":"error","code":"server_error","message":"boom","sequence_number":0})"))
          .status,
      500U);
}

TEST(ResponsesDecoderTest, ReadsAWholeResponse) {
  const auto answer = fold(decode_whole(
      kResponses,
      R"({"id":"resp_1","object":"response","created_at":7,"status":"completed","error":null,"model":"m","output":[
          {"id":"rs","type":"reasoning","summary":[{"type":"summary_text","text":"a"},{"type":"summary_text","text":"b"}]},
          {"id":"msg","type":"message","content":[{"type":"output_text","text":"x","annotations":[]},{"type":"refusal","refusal":"no"}]}],
          "usage":{"input_tokens":1,"output_tokens":2}})"));
  EXPECT_THAT(answer.blocks,
              ElementsAre(Block(ReasoningBlock{"a", "", "", "rs"}),
                          Block(ReasoningBlock{"b", "", "", "rs"}),
                          Block(TextBlock{"x", {}, "msg"}),
                          Block(RefusalBlock{"no", "msg"})));
}

TEST(DecodeErrorTest, ReadsTheBodiesOfBothFamilies) {
  EXPECT_EQ(decode_error(429, R"({"error":{"message":"m","type":"t","code":"c"}})"),
            (Failure{429, "t", "c", "m"}));
  EXPECT_EQ(
      decode_error(529, R"({"type":"error","error":{"type":"overloaded_error","message":"o"}})"),
      (Failure{529, "overloaded_error", "", "o"}));
  EXPECT_EQ(decode_error(400, R"([{"error":{"message":"m"}}])").message, "m");
  EXPECT_EQ(decode_error(404, R"({"error":"model not found"})").message, "model not found");
}

TEST(DecodeErrorTest, ShowsNothingOfForeignPages) {
  const auto failure = decode_error(502, "<html>secret</html>");
  EXPECT_EQ(failure.status, 502U);
  EXPECT_EQ(failure.message, "The provider failed.");
  EXPECT_EQ(decode_error(403, "{}").message, "The provider refused the request.");
  EXPECT_EQ(decode_error(403, "[]").status, 403U);
}

TEST(EmbeddingsTest, AreCompleteWhenTheyHoldData) {
  AnswerBuilder builder;
  for (const Delta& delta : decode_whole(
           kEmbeddings,
           R"({"object":"list","data":[{"embedding":[0.1]}],"usage":{"prompt_tokens":2}})")) {
    builder.add(delta);
  }
  EXPECT_TRUE(builder.is_complete());
  EXPECT_EQ(builder.answer().usage.input, 2U);
  EXPECT_EQ(failure_of(decode_whole(kEmbeddings, R"({"data":[]})")).status, 502U);
}

}  // namespace
}  // namespace conciergus::llm

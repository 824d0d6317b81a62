#include "conciergus/llm/translate_request.hpp"

#include <gmock/gmock.h>

namespace conciergus::llm {
namespace {
using testing::HasSubstr;
using enum Protocol;

std::string translate(Protocol from, Protocol to, std::string_view request) {
  const auto document = JsonDocument::parse(request);
  if (!document) return document.error().to_string();
  const auto translated = translate_request(from, to, document->root(), {"target", 4096});
  return translated ? *translated : translated.error().to_string();
}
std::string to_messages(std::string_view request) {
  return translate(kChatCompletions, kMessages, request);
}
std::string to_chat(std::string_view request) {
  return translate(kMessages, kChatCompletions, request);
}
std::string ui_to_chat(std::string_view request) {
  return translate(kUiMessages, kChatCompletions, request);
}

TEST(ChatToMessagesTest, TranslatesAWholeConversation) {
  EXPECT_EQ(
      to_messages(
          R"({"model":"alias","stream":true,"stream_options":{"include_usage":true},"temperature":0.70,"top_p":0.9,
        "max_tokens":100,"stop":"END","user":"u-1","n":1,"messages":[
        {"role":"system","content":"Be brief."},
        {"role":"user","content":[{"type":"text","text":"What is this?"},
          {"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA","detail":"low"}},
          {"type":"image_url","image_url":{"url":"https://x/y.png"}}]},
        {"role":"assistant","content":"Let me look.","tool_calls":[
          {"id":"c1","type":"function","function":{"name":"look","arguments":"{\"deep\": true}"}},
          {"id":"c2","type":"function","function":{"name":"now","arguments":""}}]},
        {"role":"tool","tool_call_id":"c1","content":"a cat"},
        {"role":"tool","tool_call_id":"c2","content":[{"type":"text","text":"noon"}]},
        {"role":"assistant","content":"A cat at noon."},
        {"role":"user","content":"Thanks"}]})"),
      R"({"model":"target","max_tokens":100,"temperature":0.70,"top_p":0.9,"stop_sequences":["END"],"system":"Be brief.","messages":[)"
      R"({"role":"user","content":[{"type":"text","text":"What is this?"},)"
      R"({"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}},)"
      R"({"type":"image","source":{"type":"url","url":"https://x/y.png"}}]},)"
      R"({"role":"assistant","content":[{"type":"text","text":"Let me look."},)"
      R"({"type":"tool_use","id":"c1","name":"look","input":{"deep":true}},{"type":"tool_use","id":"c2","name":"now","input":{}}]},)"
      R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"c1","content":"a cat"},)"
      R"({"type":"tool_result","tool_use_id":"c2","content":[{"type":"text","text":"noon"}]}]},)"
      R"({"role":"assistant","content":"A cat at noon."},{"role":"user","content":"Thanks"}],)"
      R"("metadata":{"user_id":"u-1"},"stream":true})");
}

TEST(ChatToMessagesTest, TranslatesToolsAndTheirChoice) {
  const std::string_view tools =
      R"({"messages":[],"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object","b":1,"a":2},"strict":true}},{"type":"function","function":{"name":"g"}}],)";
  const auto with = [&](std::string_view rest) {
    return to_messages(std::string(tools) + std::string(rest) + "}");
  };
  EXPECT_THAT(
      with(R"("tool_choice":"auto")"),
      HasSubstr(
          R"("tools":[{"name":"f","description":"d","input_schema":{"type":"object","b":1,"a":2},"strict":true},)"
          R"({"name":"g","input_schema":{"type":"object","properties":{}}}],"tool_choice":{"type":"auto"})"));
  EXPECT_THAT(with(R"("tool_choice":"required")"), HasSubstr(R"("tool_choice":{"type":"any"})"));
  EXPECT_THAT(with(R"("tool_choice":{"type":"function","function":{"name":"f"}})"),
              HasSubstr(R"("tool_choice":{"type":"tool","name":"f"})"));
  EXPECT_THAT(with(R"("parallel_tool_calls":false)"),
              HasSubstr(R"("tool_choice":{"type":"auto","disable_parallel_tool_use":true})"));
}

TEST(ChatToMessagesTest, GivesALimitAndABudgetForReasoning) {
  EXPECT_THAT(to_messages(R"({"messages":[]})"), HasSubstr(R"("max_tokens":4096)"));
  EXPECT_THAT(to_messages(R"({"messages":[],"reasoning_effort":"low"})"),
              HasSubstr(R"("thinking":{"type":"enabled","budget_tokens":1024},"max_tokens":5120)"));
  EXPECT_THAT(to_messages(R"({"messages":[],"reasoning_effort":"none","max_completion_tokens":9})"),
              HasSubstr(R"("max_tokens":9)"));
  EXPECT_THAT(to_messages(R"({"messages":[],"reasoning_effort":"high","max_tokens":9})"),
              HasSubstr("`max_tokens` must be above"));
}

TEST(ChatToMessagesTest, NamesTheFieldThatCannotBeSaid) {
  for (
      const auto& [request, field] : {
          std::pair{R"({"messages":[],"n":2})", "`n`"},
          std::pair{R"({"messages":[],"logprobs":true})", "`logprobs`"},
          std::pair{R"({"messages":[],"seed":1})", "`seed`"},
          std::pair{R"({"messages":[],"temperature":1.5})", "`temperature`"},
          std::pair{R"({"messages":[],"response_format":{"type":"json_object"}})",
                    "`response_format`"},
          std::pair{R"({"messages":[],"brand_new":1})", "`brand_new`"},
          std::pair{R"({"messages":[],"frequency_penalty":0.5})", "`frequency_penalty`"},
          std::pair{R"({"messages":[],"web_search_options":{}})", "`web_search_options`"},
          std::pair{R"({"messages":[],"tools":[{"type":"custom","custom":{}}]})", "`tools[0]`"},
          std::pair{R"({"messages":[],"max_tokens":"many"})", "`max_tokens`"},
          std::pair{R"({"messages":"hi"})", "`messages`"},
          std::pair{
              R"({"messages":[{"role":"user","content":"a"},{"role":"system","content":"b"}]})",
              "`messages[1].role`"},
          std::pair{R"({"messages":[{"role":"user","content":[{"type":"input_audio"}]}]})",
                    "`messages[0].content`"},
          std::pair{
              R"({"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"ftp://x"}}]}]})",
              "`messages[0].content`"},
          std::pair{R"({"messages":[{"role":"user"}]})", "`messages[0].content`"},
          std::pair{
              R"({"messages":[{"role":"assistant","tool_calls":[{"id":"a","function":{"name":"f","arguments":"{"}}]}]})",
              "`messages[0].tool_calls`"},
      }) {
    EXPECT_THAT(to_messages(request),
                testing::AllOf(HasSubstr("invalid_request"), HasSubstr(field)))
        << request;
  }
}

TEST(ChatToMessagesTest, AcceptsWhatMeansTheSameAsLeavingItOut) {
  EXPECT_THAT(
      to_messages(
          R"({"messages":[],"logprobs":false,"seed":null,"frequency_penalty":0,"presence_penalty":0.0,
      "logit_bias":{},"response_format":{"type":"text"},"modalities":["text"],"store":false})"),
      HasSubstr(R"("model":"target")"));
}

TEST(MessagesToChatTest, TranslatesAWholeConversation) {
  EXPECT_EQ(
      to_chat(
          R"({"model":"alias","max_tokens":100,"stream":true,"system":[{"type":"text","text":"Be brief.","cache_control":{"type":"ephemeral"}}],
        "stop_sequences":["END"],"temperature":0.2,"metadata":{"user_id":"u"},"thinking":{"type":"enabled","budget_tokens":2048},"messages":[
        {"role":"user","content":[{"type":"text","text":"See"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA"}}]},
        {"role":"assistant","content":[{"type":"thinking","thinking":"h","signature":"s"},{"type":"text","text":"I look."},
          {"type":"tool_use","id":"t1","name":"look","input":{"deep":true}}]},
        {"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":[{"type":"text","text":"cat"}]},{"type":"text","text":"and?"}]}]})"),
      R"({"model":"target","max_completion_tokens":100,"temperature":0.2,"stop":["END"],"reasoning_effort":"medium","messages":[)"
      R"({"role":"system","content":"Be brief."},)"
      R"({"role":"user","content":[{"type":"text","text":"See"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}}]},)"
      R"({"role":"assistant","content":"I look.","tool_calls":[{"id":"t1","type":"function","function":{"name":"look","arguments":"{\"deep\":true}"}}]},)"
      R"({"role":"tool","tool_call_id":"t1","content":"cat"},)"
      R"({"role":"user","content":[{"type":"text","text":"and?"}]}],"user":"u","stream":true,"stream_options":{"include_usage":true}})");
}

TEST(MessagesToChatTest, TranslatesToolsAndTheirChoice) {
  const std::string_view tools =
      R"({"messages":[],"tools":[{"name":"f","description":"d","input_schema":{"type":"object"}}],)";
  const auto with = [&](std::string_view rest) {
    return to_chat(std::string(tools) + std::string(rest) + "}");
  };
  EXPECT_THAT(
      with(R"("tool_choice":{"type":"any","disable_parallel_tool_use":true})"),
      HasSubstr(
          R"("tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"}}}],)"
          R"("tool_choice":"required","parallel_tool_calls":false)"));
  EXPECT_THAT(with(R"("tool_choice":{"type":"tool","name":"f"})"),
              HasSubstr(R"("tool_choice":{"type":"function","function":{"name":"f"}})"));
}

TEST(MessagesToChatTest, NamesTheFieldThatCannotBeSaid) {
  for (const auto& [request, field] : {
           std::pair{R"({"messages":[],"top_k":5})", "`top_k`"},
           std::pair{R"({"messages":[],"container":"c"})", "`container`"},
           std::pair{R"({"messages":[],"mcp_servers":[]})", "`mcp_servers`"},
           std::pair{R"({"messages":[],"tools":[{"type":"web_search_20250305"}]})", "`tools[0]`"},
           std::pair{R"({"messages":[{"role":"user","content":[{"type":"document"}]}]})",
                     "`messages[0].content`"},
           std::pair{R"({"messages":[{"role":"system","content":"x"}]})", "`messages[0].role`"},
           std::pair{R"({"messages":[],"thinking":{"type":"odd"}})", "`thinking`"},
       }) {
    EXPECT_THAT(to_chat(request), testing::AllOf(HasSubstr("invalid_request"), HasSubstr(field)))
        << request;
  }
}

TEST(UiToChatTest, SplitsATurnIntoItsSteps) {
  EXPECT_EQ(
      ui_to_chat(
          R"({"id":"chat-1","trigger":"submit-message","appField":{"x":1},"system":"Be kind.","messages":[
        {"id":"u1","role":"user","parts":[{"type":"text","text":"Weather?"},{"type":"file","mediaType":"image/png","url":"data:image/png;base64,AA"}]},
        {"id":"a1","role":"assistant","parts":[{"type":"step-start"},{"type":"reasoning","text":"hm"},{"type":"text","text":"I look."},
          {"type":"tool-weather","toolCallId":"c1","state":"output-available","input":{"city":"Oslo"},"output":{"t":4}},
          {"type":"dynamic-tool","toolName":"now","toolCallId":"c2","state":"output-error","input":{},"errorText":"down"},
          {"type":"tool-left","toolCallId":"c3","state":"input-available","input":{}},
          {"type":"step-start"},{"type":"text","text":"4 degrees."},{"type":"data-x","data":1}]},
        {"id":"u2","role":"user","parts":[{"type":"text","text":"Thanks"}]}]})"),
      R"({"model":"target","messages":[{"role":"system","content":"Be kind."},)"
      R"({"role":"user","content":[{"type":"text","text":"Weather?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}}]},)"
      R"({"role":"assistant","content":"I look.","tool_calls":[{"id":"c1","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Oslo\"}"}},)"
      R"({"id":"c2","type":"function","function":{"name":"now","arguments":"{}"}}]},)"
      R"({"role":"tool","tool_call_id":"c1","content":"{\"t\":4}"},{"role":"tool","tool_call_id":"c2","content":"down"},)"
      R"({"role":"assistant","content":"4 degrees."},{"role":"user","content":"Thanks"}],"stream":true,"stream_options":{"include_usage":true}})");
}

TEST(UiToChatTest, RefusesWhatUseChatDoesNotSend) {
  EXPECT_THAT(ui_to_chat(R"({"id":"x"})"), HasSubstr("`messages` must be an array"));
  EXPECT_THAT(ui_to_chat(R"({"messages":[{"role":"user","content":"hi"}]})"),
              HasSubstr("`messages[0].parts`"));
  EXPECT_THAT(ui_to_chat(R"({"messages":[{"role":"robot","parts":[]}]})"),
              HasSubstr("`messages[0].role`"));
  EXPECT_THAT(
      ui_to_chat(
          R"({"messages":[{"role":"user","parts":[{"type":"file","mediaType":"text/x","url":"data:"}]}]})"),
      HasSubstr("`messages[0].parts`"));
}

TEST(UiToMessagesTest, GoesThroughChat) {
  EXPECT_EQ(
      translate(kUiMessages,
                kMessages,
                R"({"messages":[{"role":"user","parts":[{"type":"text","text":"hi"}]}]})"),
      R"({"model":"target","max_tokens":4096,"messages":[{"role":"user","content":"hi"}],"stream":true})");
}

TEST(TranslateRequestTest, KnowsNoTranslationOfResponses) {
  EXPECT_THAT(translate(kResponses, kChatCompletions, "{}"), HasSubstr("/v1/responses"));
  EXPECT_THAT(translate(kChatCompletions, kResponses, "{}"), HasSubstr("invalid_request"));
}

}  // namespace
}  // namespace conciergus::llm

#include "conciergus/llm/effective_request.hpp"

#include <gmock/gmock.h>

namespace conciergus::llm {
namespace {
using enum Protocol;

ClientRequest client_request(Protocol protocol, std::string body) {
  auto request = ClientRequest::parse(protocol, std::move(body));
  EXPECT_TRUE(request) << request.error().to_string();
  return *std::move(request);
}

EffectiveRequest effective(const ClientRequest& client,
                           Protocol target,
                           std::string model = "upstream-model") {
  auto request = EffectiveRequest::make(client, {"provider", target, std::move(model)});
  EXPECT_TRUE(request) << request.error().to_string();
  return *std::move(request);
}

TEST(ClientRequestTest, ReadsTheFacts) {
  const auto chat = client_request(
      kChatCompletions,
      R"({"model":"m","messages":[],"stream":true,"temperature":0.5,"seed":7,"n":2,"tools":[{"type":"function"}]})");
  EXPECT_EQ(chat.facts().model, "m");
  EXPECT_TRUE(chat.facts().is_stream);
  EXPECT_FALSE(chat.facts().wants_usage);
  EXPECT_EQ(chat.facts().temperature, 0.5);
  EXPECT_TRUE(chat.facts().has_seed);
  EXPECT_TRUE(chat.facts().has_tools);
  EXPECT_EQ(chat.facts().choices, 2U);
  EXPECT_EQ(chat.facts().forbids, "");

  const auto ui = client_request(kUiMessages,
                                 R"({"id":"chat-1","trigger":"regenerate-message","messages":[]})");
  EXPECT_TRUE(ui.facts().is_stream);
  EXPECT_TRUE(ui.facts().is_regeneration);
  EXPECT_EQ(ui.facts().chat_id, "chat-1");

  EXPECT_EQ(client_request(kResponses, R"({"previous_response_id":"r"})").facts().forbids, "state");
  EXPECT_TRUE(
      client_request(kEmbeddings, R"({"input":"x","stream":true})").facts().is_deterministic);
  EXPECT_FALSE(client_request(kEmbeddings, R"({"input":"x","stream":true})").facts().is_stream);
}

TEST(ClientRequestTest, RefusesWhatIsNoJsonObjectNamingTheOffset) {
  const auto broken = ClientRequest::parse(kChatCompletions, R"({"model":})");
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code(), ErrorCode::kInvalidRequest);
  EXPECT_THAT(broken.error().detail(), testing::HasSubstr("byte 9"));
  EXPECT_FALSE(ClientRequest::parse(kChatCompletions, "[]"));
}

TEST(EffectiveRequestTest, RenamesTheModelAndAsksForUsageTouchingNothingElse) {
  const auto client = client_request(
      kChatCompletions,
      "{ \"stream\" : true, \"model\":\"alias\",\n \"unknown\":1.50, \"messages\":[ ] }");
  const auto request = effective(client, kChatCompletions);
  EXPECT_TRUE(request.strips_usage());
  EXPECT_EQ(
      request.upstream_body(),
      "{ \"stream\" : true, \"model\":\"upstream-model\",\n \"unknown\":1.50, \"messages\":[ ],"
      "\"stream_options\":{\"include_usage\":true} }");
}

TEST(EffectiveRequestTest, KeepsTheClientsStreamOptions) {
  const auto client = client_request(
      kChatCompletions,
      R"({"model":"m","stream":true,"stream_options":{"include_obfuscation":false}})");
  EXPECT_EQ(
      effective(client, kChatCompletions, "m").upstream_body(),
      R"({"model":"m","stream":true,"stream_options":{"include_obfuscation":false,"include_usage":true}})");
}

TEST(EffectiveRequestTest, SendsTheClientsBytesWhenNothingIsToChange) {
  for (const auto& [protocol, body] :
       {std::pair{kChatCompletions,
                  R"({"model": "m","stream":true,"stream_options":{"include_usage":true}})"},
        std::pair{kChatCompletions, R"({"model": "m","messages":[]})"},
        std::pair{kMessages, R"({"model": "m","stream":true})"},
        std::pair{kResponses, R"({"model": "m","stream":true})"}}) {
    const auto client = client_request(protocol, body);
    const auto request = effective(client, protocol, "m");
    EXPECT_EQ(request.upstream_body(), body);
    EXPECT_FALSE(request.strips_usage());
  }
}

TEST(EffectiveRequestTest, SharesAKeyAcrossAliasesAndRenderings) {
  const auto key = [](std::string body, std::string_view scope = "tenant") {
    const auto client = client_request(kChatCompletions, std::move(body));
    return effective(client, kChatCompletions).key(scope, {});
  };
  EXPECT_EQ(key(R"({"model":"a","stream":true,"messages":[]})"),
            key(R"({"messages":[],"model":"b"})"));
  EXPECT_NE(key(R"({"messages":[]})"), key(R"({"messages":[]})", "other tenant"));
  EXPECT_FALSE(key(R"({"messages":[]})", ""));
  EXPECT_FALSE(key(R"({"messages":[],"messages":[]})"));
}

TEST(EffectiveRequestTest, SharesAKeyBetweenClientsOfTwoProtocols) {
  const auto chat = client_request(
      kChatCompletions,
      R"({"model":"a","max_tokens":50,"messages":[{"role":"system","content":"s"},{"role":"user","content":"q"}]})");
  const auto messages = client_request(
      kMessages,
      R"({"model":"b","max_tokens":50,"stream":true,"system":"s","messages":[{"role":"user","content":"q"}]})");
  const auto ui = client_request(
      kUiMessages,
      R"({"id":"1","system":"s","messages":[{"role":"user","parts":[{"type":"text","text":"q"}]}]})");
  EXPECT_EQ(effective(chat, kMessages).key("t", {}), effective(messages, kMessages).key("t", {}));
  const auto plain = client_request(
      kChatCompletions,
      R"({"messages":[{"role":"system","content":"s"},{"role":"user","content":"q"}]})");
  EXPECT_EQ(effective(ui, kChatCompletions).key("t", {}),
            effective(plain, kChatCompletions).key("t", {}));
}

TEST(EffectiveRequestTest, RefusesWhatItCannotTranslate) {
  const auto client = client_request(kChatCompletions, R"({"messages":[],"logprobs":true})");
  const auto request = EffectiveRequest::make(client, {"provider", kMessages, "m"});
  ASSERT_FALSE(request);
  EXPECT_EQ(request.error().code(), ErrorCode::kInvalidRequest);
  EXPECT_THAT(request.error().detail(), testing::HasSubstr("`logprobs`"));
}

TEST(EffectiveRequestTest, SurvivesBeingMovedWhenTranslated) {
  const auto client = client_request(
      kUiMessages, R"({"messages":[{"role":"user","parts":[{"type":"text","text":"q\n"}]}]})");
  auto first = effective(client, kMessages);
  const auto key = first.key("t", {});
  const EffectiveRequest second = std::move(first);
  EXPECT_EQ(second.key("t", {}), key);
  EXPECT_TRUE(second.is_translated());
}

}  // namespace
}  // namespace conciergus::llm

#include "conciergus/llm/cache_key.hpp"

#include <algorithm>
#include <random>

#include <gmock/gmock.h>

#include "conciergus/llm/request_fields.hpp"

namespace conciergus::llm {
namespace {

struct Ask {
  std::string scope = "tenant-a";
  Protocol protocol = Protocol::kChatCompletions;
  std::string provider = "openai";
  std::string model = "gpt-x";
  std::vector<HeaderField> headers{};
};

std::optional<CacheKey> key_of(std::string_view body, const Ask& ask = {}) {
  const auto document = JsonDocument::parse(body);
  if (!document) return std::nullopt;
  return make_cache_key(
      {ask.scope, ask.protocol, ask.provider, ask.model, document->root(), ask.headers});
}

constexpr std::string_view kBody =
    R"({"messages":[{"role":"user","content":"hi"}],"temperature":0})";

TEST(CacheKeyTest, DiffersByScopeProtocolProviderModelAndHeaders) {
  const auto base = key_of(kBody);
  ASSERT_TRUE(base);
  EXPECT_EQ(base, key_of(kBody));
  EXPECT_NE(base, key_of(kBody, {.scope = "tenant-b"}));
  EXPECT_NE(base, key_of(kBody, {.protocol = Protocol::kMessages}));
  EXPECT_NE(base, key_of(kBody, {.provider = "azure"}));
  EXPECT_NE(base, key_of(kBody, {.model = "gpt-y"}));
  EXPECT_NE(base, key_of(kBody, {.headers = {{"anthropic-beta", "x"}}}));
  EXPECT_EQ(base->hex().size(), 64U);
}

TEST(CacheKeyTest, DoesNotDependOnTheOrderOfHeaders) {
  EXPECT_EQ(key_of(kBody, {.headers = {{"a", "1"}, {"b", "2"}}}),
            key_of(kBody, {.headers = {{"b", "2"}, {"a", "1"}}}));
  EXPECT_NE(key_of(kBody, {.headers = {{"a", "1"}, {"b", "2"}}}),
            key_of(kBody, {.headers = {{"a", "2"}, {"b", "1"}}}));
}

TEST(CacheKeyTest, CannotBeMadeToCollideByMovingBytesBetweenFields) {
  EXPECT_NE(key_of(kBody, {.provider = "ab", .model = "c"}),
            key_of(kBody, {.provider = "a", .model = "bc"}));
  EXPECT_NE(key_of(kBody, {.headers = {{"a", "bc"}}}), key_of(kBody, {.headers = {{"ab", "c"}}}));
}

TEST(CacheKeyTest, IsNothingForDuplicateMembers) {
  EXPECT_FALSE(key_of(R"({"messages":[],"stream":true,"stream":false})"));
  EXPECT_FALSE(key_of(R"({"messages":[{"role":"user","role":"system"}]})"));
}

/// The failing test of an unclassified field: each field of each table does what its class says.
TEST(CacheKeyTest, DependsOnEachKnownFieldAsItsClassSays) {
  for (const Protocol protocol : {Protocol::kChatCompletions,
                                  Protocol::kMessages,
                                  Protocol::kResponses,
                                  Protocol::kEmbeddings,
                                  Protocol::kUiMessages}) {
    ASSERT_FALSE(request_fields(protocol).empty());
    for (const RequestField& field : request_fields(protocol)) {
      const auto with = [&](std::string_view value) {
        return key_of("{\"x\":0,\"" + std::string(field.name) + "\":" + std::string(value) + "}",
                      {.protocol = protocol});
      };
      const auto without = key_of(R"({"x":0})", {.protocol = protocol});
      // The model counts as the upstream calls it, in a part of the key of its own.
      const bool is_ignored = field.field_class == FieldClass::kIgnored || field.name == "model";
      EXPECT_EQ(with(R"("a")") == with(R"("b")"), is_ignored)
          << to_string(protocol) << " " << field.name;
      EXPECT_EQ(with("{\"k\":1}") == without, is_ignored)
          << to_string(protocol) << " " << field.name;
    }
  }
}

TEST(CacheKeyTest, DependsOnFieldsNobodyKnows) {
  EXPECT_EQ(classify(Protocol::kChatCompletions, "brand_new"), FieldClass::kKeyed);
  EXPECT_NE(key_of(R"({"brand_new":1})"), key_of(R"({"brand_new":2})"));
}

TEST(CacheKeyTest, IgnoresOnlyWhatTheProtocolKnowsAsAccounting) {
  EXPECT_EQ(classify(Protocol::kMessages, "user"), FieldClass::kKeyed);
  EXPECT_EQ(
      key_of(
          R"({"stream":true,"stream_options":{"include_usage":true},"user":"u","metadata":{"a":"b"},
                       "safety_identifier":"s","prompt_cache_key":"p","messages":[]})"),
      key_of(R"({"messages":[]})"));
}

/// A random JSON value, written twice with the members of every object in different orders.
class ShuffledPair {
 public:
  explicit ShuffledPair(unsigned seed) : random_(seed) {}

  std::pair<std::string, std::string> make(int depth) {
    const unsigned kind = pick(depth == 0 ? 4 : 6);
    if (kind == 0) return same(std::to_string(pick(100000)));
    if (kind == 1) return same(pick(2) ? "true" : "null");
    if (kind < 4) return same("\"s" + std::to_string(pick(1000)) + "\"");
    std::vector<std::pair<std::string, std::string>> parts;
    for (unsigned i = pick(6); i > 0; --i) {
      auto part = make(depth - 1);
      if (kind == 4) {
        const std::string name =
            "\"" + std::string(1, static_cast<char>('a' + pick(26))) + std::to_string(i) + "\":";
        part = {name + part.first, " " + name + "  " + part.second + "\n"};
      }
      parts.push_back(std::move(part));
    }
    std::string first;
    for (const auto& part : parts) first += (first.empty() ? "" : ",") + part.first;
    if (kind == 4) std::ranges::shuffle(parts, random_);
    std::string second;
    for (const auto& part : parts) second += (second.empty() ? "" : ",") + part.second;
    const auto wrap = [&](const std::string& text) {
      return kind == 4 ? "{" + text + "}" : "[" + text + "]";
    };
    return {wrap(first), wrap(second)};
  }

 private:
  unsigned pick(unsigned limit) { return static_cast<unsigned>(random_() % limit); }
  static std::pair<std::string, std::string> same(const std::string& text) { return {text, text}; }
  std::mt19937 random_;
};

TEST(CacheKeyTest, DoesNotDependOnTheOrderOfMembers) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    const auto [first, second] = ShuffledPair(seed).make(5);
    const auto key = key_of("{\"v\":" + first + "}");
    ASSERT_TRUE(key) << first;
    EXPECT_EQ(key, key_of("{\"v\":" + second + "}")) << first << "\n" << second;
  }
}

TEST(ForbiddingReasonTest, NamesStateBackgroundAndProviderTools) {
  struct Case {
    Protocol protocol;
    std::string_view body;
    std::string_view reason;
  };
  using enum Protocol;
  for (const auto& [protocol, body, reason] : {
           Case{kChatCompletions, R"({"store":true})", "store"},
           Case{kChatCompletions, R"({"store":false})", ""},
           Case{kChatCompletions, R"({"web_search_options":{}})", "provider-tools"},
           Case{kChatCompletions, R"({"tools":[{"type":"function","function":{"name":"f"}}]})", ""},
           Case{kChatCompletions, R"({"tools":[]})", ""},
           Case{kChatCompletions, R"({"tools":"odd"})", "provider-tools"},
           Case{kMessages, R"({"tools":[{"name":"f","input_schema":{}}]})", ""},
           Case{kMessages,
                R"({"tools":[{"name":"f"},{"type":"web_search_20250305"}]})",
                "provider-tools"},
           Case{kMessages, R"({"mcp_servers":[{"type":"url"}]})", "provider-tools"},
           Case{kMessages, R"({"container":"c"})", "state"},
           Case{kResponses, R"({"previous_response_id":"r"})", "state"},
           Case{kResponses, R"({"previous_response_id":null})", ""},
           Case{kResponses, R"({"conversation":{"id":"c"}})", "state"},
           Case{kResponses, R"({"background":true})", "background"},
           Case{kResponses, R"({"tools":[{"type":"custom"},{"type":"function"}]})", ""},
           Case{kResponses, R"({"tools":[{"type":"code_interpreter"}]})", "provider-tools"},
           Case{kResponses, R"({"tools":[{"type":"mcp"}]})", "provider-tools"},
           Case{kResponses, R"({"tools":[{"type":"file_search"}]})", "provider-tools"},
           Case{kResponses, R"({"tools":[{"type":"computer_use_preview"}]})", "provider-tools"},
       }) {
    EXPECT_EQ(forbidding_reason(protocol, JsonDocument::parse(body)->root()), reason) << body;
  }
}

}  // namespace
}  // namespace conciergus::llm

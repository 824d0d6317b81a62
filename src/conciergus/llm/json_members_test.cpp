#include "conciergus/llm/json_members.hpp"

#include <gmock/gmock.h>

namespace conciergus::llm {
namespace {

std::string edit(std::string_view object, std::vector<JsonEdit> edits) {
  const auto result = edit_json_members(object, edits);
  return result ? *result : result.error().to_string();
}

TEST(JsonMembersTest, ShowsNamesAndTheTextOfValues) {
  const auto members = json_members(R"( { "a" : [1, {"x":"]"}] , "\u0062":"q\"}", "n": -1e5})");
  ASSERT_TRUE(members);
  ASSERT_EQ(members->size(), 3U);
  EXPECT_EQ((*members)[0].name, "a");
  EXPECT_EQ((*members)[0].value, R"([1, {"x":"]"}])");
  EXPECT_EQ((*members)[1].name, "b");
  EXPECT_EQ((*members)[1].value, R"("q\"}")");
  EXPECT_EQ((*members)[2].value, "-1e5");
  EXPECT_EQ(json_members("{}")->size(), 0U);
}

TEST(JsonMembersTest, RefusesWhatIsNoObject) {
  for (const std::string_view text : {"",
                                      "[]",
                                      "1",
                                      "{",
                                      "{\"a\"",
                                      "{\"a\":",
                                      "{\"a\":1",
                                      "{\"a\":1,}",
                                      "{\"a\" 1}",
                                      "{a:1}",
                                      "{} x",
                                      "{\"a\":[}",
                                      "{\"a\":\"",
                                      "{\"a\":}",
                                      "{\"a\":1 2}"}) {
    EXPECT_FALSE(json_members(text)) << text;
  }
}

TEST(JsonMembersTest, ReplacesAValueAndKeepsEveryOtherByte) {
  EXPECT_EQ(edit("{ \"model\" : \"a\",\n  \"x\":1.50, \"u\":\"\\u0041\" }", {{"model", "\"b\""}}),
            "{ \"model\" : \"b\",\n  \"x\":1.50, \"u\":\"\\u0041\" }");
}

TEST(JsonMembersTest, AddsWhatIsNotThere) {
  EXPECT_EQ(edit(R"({"a":1 })", {{"b", "2"}, {"c", "[]"}}), R"({"a":1,"b":2,"c":[] })");
  EXPECT_EQ(edit("{ }", {{"b", "2"}}), R"({"b":2 })");
}

TEST(JsonMembersTest, RemovesAtEveryPlace) {
  EXPECT_EQ(edit(R"({"a":1, "b":2, "c":3})", {{"a", {}}}), R"({"b":2, "c":3})");
  EXPECT_EQ(edit(R"({"a":1, "b":2, "c":3})", {{"b", {}}}), R"({"a":1, "c":3})");
  EXPECT_EQ(edit(R"({"a":1, "b":2, "c":3})", {{"c", {}}}), R"({"a":1, "b":2})");
  EXPECT_EQ(edit(R"({"a":1})", {{"a", {}}}), "{}");
  EXPECT_EQ(edit(R"({"a":1,"b":2})", {{"a", {}}, {"b", {}}, {"c", "3"}}), R"({"c":3})");
  EXPECT_EQ(edit(R"({"a":1})", {{"b", {}}}), R"({"a":1})");
}

TEST(JsonMembersTest, EditsEveryDuplicate) {
  EXPECT_EQ(edit(R"({"m":1,"x":0,"m":2})", {{"m", "3"}}), R"({"m":3,"x":0,"m":3})");
  EXPECT_EQ(edit(R"({"m":1,"x":0,"m":2})", {{"m", {}}}), R"({"x":0})");
}

}  // namespace
}  // namespace conciergus::llm

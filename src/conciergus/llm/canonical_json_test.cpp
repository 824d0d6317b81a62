#include "conciergus/llm/canonical_json.hpp"

#include <gmock/gmock.h>

#include "conciergus/llm/json_writer.hpp"

namespace conciergus::llm {
namespace {

std::string canonical(std::string_view text) {
  const auto result = canonical_json(text);
  return result ? *result : result.error().to_string();
}

TEST(CanonicalJsonTest, SortsMembersAtEveryDepthAndDropsWhiteSpace) {
  EXPECT_EQ(canonical(" { \"b\" : [ 3, {\"y\":1,\"x\":2} ] ,\n \"a\":\tnull, \"B\": true } "),
            R"({"B":true,"a":null,"b":[3,{"x":2,"y":1}]})");
  EXPECT_EQ(canonical("{}"), "{}");
  EXPECT_EQ(canonical("[[],{}]"), "[[],{}]");
}

TEST(CanonicalJsonTest, WritesStringsByTheirCharacters) {
  EXPECT_EQ(canonical(R"("\u0041\/\u00e9\n\u0001\"\\")"), "\"A/\xc3\xa9\\n\\u0001\\\"\\\\\"");
  EXPECT_EQ(canonical(R"({"\u0062":1,"a":2})"), R"({"a":2,"b":1})");
  EXPECT_EQ(canonical(R"("\ud83d\ude00")"), "\"\xf0\x9f\x98\x80\"");
}

TEST(CanonicalJsonTest, KeepsCaseSpaceAndUnnormalisedUnicode) {
  EXPECT_NE(canonical(R"("Foo")"), canonical(R"("foo")"));
  EXPECT_NE(canonical(R"("foo ")"), canonical(R"("foo")"));
  EXPECT_NE(canonical(R"("\u00e9")"), canonical(R"("e\u0301")"));
}

TEST(CanonicalJsonTest, WritesNumbersInTheirShortestForm) {
  EXPECT_EQ(canonical("[0.70,7e-1,0.7]"), "[0.7,0.7,0.7]");
  EXPECT_EQ(canonical("[1.0,1,10e-1,-0,0.0]"), "[1,1,1,0,0]");
  EXPECT_EQ(canonical("[123456,-42]"), "[123456,-42]");
}

TEST(CanonicalJsonTest, KeepsTheTextOfNumbersThatADoubleWouldBlur) {
  EXPECT_EQ(canonical("[9007199254740993,9007199254740992]"),
            "[9007199254740993,9007199254740992]");
  EXPECT_EQ(canonical("[9007199254740993.0]"), "[9007199254740993.0]");
  EXPECT_EQ(canonical("[1e400,-12345678901234567890123]"), "[1e400,-12345678901234567890123]");
}

TEST(CanonicalJsonTest, ReportsDuplicateMembersWhereverTheyAre) {
  for (const std::string_view text : {R"({"a":1,"a":1})",
                                      R"([{"x":{"a":1,"b":2,"\u0061":3}}])",
                                      R"({"dropped":{"k":1,"k":2}})"}) {
    const auto document = JsonDocument::parse(text);
    std::string out;
    EXPECT_FALSE(append_canonical_json(
        out,
        document->root(),
        {.is_left_out = [](std::string_view name, const void*) { return name == "dropped"; }}))
        << text;
  }
}

TEST(CanonicalJsonTest, LeavesOutMembersOfTheRootOnly) {
  const auto document = JsonDocument::parse(R"({"user":"u","deep":{"user":"v"},"z":1})");
  std::string out = ">";
  EXPECT_TRUE(append_canonical_json(
      out, document->root(), {.is_left_out = [](std::string_view name, const void*) {
        return name == "user";
      }}));
  EXPECT_EQ(out, R"(>{"deep":{"user":"v"},"z":1})");
}

TEST(CanonicalJsonTest, IsItsOwnCanonicalForm) {
  const std::string once = canonical(R"({"b":[1.50,"\u0000x"],"a":{"d":1e21,"c":-0.0}})");
  EXPECT_EQ(canonical(once), once);
}

TEST(JsonWriterTest, PairsNamesValuesAndCommas) {
  std::string out;
  JsonWriter json(out);
  json.begin_object()
      .member("a", "x\"y")
      .member("n", 3)
      .member("t", true)
      .name("l")
      .begin_array()
      .number(1)
      .begin_object()
      .end_object()
      .string("z")
      .end_array()
      .null_member("nothing")
      .end_object();
  EXPECT_EQ(out, R"({"a":"x\"y","n":3,"t":true,"l":[1,{},"z"],"nothing":null})");
}

TEST(JsonWriterTest, CopiesValuesInTheirOrderWithNumbersAsWritten) {
  const auto document = JsonDocument::parse(R"({"b": 1.50, "a": [ "x\u000a" , false ]})");
  std::string out;
  append_json(out, document->root());
  EXPECT_EQ(out, R"({"b":1.50,"a":["x\n",false]})");
}

}  // namespace
}  // namespace conciergus::llm

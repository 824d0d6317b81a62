#include "conciergus/llm/json_document.hpp"

#include <gmock/gmock.h>

namespace conciergus::llm {
namespace {

std::string error_of(std::string_view text, const JsonBounds& bounds = {}) {
  const auto document = JsonDocument::parse(text, bounds);
  return document ? "" : document.error().to_string();
}

TEST(JsonDocumentTest, ReadsValuesByPath) {
  const std::string_view text =
      R"( {"a":{"b":[1,"x",null,true]},"s":"line\nbreak \u00e9","n":-1.50e2,"big":18446744073709551615} )";
  const auto document = JsonDocument::parse(text);
  ASSERT_TRUE(document) << document.error().to_string();
  const JsonValue root = document->root();
  EXPECT_EQ(root.size(), 4U);
  EXPECT_EQ(root["a"]["b"].size(), 4U);
  EXPECT_EQ((*root["a"]["b"].begin()).unsigned_integer(), 1U);
  EXPECT_EQ(root["s"].text(), "line\nbreak \xc3\xa9");
  EXPECT_EQ(root["n"].number_text(), "-1.50e2");
  EXPECT_EQ(root["n"].number(), -150.0);
  EXPECT_EQ(root["big"].unsigned_integer(), 18446744073709551615U);
  EXPECT_FALSE(root["missing"]["deeper"]);
  EXPECT_TRUE(root["missing"].is_nothing());
}

TEST(JsonDocumentTest, WalksMembersInTheirOrderWithUnescapedNames) {
  const auto document = JsonDocument::parse(R"({"z":1,"\u0061":{"deep":[[],{}]},"z":2})");
  ASSERT_TRUE(document);
  std::vector<std::string> names;
  for (const JsonValue member : document->root()) names.emplace_back(member.name());
  EXPECT_THAT(names, testing::ElementsAre("z", "a", "z"));
  EXPECT_EQ(document->root()["z"].number_text(), "2");
}

TEST(JsonDocumentTest, SurvivesBeingMoved) {
  std::string text = R"({"escaped":"a\tb","plain":"c"})";
  auto document = JsonDocument::parse(text);
  const JsonDocument moved = *std::move(document);
  EXPECT_EQ(moved.root()["escaped"].text(), "a\tb");
  EXPECT_EQ(moved.root()["plain"].text(), "c");
}

TEST(JsonDocumentTest, UnescapesManyAndLongStrings) {
  std::string text = "[";
  for (int i = 0; i < 200; ++i)
    text += "\"\\n" + std::string(static_cast<std::size_t>(i * 31), 'x') + "\\t\",";
  text.back() = ']';
  const auto document = JsonDocument::parse(text);
  ASSERT_TRUE(document);
  std::size_t i = 0;
  for (const JsonValue element : document->root()) {
    EXPECT_EQ(element.text(), "\n" + std::string(i++ * 31, 'x') + "\t");
  }
}

TEST(JsonDocumentTest, NamesTheOffsetOfWhatIsNotJson) {
  EXPECT_THAT(error_of(R"({"a":1,})"), testing::HasSubstr("invalid JSON at byte 7"));
  EXPECT_THAT(error_of(R"({"a":tru)"), testing::HasSubstr("at byte 8: incomplete"));
  EXPECT_THAT(error_of("[1] x"), testing::HasSubstr("at byte 4"));
  EXPECT_THAT(error_of(""), testing::HasSubstr("at byte 0"));
  EXPECT_THAT(error_of("{'a':1}"), testing::HasSubstr("at byte 1"));
  EXPECT_THAT(error_of("[1,/**/2]"), testing::HasSubstr("at byte 3"));
  EXPECT_THAT(error_of("[NaN]"), testing::HasSubstr("at byte 1"));
  EXPECT_THAT(error_of("[\"\xff\"]"), testing::HasSubstr("at byte 2"));
  EXPECT_NE(error_of(R"(["\ud800"])"), "");
}

TEST(JsonDocumentTest, RefusesWhatIsTooDeepOrTooMuch) {
  EXPECT_EQ(error_of("[[[]]]", {.max_depth = 3}), "");
  EXPECT_NE(error_of("[[[[]]]]", {.max_depth = 3}), "");
  EXPECT_EQ(error_of("[1,2]", {.max_values = 3}), "");
  EXPECT_THAT(error_of("[1,2,3]", {.max_values = 3}), testing::HasSubstr("too many values"));
}

}  // namespace
}  // namespace conciergus::llm

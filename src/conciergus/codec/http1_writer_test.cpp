#include "conciergus/codec/http1_writer.hpp"

#include <gtest/gtest.h>

#include "conciergus/codec/http1_parser.hpp"

namespace conciergus::codec {
namespace {

using namespace std::string_literals;

TEST(HeadWriterTest, WritesAResponseHead) {
  std::string out = "before";
  HeadWriter writer(out);
  writer.status(404).field("content-length", 18446744073709551615u).field("x", "a\tb");
  ASSERT_TRUE(writer.finish());
  EXPECT_EQ(
      out,
      "beforeHTTP/1.1 404 Not Found\r\ncontent-length: 18446744073709551615\r\nx: a\tb\r\n\r\n");
}

TEST(HeadWriterTest, WritesWhatTheParserReads) {
  std::string out;
  HeadWriter writer(out);
  writer.request("POST", "/a?b").field("host", "a").field("content-length", 0u);
  ASSERT_TRUE(writer.finish());
  RequestParser parser;
  ASSERT_EQ(parser.parse(out), HeadStatus::kComplete);
  EXPECT_EQ(parser.head().target, "/a?b");
  EXPECT_EQ(parser.consumed(), out.size());
}

TEST(HeadWriterTest, RefusesWhatWouldInjectALine) {
  for (const auto& value : {"a\r\nX: y"s, "a\nb"s, "a\rb"s, "a\0b"s, "\x7f"s}) {
    std::string out = "before";
    HeadWriter writer(out);
    writer.status(200).field("x-name", value);
    const auto result = writer.finish();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().detail(), "malformed value of the field x-name");
    EXPECT_EQ(out, "before");
  }
}

TEST(HeadWriterTest, RefusesMalformedNamesMethodsTargetsAndStatuses) {
  const auto refuses = [](auto write) {
    std::string out;
    HeadWriter writer(out);
    write(writer);
    return !writer.finish() && out.empty();
  };
  for (const std::string name : {"", "a b", "a:", "a\r\nb", "\xff"}) {
    EXPECT_TRUE(refuses([&](HeadWriter& w) { w.status(200).field(name, "x"); })) << name;
    EXPECT_TRUE(refuses([&](HeadWriter& w) { w.request(name, "/"); })) << name;
  }
  for (const std::string target : {"", "/a b", "/\r\n", "/\x7f", "/\xff"}) {
    EXPECT_TRUE(refuses([&](HeadWriter& w) { w.request("GET", target); })) << target;
  }
  EXPECT_TRUE(refuses([](HeadWriter& w) { w.status(99); }));
  EXPECT_TRUE(refuses([](HeadWriter& w) { w.status(600); }));
}

TEST(HeadWriterTest, LeavesTheReasonOfUnknownStatusesEmpty) {
  std::string out;
  HeadWriter writer(out);
  ASSERT_TRUE(writer.status(299).finish());
  EXPECT_EQ(out, "HTTP/1.1 299 \r\n\r\n");
}

}  // namespace
}  // namespace conciergus::codec

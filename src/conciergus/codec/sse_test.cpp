#include "conciergus/codec/sse.hpp"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace conciergus::codec {
namespace {

using namespace std::string_literals;
using testing::ElementsAre;

struct Seen {
  std::string event;
  std::string data;
  std::string id;
  bool operator==(const Seen&) const = default;
};

void PrintTo(const Seen& seen, std::ostream* out) {
  *out << seen.event << "|" << seen.data << "|" << seen.id;
}

/// What a browser would dispatch when `text` arrives in pieces of `piece` bytes. Checks that no
/// byte of the stream is lost or changed.
std::vector<Seen> read_stream(std::string_view text, std::size_t piece) {
  SseParser parser;
  std::vector<Seen> seen;
  std::string raw;
  const auto drain = [&] {
    for (;;) {
      const auto event = parser.next();
      if (!event || !*event) return;
      raw += (*event)->raw;
      if ((*event)->has_data) {
        seen.push_back(
            {std::string((*event)->event), std::string((*event)->data), std::string((*event)->id)});
      }
    }
  };
  for (std::size_t at = 0; at < text.size(); at += piece) {
    parser.push(text.substr(at, piece));
    drain();
  }
  parser.finish();
  drain();
  EXPECT_EQ(raw + std::string(parser.pending()), text);
  return seen;
}

/// The same in one piece and in pieces of every size.
std::vector<Seen> read_stream(std::string_view text) {
  const auto whole = read_stream(text, text.size() + 1);
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    EXPECT_EQ(read_stream(text, piece), whole) << piece;
  }
  return whole;
}

TEST(SseParserTest, ReadsTheExamplesOfTheStandard) {
  EXPECT_THAT(read_stream("data: YHOO\ndata: +2\ndata: 10\n\n"),
              ElementsAre(Seen{"message", "YHOO\n+2\n10", ""}));
  EXPECT_THAT(read_stream(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\n"
                          "data:  third event\n\n"),
              ElementsAre(Seen{"message", "first event", "1"},
                          Seen{"message", "second event", ""},
                          Seen{"message", " third event", ""}));
  EXPECT_THAT(read_stream("data\n\ndata\ndata\n\ndata:"),
              ElementsAre(Seen{"message", "", ""}, Seen{"message", "\n", ""}));
  EXPECT_THAT(read_stream("data:test\n\ndata: test\n\n"),
              ElementsAre(Seen{"message", "test", ""}, Seen{"message", "test", ""}));
}

TEST(SseParserTest, AcceptsEveryKindOfLineEnd) {
  for (const std::string end : {"\n", "\r\n", "\r"}) {
    EXPECT_THAT(read_stream("event: a" + end + "data: 1" + end + "data: 2" + end + end + "data: 3" +
                            end + end),
                ElementsAre(Seen{"a", "1\n2", ""}, Seen{"message", "3", ""}));
  }
  EXPECT_THAT(
      read_stream("data: 1\r\n\rdata: 2\n\r\ndata: 3\r\r\n"),
      ElementsAre(Seen{"message", "1", ""}, Seen{"message", "2", ""}, Seen{"message", "3", ""}));
}

TEST(SseParserTest, DoesNotHoldBackTheEventOfACarriageReturnStream) {
  SseParser parser;
  parser.push("data: 1\r\r");
  const auto event = parser.next();
  ASSERT_TRUE(event && *event);
  EXPECT_EQ((*event)->data, "1");
}

TEST(SseParserTest, SkipsOneByteOrderMark) {
  EXPECT_THAT(read_stream("\xef\xbb\xbf"
                          "data: 1\n\n"),
              ElementsAre(Seen{"message", "1", ""}));
  EXPECT_THAT(read_stream("\xef\xbb\xbf\xef\xbb\xbf"
                          "data: 1\n\n"),
              ElementsAre());
  EXPECT_THAT(read_stream("\xef\xbb"), ElementsAre());
}

TEST(SseParserTest, KeepsTheLastIdOverEvents) {
  EXPECT_THAT(read_stream("id: 7\ndata: a\n\ndata: b\n\nid: x\0y\ndata: c\n\nid:\ndata: d\n\n"s),
              ElementsAre(Seen{"message", "a", "7"},
                          Seen{"message", "b", "7"},
                          Seen{"message", "c", "7"},
                          Seen{"message", "d", ""}));
}

TEST(SseParserTest, IgnoresUnknownFieldsAndBlocksWithoutData) {
  EXPECT_THAT(read_stream("foo: bar\nDATA: x\n data: y\n\nevent: a\n\n\n\n: ping\n\ndata: z\n\n"),
              ElementsAre(Seen{"message", "z", ""}));
}

TEST(SseParserTest, ReadsRetry) {
  const auto retry_of = [](std::string text) {
    SseParser parser;
    parser.push(text + "\n\n");
    return (*parser.next())->retry;
  };
  EXPECT_EQ(retry_of("retry: 3000"), std::chrono::milliseconds(3000));
  EXPECT_EQ(retry_of("retry: -1"), std::nullopt);
  EXPECT_EQ(retry_of("retry: 99999999999999999999"), std::nullopt);
  EXPECT_EQ(retry_of("retry"), std::nullopt);
}

TEST(SseParserTest, DropsAnEventThatWasCut) {
  EXPECT_THAT(read_stream("data: 1\n\ndata: 2\n"), ElementsAre(Seen{"message", "1", ""}));
  SseParser parser;
  parser.push("data: 2\n");
  EXPECT_FALSE(*parser.next());
  EXPECT_EQ(parser.pending(), "data: 2\n");
}

TEST(SseParserTest, BoundsTheSizeOfAnEvent) {
  SseParser parser(16);
  parser.push("data: 12345678\n\ndata: 123456789\n\n");
  ASSERT_TRUE(*parser.next());
  EXPECT_EQ(parser.next().error().code(), ErrorCode::kTooLarge);
  EXPECT_EQ(parser.next().error().code(), ErrorCode::kTooLarge);
  SseParser unfinished(16);
  unfinished.push("data: 12345678901");
  EXPECT_EQ(unfinished.next().error().code(), ErrorCode::kTooLarge);
}

TEST(SseEncoderTest, IsReadBackByTheParser) {
  for (const std::string data : {"", "a", "a\nb", "a\n", "\n", "\n\n", " a", ": a"}) {
    std::string text;
    ASSERT_TRUE(append_sse_event(text, data, "delta", "7"));
    EXPECT_THAT(read_stream(text), ElementsAre(Seen{"delta", data, "7"}));
  }
}

TEST(SseEncoderTest, NeverSendsARawCarriageReturn) {
  std::string text;
  ASSERT_TRUE(append_sse_event(text, "a\r\nb\rc"));
  EXPECT_EQ(text, "data: a\ndata: b\ndata: c\n\n");
}

TEST(SseEncoderTest, RefusesNamesAndIdsThatWouldInjectALine) {
  std::string text;
  EXPECT_FALSE(append_sse_event(text, "a", "b\ndata: c"));
  EXPECT_FALSE(append_sse_event(text, "a", "b", "c\rd"));
  EXPECT_FALSE(append_sse_event(text, "a", "b", "c\0d"s));
  EXPECT_EQ(text, "");
}

TEST(SseEncoderTest, WritesComments) {
  std::string text;
  append_sse_comment(text, "a\ndata: b");
  EXPECT_EQ(text, ": a\n: data: b\n\n");
  EXPECT_THAT(read_stream(text + std::string(kSseHeartbeat)), ElementsAre());
}

}  // namespace
}  // namespace conciergus::codec

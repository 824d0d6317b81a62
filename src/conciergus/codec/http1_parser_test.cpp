#include "conciergus/codec/http1_parser.hpp"

#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace conciergus::codec {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

MATCHER_P2(IsField, name, value, "") {
  return arg.name == name && arg.value == value;
}

/// Parses a copy that ends where its memory ends, so that AddressSanitizer sees every byte too far.
HeadStatus parse_exact(RequestParser& parser, std::string_view text, std::vector<char>& memory) {
  memory.assign(text.begin(), text.end());
  memory.shrink_to_fit();
  return parser.parse({memory.data(), memory.size()});
}

/// The status that refuses `text`; 0 if it is a request, 1 if more is needed.
unsigned refusal_of(std::string_view text) {
  RequestParser parser;
  std::vector<char> memory;
  switch (parse_exact(parser, text, memory)) {
    case HeadStatus::kComplete:
      return 0;
    case HeadStatus::kNeedMore:
      return 1;
    case HeadStatus::kError:
      break;
  }
  return parser.error().status;
}

unsigned refusal_of_fields(std::string_view lines) {
  return refusal_of("POST / HTTP/1.1\r\nHost: a\r\n" + std::string(lines) + "\r\n");
}

unsigned refusal_of_line(std::string_view line) {
  return refusal_of(std::string(line) + "\r\nHost: a\r\n\r\n");
}

TEST(RequestParserTest, ReadsAnOrdinaryRequest) {
  RequestParser parser;
  const std::string text =
      "POST /v1/chat?x=1 HTTP/1.1\r\n"
      "Host: example.org:8443\r\n"
      "Content-Type:application/json \t\r\n"
      "content-LENGTH: \t 12\r\n"
      "X-Empty:\r\n"
      "\r\n"
      "hello, world";
  ASSERT_EQ(parser.parse(text), HeadStatus::kComplete);
  const RequestHead& head = parser.head();
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.target, "/v1/chat?x=1");
  EXPECT_EQ(head.host, "example.org:8443");
  EXPECT_EQ(head.minor_version, 1u);
  EXPECT_EQ(head.content_length, 12u);
  EXPECT_TRUE(head.has_body());
  EXPECT_FALSE(head.chunked);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_FALSE(head.expect_continue);
  EXPECT_THAT(head.fields,
              ElementsAre(IsField("Host", "example.org:8443"),
                          IsField("Content-Type", "application/json"),
                          IsField("content-LENGTH", "12"),
                          IsField("X-Empty", "")));
  EXPECT_EQ(text.substr(parser.consumed()), "hello, world");
  EXPECT_EQ(find_field(head.fields, "content-type")->value, "application/json");
  EXPECT_EQ(find_field(head.fields, "cookie"), nullptr);
}

TEST(RequestParserTest, ReadsTheSameFromAnyTwoPieces) {
  const std::string text = "\r\nGET /a HTTP/1.1\r\nHost: a\r\nCookie: b=c\r\nTE: trailers\r\n\r\n";
  for (std::size_t cut = 0; cut < text.size(); ++cut) {
    RequestParser parser;
    std::vector<char> memory;
    ASSERT_EQ(parse_exact(parser, text.substr(0, cut), memory), HeadStatus::kNeedMore) << cut;
    ASSERT_EQ(parse_exact(parser, text, memory), HeadStatus::kComplete) << cut;
    EXPECT_EQ(parser.head().target, "/a");
    EXPECT_EQ(parser.head().fields.size(), 3u);
    EXPECT_EQ(parser.consumed(), text.size());
  }
}

TEST(RequestParserTest, ReadsPipelinedRequestsOneAfterTheOther) {
  const std::string text = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.0\r\n\r\n";
  RequestParser parser;
  ASSERT_EQ(parser.parse(text), HeadStatus::kComplete);
  EXPECT_EQ(parser.head().target, "/1");
  const auto rest = std::string_view(text).substr(parser.consumed());
  parser.reset();
  ASSERT_EQ(parser.parse(rest), HeadStatus::kComplete);
  EXPECT_EQ(parser.head().target, "/2");
  EXPECT_THAT(parser.head().fields, testing::IsEmpty());
  EXPECT_FALSE(parser.head().keep_alive);
  EXPECT_EQ(parser.consumed(), rest.size());
}

TEST(RequestParserTest, KnowsWhetherTheConnectionStaysOpen) {
  const auto keeps = [](std::string_view text) {
    RequestParser parser;
    EXPECT_EQ(parser.parse(text), HeadStatus::kComplete);
    return parser.head().keep_alive;
  };
  EXPECT_TRUE(keeps("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.1\r\nHost: a\r\nConnection: te, Close\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_TRUE(keeps("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.0\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n"));
}

TEST(RequestParserTest, SeesUpgradeOnlyWhenConnectionNamesIt) {
  const auto upgrades = [](std::string_view start, std::string_view fields) {
    RequestParser parser;
    const std::string text = std::string(start) + "\r\nHost: a\r\n" + std::string(fields) + "\r\n";
    EXPECT_EQ(parser.parse(text), HeadStatus::kComplete);
    return parser.head().has_upgrade;
  };
  EXPECT_TRUE(upgrades("GET / HTTP/1.1", "Upgrade: websocket\r\nConnection: x, Upgrade\r\n"));
  EXPECT_FALSE(upgrades("GET / HTTP/1.1", "Upgrade: websocket\r\n"));
  EXPECT_FALSE(upgrades("GET / HTTP/1.0", "Upgrade: websocket\r\nConnection: upgrade\r\n"));
}

TEST(RequestParserTest, SeesExpectations) {
  RequestParser parser;
  ASSERT_EQ(parser.parse("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n\r\n"),
            HeadStatus::kComplete);
  EXPECT_TRUE(parser.head().expect_continue);
  EXPECT_EQ(refusal_of_fields("Expect: 200-ok\r\n"), 417u);
  parser.reset();
  ASSERT_EQ(parser.parse("PUT / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n"), HeadStatus::kComplete);
  EXPECT_FALSE(parser.head().expect_continue);
}

TEST(RequestParserTest, RefusesContentLengthTogetherWithTransferEncoding) {
  EXPECT_EQ(refusal_of_fields("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400u);
  EXPECT_EQ(refusal_of_fields("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n"), 400u);
}

TEST(RequestParserTest, RefusesEveryContentLengthThatIsNotOneNumber) {
  for (const std::string value : {"5, 5",
                                  "+34",
                                  "-1",
                                  "1 2",
                                  "0x10",
                                  "1_0",
                                  "+1_0",
                                  "",
                                  "9223372036854775808",
                                  "18446744073709551616",
                                  "99999999999999999999999",
                                  "5;",
                                  "\"5\"",
                                  "5.0",
                                  "\xb2"}) {
    EXPECT_EQ(refusal_of_fields("Content-Length: " + value + "\r\n"), 400u) << value;
  }
  EXPECT_EQ(refusal_of_fields("Content-Length: 5\r\nContent-Length: 5\r\n"), 400u);
  EXPECT_EQ(refusal_of_fields("Content-Length: 5\r\nContent-Length: 6\r\n"), 400u);
  EXPECT_EQ(refusal_of_fields("Content_Length: 5\r\n"), 400u);
  EXPECT_EQ(refusal_of_fields("Content-Length: 9223372036854775807\r\n"), 0u);
}

TEST(RequestParserTest, RefusesEveryTransferEncodingButChunked) {
  EXPECT_EQ(refusal_of_fields("Transfer-Encoding: gzip\r\n"), 501u);
  EXPECT_EQ(refusal_of_fields("Transfer-Encoding: gzip, chunked\r\n"), 501u);
  EXPECT_EQ(refusal_of_fields("Transfer-Encoding: identity\r\n"), 501u);
  EXPECT_EQ(refusal_of_fields("Transfer-Encoding: chunked, gzip\r\n"), 400u);
  EXPECT_EQ(refusal_of_fields("Transfer-Encoding: chunked, chunked\r\n"), 400u);
  EXPECT_EQ(refusal_of_fields("Transfer-Encoding: chunked;q=1\r\n"), 400u);
  EXPECT_EQ(refusal_of_fields("Transfer-Encoding:\r\n"), 400u);
  EXPECT_EQ(refusal_of_fields("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
            400u);
}

TEST(RequestParserTest, RefusesTransferEncodingInHttp10) {  // CVE-2026-2835
  const std::string start = "POST / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n";
  EXPECT_EQ(refusal_of(start + "Transfer-Encoding: chunked\r\n\r\n"), 400u);
  EXPECT_EQ(refusal_of(start + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"), 400u);
  EXPECT_EQ(refusal_of(start + "Content-Length: 3\r\n\r\n"), 0u);
}

TEST(RequestParserTest, RefusesWhiteSpaceAroundNamesAndFoldedLines) {
  EXPECT_EQ(refusal_of_fields("Content-Length : 34\r\n"), 400u);
  EXPECT_EQ(refusal_of_fields("Content-Length\t: 34\r\n"), 400u);
  EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\n Host: a\r\nHost: a\r\n\r\n"), 400u);
  EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\n\tHost: a\r\nHost: a\r\n\r\n"), 400u);
  EXPECT_EQ(refusal_of_fields("X: a\r\n b\r\n"), 400u);
  EXPECT_EQ(refusal_of_fields("X: a\r\n\tb\r\n"), 400u);
}

TEST(RequestParserTest, RefusesControlBytesInNamesAndValues) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string c(1, static_cast<char>(byte));
    const bool is_control = (byte < 0x20 && byte != '\t') || byte == 0x7f;
    for (const std::string padding : {"", "sixteen bytes and more of padding"}) {
      EXPECT_EQ(refusal_of_fields("X: a" + padding + c + "b\r\n"), is_control ? 400u : 0u) << byte;
    }
    EXPECT_EQ(refusal_of_fields("a" + c + "b: x\r\n"),
              grammar::is_token_char(c[0]) || c == ":" ? 0u : 400u)
        << byte;
  }
}

TEST(RequestParserTest, RefusesBareLineEnds) {
  EXPECT_EQ(refusal_of("GET / HTTP/1.1\nHost: a\r\n\r\n"), 400u);
  EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\nHost: a\n\r\n"), 400u);
  EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\nHost: a\r\n\n"), 400u);
  EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n"), 400u);
  EXPECT_EQ(refusal_of("GET / HTTP/1.1\rHost: a\r\n\r\n"), 400u);
  EXPECT_EQ(refusal_of("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), 400u);
}

TEST(RequestParserTest, RefusesEmptyNames) {
  EXPECT_EQ(refusal_of_fields(": a\r\n"), 400u);
  EXPECT_EQ(refusal_of_fields("nocolon\r\n"), 400u);
  EXPECT_EQ(refusal_of_fields("a(b): c\r\n"), 400u);
}

TEST(RequestParserTest, DemandsExactlyOneProperHost) {
  EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\n\r\n"), 400u);
  EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), 400u);
  EXPECT_EQ(refusal_of("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"), 400u);
  EXPECT_EQ(refusal_of("GET / HTTP/1.0\r\n\r\n"), 0u);
  for (const std::string host :
       {"a/b",      "user@a", "a b",      "",    "a:",       "a:b",   "a:99999",
        "a:123456", "a:1:2",  "[::1",     "[]",  "[::1]x",   "a?b",   "a#b",
        "a\\b",     "a,b c",  "http://a", ":80", "\xc3\xa4", "[::g]", "a%2fb"}) {
    EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n"), 400u) << host;
  }
  for (const std::string host :
       {"a", "A.example:80", "[::1]:8080", "[fe80::1]", "127.0.0.1:65535"}) {
    EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n"), 0u) << host;
  }
}

TEST(RequestParserTest, RefusesAnAbsoluteTargetThatDisagreesWithHost) {
  EXPECT_EQ(refusal_of_line("GET http://A/x HTTP/1.1"), 0u);
  EXPECT_EQ(refusal_of_line("GET https://a?x HTTP/1.1"), 0u);
  for (const auto* target : {"http://b/x",
                             "http://a:80/x",
                             "http://a@b/",
                             "http:///x",
                             "http://",
                             "ftp://a/",
                             "a",
                             "//x y"}) {
    EXPECT_EQ(refusal_of_line(std::string("GET ") + target + " HTTP/1.1"), 400u) << target;
  }
  RequestParser parser;
  ASSERT_EQ(parser.parse("GET http://a:81/x HTTP/1.0\r\n\r\n"), HeadStatus::kComplete);
  EXPECT_EQ(parser.head().host, "a:81");
}

TEST(RequestParserTest, KeepsAsteriskAndAuthorityToTheirMethods) {
  EXPECT_EQ(refusal_of_line("OPTIONS * HTTP/1.1"), 0u);
  EXPECT_EQ(refusal_of_line("GET * HTTP/1.1"), 400u);
  EXPECT_EQ(refusal_of_line("CONNECT a:443 HTTP/1.1"), 0u);
  EXPECT_EQ(refusal_of_line("CONNECT /a HTTP/1.1"), 400u);
}

TEST(RequestParserTest, RefusesMalformedRequestLines) {
  for (const auto* line : {"GET  / HTTP/1.1",
                           "GET /  HTTP/1.1",
                           "GET / HTTP/1.1 ",
                           " GET / HTTP/1.1",
                           "GET\t/ HTTP/1.1",
                           "GET / http/1.1",
                           "GET / HTTP/1.1x",
                           "GET / HTTP/1",
                           "GET / HTTP/11",
                           "GET /",
                           "GET",
                           "GET /a b HTTP/1.1",
                           "GET /#a HTTP/1.1",
                           "G(T / HTTP/1.1",
                           "GET /\x80 HTTP/1.1",
                           "GET /\x01 HTTP/1.1",
                           "GET /\x7f HTTP/1.1",
                           "GET / HTTP/+1.1",
                           "GET / XTTP/1.1"}) {
    EXPECT_EQ(refusal_of_line(line), 400u) << line;
  }
  for (const auto* version : {"HTTP/0.9", "HTTP/1.2", "HTTP/2.0", "HTTP/3.0"}) {
    EXPECT_EQ(refusal_of_line(std::string("GET / ") + version), 505u) << version;
  }
  EXPECT_EQ(refusal_of("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505u);
}

TEST(RequestParserTest, RefusesTlsOnAPlainPortAtTheFirstByte) {
  EXPECT_EQ(refusal_of("\x16\x03\x01"), 400u);
}

TEST(RequestParserTest, ToleratesOneEmptyLineBeforeTheRequest) {
  const std::string text = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  EXPECT_EQ(refusal_of("\r\n" + text), 0u);
  EXPECT_EQ(refusal_of("\r\n\r\n" + text), 400u);
  EXPECT_EQ(refusal_of("\r\r\n" + text), 400u);
}

TEST(RequestParserTest, RefusesWhatExceedsItsLimits) {
  const std::string end = " HTTP/1.1\r\nHost: a\r\n\r\n";
  EXPECT_EQ(refusal_of("GET /" + std::string(8191, 'x') + end), 0u);
  EXPECT_EQ(refusal_of("GET /" + std::string(8192, 'x') + end), 414u);
  EXPECT_EQ(refusal_of("GET /" + std::string(20000, 'x')), 414u);
  EXPECT_EQ(refusal_of_fields("X: " + std::string(16 * 1024 - 5, 'x') + "\r\n"), 0u);
  EXPECT_EQ(refusal_of_fields("X: " + std::string(16 * 1024 - 4, 'x') + "\r\n"), 431u);
  EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\nX: " + std::string(17000, 'x')), 431u);
  std::string lines;
  for (int i = 0; i < 99; ++i) lines += "X: y\r\n";
  EXPECT_EQ(refusal_of_fields(lines), 0u);
  EXPECT_EQ(refusal_of_fields(lines + "X: y\r\n"), 431u);
  const std::string line = "X: " + std::string(10000, 'x') + "\r\n";
  EXPECT_EQ(refusal_of_fields(line + line + line), 0u);
  EXPECT_EQ(refusal_of_fields(line + line + line + line), 431u);
  // The refusal does not wait for the end.
  EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\n" + line + line + line + std::string(4000, 'x')), 431u);
}

TEST(RequestParserTest, SaysWhatIsWrongAndWhere) {
  RequestParser parser;
  ASSERT_EQ(parser.parse("GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n"), HeadStatus::kError);
  EXPECT_EQ(parser.error().offset, 26u);
  EXPECT_EQ(parser.error().detail(), "white space in or after a field name at byte 26");
  EXPECT_EQ(parser.error().to_error().code(), ErrorCode::kInvalidRequest);
}

// ---- responses

struct Parsed {
  HeadStatus status;
  BodyKind body = BodyKind::kNone;
  bool keep_alive = false;
};

Parsed parse_response(std::string_view text, std::string_view method = "GET") {
  ResponseParser parser;
  const auto memory = std::make_unique<char[]>(text.size());  // exact, for AddressSanitizer
  std::copy(text.begin(), text.end(), memory.get());
  const HeadStatus status = parser.parse({memory.get(), text.size()}, method);
  if (status == HeadStatus::kError) EXPECT_EQ(parser.error().status, 502u);
  return {status, parser.head().body, parser.head().keep_alive};
}

TEST(ResponseParserTest, ReadsAnOrdinaryResponse) {
  ResponseParser parser;
  const std::string text = "HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\nDate: x\r\n\r\nabc";
  ASSERT_EQ(parser.parse(text, "GET"), HeadStatus::kComplete);
  EXPECT_EQ(parser.head().status, 404u);
  EXPECT_EQ(parser.head().reason, "Not Found");
  EXPECT_EQ(parser.head().body, BodyKind::kLength);
  EXPECT_EQ(parser.head().content_length, 3u);
  EXPECT_TRUE(parser.head().keep_alive);
  EXPECT_EQ(text.substr(parser.consumed()), "abc");
}

TEST(ResponseParserTest, FramesTheBodyByMethodAndStatus) {
  const std::string length = "\r\nContent-Length: 3\r\n\r\n";
  EXPECT_EQ(parse_response("HTTP/1.1 200 OK" + length).body, BodyKind::kLength);
  EXPECT_EQ(parse_response("HTTP/1.1 200 OK" + length, "HEAD").body, BodyKind::kNone);
  EXPECT_EQ(parse_response("HTTP/1.1 204 No Content" + length).body, BodyKind::kNone);
  EXPECT_EQ(parse_response("HTTP/1.1 304 Not Modified" + length).body, BodyKind::kNone);
  EXPECT_EQ(parse_response("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n").body, BodyKind::kNone);
  EXPECT_EQ(parse_response("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").body, BodyKind::kNone);
  EXPECT_EQ(parse_response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").body,
            BodyKind::kChunked);
  EXPECT_EQ(parse_response("HTTP/1.1 200 OK\r\n\r\n", "CONNECT").body, BodyKind::kNone);
  const Parsed until_close = parse_response("HTTP/1.1 200 OK\r\n\r\n");
  EXPECT_EQ(until_close.body, BodyKind::kUntilClose);
  EXPECT_FALSE(until_close.keep_alive);
}

TEST(ResponseParserTest, TellsInterimResponsesFromFinalOnes) {
  ResponseParser parser;
  const std::string text =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  ASSERT_EQ(parser.parse(text, "POST"), HeadStatus::kComplete);
  EXPECT_TRUE(parser.head().is_interim());
  const auto rest = std::string_view(text).substr(parser.consumed());
  parser.reset();
  ASSERT_EQ(parser.parse(rest, "POST"), HeadStatus::kComplete);
  EXPECT_FALSE(parser.head().is_interim());
  EXPECT_EQ(parser.head().status, 200u);
}

TEST(ResponseParserTest, ToleratesAMissingReason) {
  EXPECT_EQ(parse_response("HTTP/1.1 200\r\n\r\n").status, HeadStatus::kComplete);
  EXPECT_EQ(parse_response("HTTP/1.1 200 \r\n\r\n").status, HeadStatus::kComplete);
}

TEST(ResponseParserTest, RefusesBadStatusLines) {
  for (const std::string line : {"HTTP/1.1 20 OK",
                                 "HTTP/1.1  200 OK",
                                 "HTTP/1.1 2000 OK",
                                 "HTTP/1.1 600 x",
                                 "HTTP/1.1 099 x",
                                 "HTTP/2.0 200 OK",
                                 "HTTP/1.1",
                                 "HTTP/1.1 ",
                                 "ICY 200 OK",
                                 "HTTP/1.1\t200 OK",
                                 "HTTP/1.1 +20 x",
                                 "HTTP/1.1 200\tOK",
                                 "HTTP/1.1 200 O\x01K",
                                 "HTTP/1.1 200 O\rK",
                                 "\r\nHTTP/1.1 200 OK",
                                 "H"}) {
    EXPECT_EQ(parse_response(line + "\r\n\r\n").status, HeadStatus::kError) << line;
  }
}

TEST(ResponseParserTest, RefusesDoubleFraming) {
  for (const std::string fields : {"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
                                   "Content-Length: 3\r\nContent-Length: 3\r\n",
                                   "Content-Length: 3, 3\r\n",
                                   "Transfer-Encoding: gzip, chunked\r\n",
                                   "Transfer-Encoding: x\r\n",
                                   "Content-Length: x\r\n",
                                   "X : y\r\n",
                                   "X: y\r\n z\r\n",
                                   "X: y\nZ: z\r\n"}) {
    EXPECT_EQ(parse_response("HTTP/1.1 200 OK\r\n" + fields + "\r\n").status, HeadStatus::kError)
        << fields;
  }
  EXPECT_EQ(parse_response("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").status,
            HeadStatus::kError);
}

}  // namespace
}  // namespace conciergus::codec

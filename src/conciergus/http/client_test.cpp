#include "conciergus/http/client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/client_fixture.hpp"
#include "support/test_handler.hpp"

namespace conciergus::http {
namespace {
using testing::HasSubstr;
using Phase = CallReport::Phase;

TEST_F(ClientTest, SendsAWellFormedRequestAndReadsTheAnswer) {
  std::string seen;
  const FakeUpstream upstream([&](FakeConnection& connection) {
    seen = connection.read_request();
    connection.send("HTTP/1.1 201 Created\r\nX-A: b\r\nContent-Length: 2\r\n\r\nok");
  });
  shard_.run([&]() -> Task<void> {
    ClientRequest request{.method = "POST", .target = "/a?b=c", .headers = {{"x-one", "1"}}};
    request.body = "payload";
    const auto response = co_await send(upstream, std::move(request));
    CONCIERGUS_CO_ASSERT(response.has_value());
    EXPECT_EQ(response->status, 201u);
    EXPECT_EQ(response->headers.get("x-a"), "b");
    EXPECT_EQ(response->body.text(), "ok");
    EXPECT_EQ(report_.phase, Phase::kDone);
    EXPECT_GE(report_.connect_ms, 0);
    EXPECT_GE(report_.head_ms, 0);
  });
  EXPECT_EQ(seen,
            "POST /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(upstream.port()) +
                "\r\nx-one: 1\r\nContent-Length: 7\r\n\r\npayload");
}

TEST_F(ClientTest, NeverSendsFramingFieldsOfTheCaller) {
  std::string seen;
  const FakeUpstream upstream([&](FakeConnection& connection) {
    seen = connection.read_head();
    connection.send(kHello);
  });
  shard_.run([&]() -> Task<void> {
    ClientRequest request{.headers = {{"Transfer-Encoding", "chunked"},
                                      {"content-length", "7"},
                                      {"connection", "close"},
                                      {"HOST", "evil"}}};
    request.host = "app.example";
    EXPECT_TRUE((co_await fetch(upstream, std::move(request))).has_value());
  });
  EXPECT_EQ(seen, "GET / HTTP/1.1\r\nHost: app.example\r\n\r\n");
}

TEST_F(ClientTest, RefusesToSendAFieldThatWouldSmuggleInALine) {
  ClientRequest request{.headers = {{"x", "a\r\nEvil: 1"}}};
  EXPECT_EQ(code_of(FakeUpstream::answer(std::string(kHello)), std::move(request)),
            ErrorCode::kInternal);
}

TEST_F(ClientTest, ReusesAConnectionAfterACleanEnd) {
  const FakeUpstream upstream(
      FakeUpstream::answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: "
                           "chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nT: v\r\n\r\n"));
  shard_.run([&]() -> Task<void> {
    for (int i = 0; i < 3; ++i) {
      auto response = co_await send(upstream);
      CONCIERGUS_CO_ASSERT(response.has_value());
      EXPECT_EQ(report_.phase, Phase::kBody);
      EXPECT_EQ(report_.reused, i > 0);
      const auto text = co_await rest_of(*response);
      EXPECT_EQ(text.value(), "abcde");
      EXPECT_EQ(response->body.stream()->trailers()->get("t"), "v");
    }
  });
  EXPECT_EQ(upstream.connections(), 1);
  EXPECT_EQ(upstream.requests(), 3);
}

TEST_F(ClientTest, ReadsABodyThatEndsWithTheConnection) {
  const FakeUpstream upstream([](FakeConnection& connection) {
    connection.read_head();
    connection.send("HTTP/1.0 200 OK\r\n\r\n" + std::string(100'000, 'x'));
  });
  shard_.run([&]() -> Task<void> {
    const auto text = co_await fetch(upstream);
    CONCIERGUS_CO_ASSERT(text.has_value());
    EXPECT_EQ(text->size(), 100'000u);
  });
  EXPECT_EQ(open_connections(upstream), 0);
}

TEST_F(ClientTest, ReadsNoBodyAfterHeadAnd304And204) {
  const FakeUpstream upstream([](FakeConnection& connection) {
    connection.read_head();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n");
    connection.read_head();
    connection.send("HTTP/1.1 304 Not Modified\r\nContent-Length: 999\r\n\r\n");
    connection.read_head();
    connection.send("HTTP/1.1 204 No Content\r\n\r\n");
    connection.is_closed_by_client();
  });
  shard_.run([&]() -> Task<void> {
    const auto head = co_await send(upstream, {.method = "HEAD"});
    CONCIERGUS_CO_ASSERT(head.has_value());
    EXPECT_EQ(head->headers.get("content-length"), "999");
    for (const unsigned status : {304u, 204u}) {
      const auto response = co_await send(upstream);
      CONCIERGUS_CO_ASSERT(response.has_value());
      EXPECT_EQ(response->status, status);
      EXPECT_EQ(response->body.text(), "");
      EXPECT_TRUE(report_.reused);
    }
  });
}

TEST_F(ClientTest, StreamsARequestBodyInChunksWithItsTrailers) {
  std::string seen;
  const FakeUpstream upstream([&](FakeConnection& connection) {
    seen = connection.read_request();
    connection.send(kHello);
    connection.is_closed_by_client();
  });
  shard_.run([&]() -> Task<void> {
    auto body = std::make_unique<PiecewiseBody>(std::vector<std::string>{"abc", "defgh"});
    ClientRequest request{.method = "POST"};
    request.body = Body(std::move(body));
    EXPECT_EQ((co_await fetch(upstream, std::move(request))).value(), "hello");
  });
  EXPECT_THAT(seen,
              HasSubstr("Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n5\r\ndefgh\r\n0\r\n\r\n"));
}

TEST_F(ClientTest, StreamsARequestBodyOfKnownLengthWithoutChunks) {
  std::string seen;
  const FakeUpstream upstream([&](FakeConnection& connection) {
    seen = connection.read_request();
    connection.send(kHello);
  });
  const std::vector<std::string> pieces{std::string(20'000, 'a'), std::string(5, 'b')};
  shard_.run([&]() -> Task<void> {
    ClientRequest request{.method = "PUT"};
    request.body = Body(std::make_unique<PiecewiseBody>(pieces, 20'005));
    EXPECT_EQ((co_await fetch(upstream, std::move(request))).value(), "hello");
  });
  EXPECT_THAT(seen, HasSubstr("\r\nContent-Length: 20005\r\n\r\naaa"));
  EXPECT_TRUE(seen.ends_with("abbbbb"));
}

TEST_F(ClientTest, RefusesABodyThatIsNotAsLongAsItSaid) {
  for (const std::uint64_t said : {20'004u, 20'006u}) {
    ClientRequest request{.method = "PUT"};
    const std::vector<std::string> pieces{std::string(20'005, 'a')};
    request.body = Body(std::make_unique<PiecewiseBody>(pieces, said));
    const auto code = code_of([](FakeConnection& connection) { connection.is_closed_by_client(); },
                              std::move(request));
    EXPECT_EQ(code, ErrorCode::kInternal) << said;
  }
}

TEST_F(ClientTest, SendsALargeBodyWhileItReads) {
  const FakeUpstream upstream(FakeUpstream::answer(std::string(kHello)));
  shard_.run([&]() -> Task<void> {
    for (int i = 0; i < 2; ++i) {
      ClientRequest request{.method = "POST"};
      request.body = std::string(3'000'000, 'x');
      EXPECT_EQ((co_await fetch(upstream, std::move(request))).value(), "hello");
      EXPECT_EQ(report_.reused, i == 1);
    }
  });
}

TEST_F(ClientTest, SendsContentLengthZeroOnlyWhereABodyIsUsual) {
  std::string post;
  std::string get;
  const FakeUpstream upstream([&](FakeConnection& connection) {
    post = connection.read_head();
    connection.send(kHello);
    get = connection.read_head();
    connection.send(kHello);
  });
  shard_.run([&]() -> Task<void> {
    EXPECT_TRUE((co_await fetch(upstream, {.method = "POST"})).has_value());
    EXPECT_TRUE((co_await fetch(upstream)).has_value());
  });
  EXPECT_THAT(post, HasSubstr("\r\nContent-Length: 0\r\n"));
  EXPECT_THAT(get, testing::Not(HasSubstr("Content-Length")));
}

class Hints final : public InterimSink {
 public:
  Task<Result<void>> send(unsigned status, const Headers& headers) override {
    seen += std::to_string(status) + " " + std::string(headers.get("link")) + ";";
    co_return Result<void>{};
  }
  std::string seen;
};

TEST_F(ClientTest, PassesInterimResponsesOnButContinue) {
  const FakeUpstream upstream([](FakeConnection& connection) {
    connection.read_head();
    connection.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    connection.send("HTTP/1.1 102 Processing\r\n\r\n");
    connection.send(kHello);
  });
  Hints hints;
  interim_ = &hints;
  shard_.run([&]() -> Task<void> {
    const auto response = co_await send(upstream);
    CONCIERGUS_CO_ASSERT(response.has_value());
    EXPECT_EQ(response->status, 200u);
    EXPECT_FALSE(response->headers.contains("link"));
  });
  EXPECT_EQ(hints.seen, "103 </a>;102 ;");
}

TEST_F(ClientTest, WaitsForContinueBeforeItSendsAnExpectedBody) {
  std::string before;
  const FakeUpstream upstream([&](FakeConnection& connection) {
    connection.read_head();
    connection.send("HTTP/1.1 100 Continue\r\n\r\n");
    connection.read_bytes(5);
    connection.send(kHello);
  });
  shard_.run([&]() -> Task<void> {
    ClientRequest request{.method = "POST", .headers = {{"expect", "100-continue"}}};
    request.body = Body(std::make_unique<PiecewiseBody>(std::vector<std::string>{"12345"}, 5));
    EXPECT_EQ((co_await fetch(upstream, std::move(request))).value(), "hello");
  });
}

TEST_F(ClientTest, HandsOverTheConnectionAfterSwitchingProtocols) {
  std::string seen;
  const FakeUpstream upstream([&](FakeConnection& connection) {
    seen = connection.read_head();
    connection.send(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: "
        "Upgrade\r\n\r\nearly");
    connection.send(connection.read_bytes(4));
  });
  shard_.run([&]() -> Task<void> {
    ClientRequest request;
    request.upgrade = "echo";
    auto response = co_await send(upstream, std::move(request));
    CONCIERGUS_CO_ASSERT(response.has_value());
    EXPECT_EQ(response->status, 101u);
    auto upgraded = take_upgraded(*response);
    CONCIERGUS_CO_ASSERT(upgraded.stream != nullptr);
    EXPECT_TRUE(std::string("early").starts_with(upgraded.early));
    const std::array<asio::const_buffer, 1> ping{asio::buffer("ping", 4)};
    EXPECT_TRUE((co_await upgraded.stream->write(ping)).has_value());
    std::string got = upgraded.early;
    std::array<char, 64> room;
    while (got.size() < 9) {
      const auto size = co_await upgraded.stream->read_some(room);
      CONCIERGUS_CO_ASSERT(size.has_value() && *size > 0);
      got.append(room.data(), *size);
    }
    EXPECT_EQ(got, "earlyping");
  });
  EXPECT_THAT(seen, HasSubstr("\r\nConnection: Upgrade\r\nUpgrade: echo\r\n"));
  EXPECT_EQ(open_connections(upstream), 0);
}

TEST(OriginTest, ParsesUrls) {
  const auto parsed = Origin::parse("HTTPS://API.Example.com:8443/base/");
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->first, (Origin{"https", "api.example.com", 8443}));
  EXPECT_EQ(parsed->second, "/base");
  EXPECT_EQ(parsed->first.authority(), "api.example.com:8443");
  const auto bare = Origin::parse("http://[::1]");
  ASSERT_TRUE(bare.has_value());
  EXPECT_EQ(bare->first, (Origin{"http", "::1", 80}));
  EXPECT_EQ(bare->second, "");
  EXPECT_EQ(bare->first.authority(), "[::1]");
  EXPECT_EQ(bare->first.to_string(), "http://[::1]:80");
}

TEST(OriginTest, RefusesWhatIsNoPlainHttpUrl) {
  for (const auto* url : {"",
                          "example.com",
                          "ftp://a",
                          "http://",
                          "http://a:0",
                          "http://a:99999",
                          "http://u:p@a",
                          "http://a?q",
                          "http://a/b#c",
                          "http://a b",
                          "http://a/ b",
                          "http://a:b",
                          "http:///x"}) {
    const auto parsed = Origin::parse(url);
    EXPECT_FALSE(parsed.has_value()) << url;
    if (!parsed) EXPECT_EQ(parsed.error().code(), ErrorCode::kConfig);
  }
}

}  // namespace
}  // namespace conciergus::http

#include "conciergus/http/proxy_handler.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/fake_upstream.hpp"
#include "support/run_coro.hpp"
#include "support/test_handler.hpp"
#include "support/test_shard.hpp"

namespace conciergus::http {
namespace {
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class ProxyHandlerTest : public testing::Test {
 protected:
  ProxyHandlerTest() : clients_(shard_.get(), {}), exchange_(shard_.get()) {}
  void TearDown() override {
    shard_.run([this]() -> Task<void> { co_await clients_.stop(shard_.get()); });
  }

  /// Passes the request on to an application that answers `answer`; what it got is in `seen_`.
  Result<Response> pass(std::string answer, ProxyConfig config = {}) {
    const FakeUpstream app([&](FakeConnection& connection) {
      seen_ = connection.read_request();
      connection.send(answer);
      connection.is_closed_by_client();
    });
    config.origin = {"http", "127.0.0.1", app.port()};
    app_ = config.origin.authority();
    const ProxyHandler handler(clients_, config);
    Result<Response> result = fail(ErrorCode::kInternal, "not run");
    shard_.run([&]() -> Task<void> {
      result = co_await handler.handle(exchange_.context, exchange_.request);
      if (result && result->body.is_stream()) {
        auto text = co_await read_all(*result->body.stream(), 1 << 20);
        result->body = Body(std::move(text).value_or("the body failed"));
      }
    });
    return result;
  }
  Response passed(std::string answer, ProxyConfig config = {}) {
    auto result = pass(std::move(answer), std::move(config));
    EXPECT_TRUE(result.has_value());
    return result ? *std::move(result) : Response();
  }

  static constexpr const char* kEmpty = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  TestShard shard_;
  ClientSet clients_;
  TestExchange exchange_;
  std::string seen_;
  std::string app_;
};

TEST_F(ProxyHandlerTest, PassesOnTheTargetAndHostAsTheyWereSent) {
  exchange_.request.target = "/a%20b?x=%2F&y";
  passed(kEmpty);
  EXPECT_THAT(seen_, HasSubstr("GET /a%20b?x=%2F&y HTTP/1.1\r\nHost: gateway.example\r\n"));
}

TEST_F(ProxyHandlerTest, PutsTheBasePathFirstAndUsesTheOriginsOwnHostIfAsked) {
  exchange_.request.target = "http://gateway.example/x?y";
  passed(kEmpty, {.origin = {}, .base_path = "/base", .preserve_host = false});
  EXPECT_THAT(seen_, HasSubstr("GET /base/x?y HTTP/1.1\r\nHost: " + app_ + "\r\n"));
}

TEST_F(ProxyHandlerTest, TellsTheApplicationWhoAskedAndBelievesNobodyElse) {
  auto& headers = exchange_.request.headers;
  headers.add("X-Forwarded-For", "9.9.9.9");
  headers.add("X-Forwarded-Proto", "https");
  headers.add("X-Forwarded-Host", "evil.example");
  headers.add("Forwarded", "for=9.9.9.9");
  headers.add("X-Real-IP", "9.9.9.9");
  headers.add("Via", "1.0 other");
  passed(kEmpty);
  EXPECT_THAT(
      seen_,
      AllOf(HasSubstr("\r\nforwarded: for=127.0.0.1;host=\"gateway.example\";proto=http\r\n"),
            HasSubstr("\r\nx-forwarded-for: 127.0.0.1\r\n"),
            HasSubstr("\r\nx-forwarded-proto: http\r\n"),
            HasSubstr("\r\nx-forwarded-host: gateway.example\r\n"),
            HasSubstr("1.0 other, 1.1 conciergus\r\n"),
            Not(HasSubstr("9.9.9.9"))));
}

TEST_F(ProxyHandlerTest, ExtendsWhatATrustedProxySays) {
  exchange_.context.client_address = "9.9.9.9";
  auto& headers = exchange_.request.headers;
  headers.add("X-Forwarded-For", "9.9.9.9");
  headers.add("X-Forwarded-Proto", "https");
  headers.add("X-Forwarded-Host", "www.example");
  passed(kEmpty);
  EXPECT_THAT(seen_,
              AllOf(HasSubstr("\r\nx-forwarded-for: 9.9.9.9, 127.0.0.1\r\n"),
                    HasSubstr("\r\nx-forwarded-proto: https\r\n"),
                    HasSubstr("\r\nx-forwarded-host: www.example\r\n")));
}

TEST_F(ProxyHandlerTest, QuotesIpv6AddressesInForwarded) {
  exchange_.peer.address = exchange_.context.client_address = "2001:db8::1";
  passed(kEmpty);
  EXPECT_THAT(seen_, HasSubstr("forwarded: for=\"[2001:db8::1]\";"));
}

TEST_F(ProxyHandlerTest, KeepsHopByHopFieldsToThemselvesInBothDirections) {
  auto& headers = exchange_.request.headers;
  headers.add("Connection", "keep-alive, X-Mine");
  headers.add("X-Mine", "1");
  headers.add("Keep-Alive", "timeout=5");
  headers.add("Proxy-Authorization", "Basic x");
  headers.add("Proxy", "http://evil.example");
  headers.add("TE", "gzip, trailers");
  headers.add("X-Conciergus-Scope", "someone-else");
  headers.add("X-Other", "kept");
  const auto response = passed(
      "HTTP/1.1 200 OK\r\nConnection: keep-alive, x-private\r\nX-Private: hop\r\nKeep-Alive: "
      "timeout=5\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_THAT(seen_,
              AllOf(HasSubstr("X-Other: kept\r\n"),
                    HasSubstr("te: trailers\r\n"),
                    HasSubstr("Connection: TE\r\n"),
                    Not(HasSubstr("X-Mine")),
                    Not(HasSubstr("Keep-Alive")),
                    Not(HasSubstr("Proxy")),
                    Not(HasSubstr("Scope"))));
  EXPECT_EQ(response.headers.find_all("set-cookie").size(), 2u);
  for (const auto* name : {"connection", "x-private", "keep-alive", "content-length"}) {
    EXPECT_FALSE(response.headers.contains(name)) << name;
  }
  EXPECT_EQ(response.headers.get("via"), "1.1 conciergus");
  EXPECT_EQ(response.body.text(), "ok");
}

TEST_F(ProxyHandlerTest, PassesOnTheTraceAndTheRequestId) {
  exchange_.context.trace_id.bytes.fill(0xab);
  exchange_.context.span_id.bytes.fill(0xcd);
  exchange_.context.is_sampled = true;
  exchange_.context.trace_state = "a=b";
  exchange_.context.request_id = "r-1";
  exchange_.request.headers.add("traceparent", "00-00000000000000000000000000000001-01-01");
  exchange_.request.headers.add("x-request-id", "not-this-one");
  passed(kEmpty);
  EXPECT_THAT(
      seen_,
      AllOf(HasSubstr("traceparent: 00-abababababababababababababababab-cdcdcdcdcdcdcdcd-01\r\n"),
            HasSubstr("tracestate: a=b\r\n"),
            HasSubstr("x-request-id: r-1\r\n"),
            Not(HasSubstr("not-this-one"))));
}

TEST_F(ProxyHandlerTest, StreamsRequestBodiesWithTheirTrailers) {
  PiecewiseBody body({"abc", "de"});
  body.add_trailer("x-sum", "5");
  body.add_trailer("content-length", "99");
  exchange_.request.method = "POST";
  exchange_.request.body = &body;
  passed(kEmpty);
  EXPECT_THAT(seen_, HasSubstr("\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nx-sum: 5\r\n\r\n"));
}

TEST_F(ProxyHandlerTest, MarksEventStreamsForOtherProxies) {
  const auto stream = passed(
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: "
      "no-store\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n0\r\n\r\n");
  EXPECT_EQ(stream.headers.get("cache-control"), "no-store, no-transform");
  EXPECT_EQ(stream.headers.get("x-accel-buffering"), "no");
  EXPECT_EQ(stream.body.text(), "data: 1\n\n");
}

TEST_F(ProxyHandlerTest, RefusesToBeAForwardProxy) {
  exchange_.request.method = "CONNECT";
  exchange_.request.target = "other.example:443";
  EXPECT_EQ(pass(kEmpty).error().code(), ErrorCode::kInvalidRequest);
}

TEST_F(ProxyHandlerTest, PassesTheFailureOfTheApplicationOn) {
  EXPECT_EQ(pass("SMTP ready\r\n\r\n").error().code(), ErrorCode::kProtocol);
}

}  // namespace
}  // namespace conciergus::http

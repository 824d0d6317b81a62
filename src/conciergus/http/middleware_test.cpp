#include <boost/system/system_error.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conciergus/http/access_log.hpp"
#include "conciergus/http/cors_middleware.hpp"
#include "conciergus/http/error_guard.hpp"
#include "conciergus/http/request_observer.hpp"
#include "conciergus/http/router.hpp"
#include "conciergus/http/trace_middleware.hpp"
#include "support/test_request.hpp"

namespace conciergus::http {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

Result<Response> fine() {
  return make_response(200, "text/plain", "fine");
}

class MiddlewareTest : public testing::Test {
 protected:
  /// `middleware` in front of a handler that does `body`.
  template <class M>
  std::unique_ptr<Chain> chain(std::unique_ptr<M> middleware,
                               std::function<Result<Response>()> body = fine) {
    std::vector<std::unique_ptr<Middleware>> middlewares;
    middlewares.push_back(std::move(middleware));
    return std::make_unique<Chain>(
        std::move(middlewares),
        std::make_shared<TestHandler>(
            [body = std::move(body)](RequestContext&, Request&) { return body(); }));
  }
  TestShard shard_;
};

using TraceMiddlewareTest = MiddlewareTest;

TEST_F(TraceMiddlewareTest, StartsATraceAndAnswersWithTheRequestsId) {
  TestRequest exchange(shard_);
  exchange.context.request_id = "r-1";
  const auto response = exchange.ask(*chain(std::make_unique<TraceMiddleware>()));
  EXPECT_EQ(response.headers.get("x-request-id"), "r-1");
  EXPECT_THAT(std::string(response.headers.get("server-timing")),
              MatchesRegex("total;dur=[0-9]+\\.[0-9]{3}"));
  EXPECT_TRUE(exchange.context.trace_id.is_valid());
  EXPECT_FALSE(response.headers.contains("traceparent"));
}

TEST_F(TraceMiddlewareTest, ContinuesTheCallersTraceWithASpanOfItsOwn) {
  constexpr std::string_view kTrace = "0af7651916cd43dd8448eb211c80319c";
  const auto sent = "00-" + std::string(kTrace) + "-b7ad6b7169203331-01";
  TestRequest exchange(shard_, "GET", "/", {{"traceparent", sent}, {"tracestate", "a=1"}});
  const auto response = exchange.ask(*chain(std::make_unique<TraceMiddleware>()));
  const std::string answered(response.headers.get("traceparent"));
  EXPECT_THAT(answered, HasSubstr(kTrace));
  EXPECT_NE(answered, sent);
  EXPECT_TRUE(exchange.context.is_sampled);
  EXPECT_EQ(exchange.context.trace_state, "a=1");
}

TEST_F(TraceMiddlewareTest, IgnoresABrokenTraceparentWithItsState) {
  TestRequest exchange(shard_, "GET", "/", {{"traceparent", "00-xyz"}, {"tracestate", "a=1"}});
  exchange.ask(*chain(std::make_unique<TraceMiddleware>()));
  EXPECT_TRUE(exchange.context.trace_id.is_valid());
  EXPECT_FALSE(exchange.context.parent_span.is_valid());
  EXPECT_EQ(exchange.context.trace_state, "");
}

TEST_F(TraceMiddlewareTest, TellsTheStagesWithTheirDescriptionsQuoted) {
  TestRequest exchange(shard_);
  exchange.context.timings = {{"cache", 0.4, "l1-hit"}, {"upstream", -1, "a\"b\nc"}};
  EXPECT_THAT(
      server_timing(exchange.context, exchange.context.started + std::chrono::microseconds(1'500)),
      "cache;desc=\"l1-hit\";dur=0.400, upstream;desc=\"a\\\"bc\", total;dur=1.500");
}

class ErrorGuardTest : public MiddlewareTest {
 protected:
  std::unique_ptr<ErrorGuard> guard(bool show_detail = false) {
    return std::make_unique<ErrorGuard>(shard_.metrics(), show_detail);
  }
};

TEST_F(ErrorGuardTest, TurnsErrorsIntoPagesByTheirCode) {
  TestRequest exchange(shard_);
  const auto response = exchange.ask(*chain(
      guard(), []() -> Result<Response> { return fail(ErrorCode::kTimeout, "secret host"); }));
  EXPECT_EQ(response.status, 504u);
  EXPECT_THAT(std::string(response.body.text()), Not(HasSubstr("secret host")));
  EXPECT_EQ(exchange.context.notes.error, "timeout");
}

TEST_F(ErrorGuardTest, TurnsExceptionsInto500AndCountsThem) {
  TestRequest exchange(shard_);
  const auto response =
      exchange.ask(*chain(guard(), []() -> Result<Response> { throw std::logic_error("a bug"); }));
  EXPECT_EQ(response.status, 500u);
  EXPECT_THAT(std::string(response.body.text()), Not(HasSubstr("a bug")));
  EXPECT_THAT(shard_.metrics().render(observe::Registry::Format::kPrometheus),
              HasSubstr("conciergus_http_internal_errors_total 1"));
}

TEST_F(ErrorGuardTest, ShowsDetailWhereThatIsAllowed) {
  TestRequest exchange(shard_);
  const auto response = exchange.ask(*chain(
      guard(true), []() -> Result<Response> { return fail(ErrorCode::kInternal, "the detail"); }));
  EXPECT_THAT(std::string(response.body.text()), HasSubstr("the detail"));
}

TEST_F(ErrorGuardTest, LetsACancelledRequestBeCancelled) {
  TestRequest exchange(shard_);
  const auto result = exchange.try_ask(
      *chain(guard(), []() -> Result<Response> { return fail(ErrorCode::kCancelled, ""); }));
  EXPECT_EQ(result.error().code(), ErrorCode::kCancelled);
  const auto cancelled = chain(guard(), []() -> Result<Response> {
    throw boost::system::system_error(asio::error::operation_aborted);
  });
  EXPECT_THROW(static_cast<void>(exchange.try_ask(*cancelled)), boost::system::system_error);
}

class CorsTest : public MiddlewareTest {
 protected:
  Response ask(std::vector<std::string> origins, std::string method, Headers headers) {
    TestRequest exchange(shard_, std::move(method), "/", std::move(headers));
    return exchange.ask(*chain(std::make_unique<CorsMiddleware>(std::move(origins))));
  }
};

TEST_F(CorsTest, AllowsOnlyTheOriginsOfTheList) {
  const auto good = ask({"https://a"}, "GET", {{"origin", "https://a"}});
  EXPECT_EQ(good.headers.get("access-control-allow-origin"), "https://a");
  EXPECT_EQ(good.headers.get("vary"), "origin");
  EXPECT_THAT(std::string(good.headers.get("access-control-expose-headers")),
              HasSubstr("cache-status"));
  const auto bad = ask({"https://a"}, "GET", {{"origin", "https://b"}});
  EXPECT_FALSE(bad.headers.contains("access-control-allow-origin"));
  EXPECT_EQ(bad.headers.get("vary"), "origin");
  EXPECT_EQ(bad.body.text(), "fine");
}

TEST_F(CorsTest, AddsNothingUnlessConfigured) {
  const auto response = ask({}, "GET", {{"origin", "https://a"}});
  EXPECT_FALSE(response.headers.contains("vary"));
  EXPECT_FALSE(response.headers.contains("access-control-allow-origin"));
}

TEST_F(CorsTest, AnswersPreflights) {
  const auto response = ask({"*"},
                            "OPTIONS",
                            {{"origin", "https://a"},
                             {"access-control-request-method", "POST"},
                             {"access-control-request-headers", "authorization,content-type"}});
  EXPECT_EQ(response.status, 204u);
  EXPECT_EQ(response.headers.get("access-control-allow-origin"), "*");
  EXPECT_EQ(response.headers.get("access-control-allow-headers"), "authorization,content-type");
}

using RequestObserverTest = MiddlewareTest;

TEST_F(RequestObserverTest, CountsByRouteAndClassOfStatus) {
  RequestObserver observer(shard_.metrics(), nullptr);
  TestRequest exchange(shard_);
  exchange.context.notes.route = "chat";
  observer.begun(exchange.context);
  EXPECT_EQ(observer.in_flight(), 1u);
  observer.ended(
      exchange.context,
      exchange.request,
      {.status = 200, .sent_bytes = 7, .is_complete = true, .at = exchange.context.started});
  EXPECT_EQ(observer.in_flight(), 0u);
  const auto text = shard_.metrics().render(observe::Registry::Format::kPrometheus);
  EXPECT_THAT(text, HasSubstr("conciergus_http_requests_total{route=\"chat\",status=\"2xx\"} 1"));
  EXPECT_THAT(text, HasSubstr("conciergus_http_sent_body_bytes_total 7"));
}

TEST_F(RequestObserverTest, LimitsWhatOneShardWorksOn) {
  RequestObserver observer(shard_.metrics(), nullptr);
  TestRequest exchange(shard_);
  const auto limited = chain(std::make_unique<ConcurrencyLimit>(observer, shard_.metrics(), 1));
  observer.begun(exchange.context);
  EXPECT_TRUE(exchange.try_ask(*limited));
  observer.begun(exchange.context);
  EXPECT_EQ(exchange.try_ask(*limited).error().code(), ErrorCode::kOverloaded);
}

class AccessLineTest : public MiddlewareTest {
 protected:
  std::string line(observe::LogFormat format, TestRequest& exchange) {
    std::string out;
    append_access_line(out,
                       format,
                       Clock::WallTime(std::chrono::seconds(0)),
                       exchange.context,
                       exchange.request,
                       {.status = 200,
                        .received_bytes = 3,
                        .sent_bytes = 5,
                        .is_complete = true,
                        .at = exchange.context.started + std::chrono::microseconds(1'204)});
    return out;
  }
};

TEST_F(AccessLineTest, IsOneLineOfJsonWithoutTheQuery) {
  TestRequest exchange(shard_, "POST", "/v1/x\"y?key=secret", {{"authorization", "Bearer secret"}});
  exchange.context.request_id = "r1";
  exchange.context.notes.model = "gpt";
  EXPECT_EQ(line(observe::LogFormat::kJson, exchange),
            R"({"time":"1970-01-01T00:00:00.000Z","method":"POST","path":"/v1/x\"y","status":200,)"
            R"("ms":1.204,"in":3,"out":5,"route":"none","client":"127.0.0.1",)"
            R"("protocol":"HTTP/1.1","request_id":"r1","model":"gpt"})"
            "\n");
}

TEST_F(AccessLineTest, QuotesInTextOnlyWhereOneWordWouldNotDo) {
  TestRequest exchange(shard_, "GET", "/a");
  exchange.context.notes.model = "my model";
  EXPECT_THAT(line(observe::LogFormat::kText, exchange),
              HasSubstr(" path=/a status=200 ms=1.204 "));
  EXPECT_THAT(line(observe::LogFormat::kText, exchange), HasSubstr(" model=\"my model\"\n"));
}

}  // namespace
}  // namespace conciergus::http

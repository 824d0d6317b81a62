#include <atomic>
#include <latch>

#include <boost/asio/steady_timer.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/test_server.hpp"

namespace conciergus::http {
namespace {
using namespace std::chrono_literals;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

Task<Result<Response>> say_hello(RequestContext&, Request& request) {
  co_return make_response(200, "text/plain", "hello " + request.target);
}

Task<Result<Response>> echo(RequestContext&, Request& request) {
  auto body = co_await read_all(*request.body, 10'000'000);
  if (!body) co_return std::unexpected(body.error());
  co_return make_response(200, "text/plain", *std::move(body));
}

/// Gives the pieces of a list; where they say so, after a pause.
class Pieces final : public BodyReader {
 public:
  explicit Pieces(std::vector<std::string> pieces, std::chrono::milliseconds pause = 0ms)
      : pieces_(std::move(pieces)), pause_(pause) {}
  Task<Result<std::string_view>> read() override {
    if (pause_ > 0ms) {
      asio::steady_timer timer(co_await asio::this_coro::executor, pause_);
      co_await timer.async_wait(asio::use_awaitable);
    }
    if (next_ == pieces_.size()) co_return std::string_view();
    co_return std::string_view(pieces_[next_++]);
  }
  const Headers* trailers() const noexcept override { return &trailers_; }
  Headers trailers_;

 private:
  std::vector<std::string> pieces_;
  std::chrono::milliseconds pause_;
  std::size_t next_ = 0;
};

/// Tells when it is destroyed: by the end of its request, or by cancellation.
struct Guard {
  std::atomic<int>& gone;
  ~Guard() { ++gone; }
};

bool becomes_true(const std::function<bool()>& condition) {
  for (int i = 0; i < 500; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

TEST(HttpServerTest, AnswersOneRequestAfterTheOtherOnAConnection) {
  TestServer server(say_hello);
  auto client = server.connect();
  for (const std::string path : {"/a", "/b", "/c"}) {
    client.send("GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n");
    const auto response = client.read_response();
    EXPECT_THAT(response,
                AllOf(StartsWith("HTTP/1.1 200 OK\r\n"),
                      HasSubstr("content-type: text/plain\r\n"),
                      HasSubstr("\r\ndate: "),
                      Not(HasSubstr("connection:")),
                      EndsWith("\r\n\r\nhello " + path)));
  }
}

TEST(HttpServerTest, AnswersPipelinedRequestsInTheirOrder) {
  TestServer server(say_hello);
  auto client = server.connect();
  std::string all;
  for (int i = 0; i < 300; ++i) {
    all += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: a\r\n\r\n";
  }
  client.send(all);
  for (int i = 0; i < 300; ++i) {
    EXPECT_THAT(client.read_response(), EndsWith("hello /" + std::to_string(i)));
  }
}

TEST(HttpServerTest, TakesAHeadByteByByte) {
  TestServer server(say_hello);
  auto client = server.connect();
  for (const char c : kGet) client.send({&c, 1});
  EXPECT_THAT(client.read_response(), EndsWith("hello /"));
}

TEST(HttpServerTest, GivesHandlersTheOriginFormAndTheHost) {
  TestServer server([](RequestContext& context, Request& request) -> Task<Result<Response>> {
    EXPECT_EQ(context.client_address, "127.0.0.1");
    co_return make_response(
        200, "text/plain", request.scheme + " " + request.authority + " " + request.target);
  });
  auto client = server.connect();
  client.send("GET http://a.example:80/x?y HTTP/1.1\r\nHost: a.example:80\r\n\r\n");
  EXPECT_THAT(client.read_response(), EndsWith("http a.example:80 /x?y"));
  client.send("GET http://a.example?y HTTP/1.1\r\nHost: a.example\r\n\r\n");
  EXPECT_THAT(client.read_response(), EndsWith("http a.example /"));
}

TEST(HttpServerTest, KeepsSaneRequestIdsAndReplacesOthers) {
  TestServer server([](RequestContext& context, Request&) -> Task<Result<Response>> {
    co_return make_response(200, "text/plain", "id=" + context.request_id);
  });
  auto client = server.connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: abc-1.2\r\n\r\n");
  EXPECT_THAT(client.read_response(), EndsWith("id=abc-1.2"));
  client.send("GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: a\"b\r\n\r\n");
  EXPECT_THAT(client.read_response(), testing::ContainsRegex("id=[0-9a-z]{13}$"));
}

TEST(HttpServerTest, SendsNoBodyToHeadNorWithStatusesThatHaveNone) {
  TestServer server([](RequestContext&, Request& request) -> Task<Result<Response>> {
    auto response = make_response(200, "text/plain", "12345");
    if (request.path() == "/204") response.status = 204;
    if (request.path() == "/304") response.status = 304;
    if (request.path() == "/stream")
      response.body = Body(std::make_unique<Pieces>(std::vector<std::string>{"x"}));
    co_return response;
  });
  auto client = server.connect();
  client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(client.read_until("\r\n\r\n"), HasSubstr("content-length: 5\r\n"));
  client.send("HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(client.read_until("\r\n\r\n"), Not(HasSubstr("content-length")));
  client.send("GET /204 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(client.read_until("\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 204"), Not(HasSubstr("content-length"))));
  client.send("GET /304 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(client.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 304"));
  client.send(kGet);
  EXPECT_THAT(client.read_response(), EndsWith("\r\n\r\n12345"));  // nothing was left behind
}

TEST(HttpServerTest, KeepsOrClosesTheConnectionAsTheVersionAndTheClientSay) {
  TestServer server(say_hello);
  auto closing = server.connect();
  closing.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(closing.read_all(), HasSubstr("connection: close\r\n"));

  auto old = server.connect();
  old.send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_THAT(old.read_all(), AllOf(StartsWith("HTTP/1.1 200"), HasSubstr("connection: close")));

  auto old_kept = server.connect();
  old_kept.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_THAT(old_kept.read_response(), HasSubstr("connection: keep-alive\r\n"));
  old_kept.send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_THAT(old_kept.read_all(), HasSubstr("connection: close\r\n"));
}

TEST(HttpServerTest, ClosesInOrderAfterTheLastRequestOfAConnection) {
  TestServer server(say_hello, {.max_requests_per_connection = 2});
  auto client = server.connect();
  client.send(kGet);
  EXPECT_THAT(client.read_response(), Not(HasSubstr("connection:")));
  client.send(kGet);
  EXPECT_THAT(client.read_response(), HasSubstr("connection: close\r\n"));
  EXPECT_TRUE(client.is_closed());
}

TEST(HttpServerTest, TakesBodiesOfKnownLengthAndInChunksWithTrailers) {
  TestServer server([](RequestContext& context, Request& request) -> Task<Result<Response>> {
    auto response = co_await echo(context, request);
    const auto* const trailers = request.body->trailers();
    if (response && trailers) response->headers.add("x-trailer", trailers->get("x-sum", "none"));
    co_return response;
  });
  auto client = server.connect();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_THAT(client.read_response(), EndsWith("\r\n\r\nhello"));
  client.send(
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nX-Sum: 7\r\n\r\n");
  EXPECT_THAT(client.read_response(),
              AllOf(HasSubstr("x-trailer: 7"), EndsWith("\r\n\r\nabcdefg")));

  const std::string large(3'000'000, 'z');
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n");
  client.send(large);
  EXPECT_THAT(client.read_response(), EndsWith(large));
}

TEST(HttpServerTest, StreamsInChunksWithTrailersForThoseWhoTakeThem) {
  TestServer server([](RequestContext&, Request&) -> Task<Result<Response>> {
    auto body = std::make_unique<Pieces>(std::vector<std::string>{"abc", "defghijklmnopq"});
    body->trailers_.add("x-sum", "17");
    body->trailers_.add("content-length", "3");
    Response response;
    response.body = Body(std::move(body));
    co_return response;
  });
  auto client = server.connect();
  client.send(kGet);
  EXPECT_THAT(client.read_until("0\r\n\r\n"),
              AllOf(HasSubstr("transfer-encoding: chunked\r\n"),
                    EndsWith("\r\n\r\n3\r\nabc\r\ne\r\ndefghijklmnopq\r\n0\r\n\r\n")));
  client.send("GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\n\r\n");
  EXPECT_THAT(client.read_until("x-sum: 17\r\n\r\n"), EndsWith("q\r\n0\r\nx-sum: 17\r\n\r\n"));
  client.send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_THAT(client.read_all(),
              AllOf(HasSubstr("connection: close"), EndsWith("\r\n\r\nabcdefghijklmnopq")));
}

TEST(HttpServerTest, CutsTheConnectionWhenAStreamFailsInTheMiddle) {
  class Failing final : public BodyReader {
   public:
    Task<Result<std::string_view>> read() override {
      if (first_) {
        first_ = false;
        co_return "abc";
      }
      co_return fail(ErrorCode::kUnavailable, "cut");
    }

   private:
    bool first_ = true;
  };
  TestServer server([](RequestContext&, Request&) -> Task<Result<Response>> {
    Response response;
    response.body = Body(std::make_unique<Failing>());
    co_return response;
  });
  auto client = server.connect();
  client.send(kGet);
  EXPECT_THAT(client.read_all(), EndsWith("\r\n\r\n3\r\nabc\r\n"));  // no last chunk
}

TEST(HttpServerTest, SendsTheHeadAndEachPieceOfAStreamAtOnce) {
  TestServer server([](RequestContext&, Request&) -> Task<Result<Response>> {
    Response response;
    response.body = Body(std::make_unique<Pieces>(std::vector<std::string>{"one", "two"}, 100ms));
    co_return response;
  });
  auto client = server.connect();
  client.send(kGet);
  const auto began = std::chrono::steady_clock::now();
  EXPECT_THAT(client.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 200"));
  EXPECT_LT(std::chrono::steady_clock::now() - began, 80ms);
  EXPECT_EQ(client.read_until("one\r\n"), "3\r\none\r\n");
  EXPECT_LT(std::chrono::steady_clock::now() - began, 180ms);
}

TEST(HttpServerTest, TellsTheClientToContinueOnlyWhenTheBodyIsWanted) {
  TestServer server([](RequestContext& context, Request& request) -> Task<Result<Response>> {
    if (request.path() == "/no") co_return fail(ErrorCode::kForbidden, "no");
    co_return co_await echo(context, request);
  });
  auto client = server.connect();
  client.send("POST /yes HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("ok");
  EXPECT_THAT(client.read_response(), AllOf(StartsWith("HTTP/1.1 200"), EndsWith("ok")));

  client.send("POST /no HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_THAT(client.read_all(), AllOf(StartsWith("HTTP/1.1 403"), HasSubstr("connection: close")));
}

TEST(HttpServerTest, ReadsASmallUnreadBodyAwayAndClosesBeforeALargeOne) {
  TestServer server(say_hello, {.linger = 200ms});
  auto client = server.connect();
  client.send("POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n");
  EXPECT_THAT(client.read_response(), AllOf(EndsWith("hello /1"), Not(HasSubstr("connection:"))));
  client.send(std::string(1000, 'x'));
  client.send("GET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(client.read_response(), EndsWith("hello /2"));

  client.send("POST /3 HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
  EXPECT_THAT(client.read_response(), HasSubstr("connection: close"));
  EXPECT_TRUE(client.is_closed());
}

TEST(HttpServerTest, PassesInterimResponsesOnExceptToOldClients) {
  TestServer server([](RequestContext& context, Request&) -> Task<Result<Response>> {
    const auto sent = co_await context.interim->send(103, {{"link", "</a.css>"}});
    if (!sent) co_return std::unexpected(sent.error());
    co_return make_response(200, "text/plain", "x");
  });
  auto client = server.connect();
  client.send(kGet);
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n");
  EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 200"));
  client.send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 200"));
}

TEST(HttpServerTest, HandsTheConnectionAndEarlyBytesOverAfterSwitchingProtocols) {
  TestServer server([](RequestContext&, Request& request) -> Task<Result<Response>> {
    Response response;
    response.status = 101;
    response.headers.add("upgrade", request.headers.get("upgrade"));
    response.tunnel = [](net::Stream& client, std::string early) -> Task<void> {
      std::array<char, 64> more;
      const auto size = co_await client.read_some(more);
      early.append(more.data(), size.value_or(0));
      const asio::const_buffer back[] = {asio::buffer(early)};
      EXPECT_TRUE((co_await client.write(back)).has_value());
    };
    co_return response;
  });
  auto client = server.connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nearly ");
  EXPECT_THAT(client.read_until("\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 101 Switching Protocols\r\n"),
                    HasSubstr("upgrade: x\r\n"),
                    HasSubstr("connection: upgrade\r\n")));
  client.send("late");
  EXPECT_EQ(client.read_all(), "early late");

  auto plain = server.connect();  // not asked for: 101 must not be sent
  plain.send(kGet);
  EXPECT_THAT(plain.read_response(), StartsWith("HTTP/1.1 500"));
}

TEST(HttpServerTest, AnswersForHandlersThatFailOrThrow) {
  TestServer server([](RequestContext&, Request& request) -> Task<Result<Response>> {
    if (request.path() == "/throw") throw std::runtime_error("boom");
    if (request.path() == "/split") {
      co_return Response{200, {{"x", "a\r\nset-cookie: b"}}, "x", {}};
    }
    co_return fail(ErrorCode::kTimeout, "secret detail");
  });
  auto client = server.connect();
  client.send("GET /throw HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(client.read_response(), AllOf(StartsWith("HTTP/1.1 500"), Not(HasSubstr("boom"))));
  client.send("GET /split HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(client.read_response(), AllOf(StartsWith("HTTP/1.1 500"), Not(HasSubstr("cookie"))));
  client.send(kGet);
  EXPECT_THAT(client.read_response(), AllOf(StartsWith("HTTP/1.1 504"), Not(HasSubstr("secret"))));
  EXPECT_EQ(server.count("conciergus_http_handler_failures_total"), 1u);
}

Task<Result<Response>> wait_for_ever(std::atomic<int>& started, std::atomic<int>& gone) {
  const Guard guard{gone};
  ++started;
  asio::steady_timer timer(co_await asio::this_coro::executor, Clock::Instant::max());
  co_await timer.async_wait(asio::use_awaitable);
  co_return Response{};
}

TEST(HttpServerTest, CancelsTheHandlerWhenItsClientLeaves) {
  std::atomic<int> started = 0;
  std::atomic<int> gone = 0;
  TestServer server([&](RequestContext&, Request&) { return wait_for_ever(started, gone); });
  auto client = server.connect();
  client.send(kGet);
  ASSERT_TRUE(becomes_true([&] { return started == 1; }));
  client.send("unread bytes do not hide it");
  client.close();
  EXPECT_TRUE(becomes_true([&] { return gone == 1; }));
  EXPECT_EQ(server.count("conciergus_http_clients_gone_total"), 1u);
}

TEST(HttpServerTest, DropsAStreamWhenItsClientLeaves) {
  std::atomic<int> gone = 0;
  class Endless final : public BodyReader {
   public:
    explicit Endless(std::atomic<int>& counter) : guard_{counter} {}
    Task<Result<std::string_view>> read() override {
      asio::steady_timer timer(co_await asio::this_coro::executor, Clock::Instant::max());
      co_await timer.async_wait(asio::use_awaitable);
      co_return std::string_view();
    }

   private:
    Guard guard_;
  };
  TestServer server([&](RequestContext&, Request&) -> Task<Result<Response>> {
    Response response;
    response.body = Body(std::make_unique<Endless>(gone));
    co_return response;
  });
  auto client = server.connect();
  client.send(kGet);
  EXPECT_THAT(client.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 200"));
  client.close();
  EXPECT_TRUE(becomes_true([&] { return gone == 1; }));
}

TEST(HttpServerTest, SwapsTheHandlerForNewRequestsOnly) {
  std::atomic<int> started = 0;
  TestServer server([&](RequestContext&, Request&) -> Task<Result<Response>> {
    ++started;
    asio::steady_timer timer(co_await asio::this_coro::executor, 100ms);
    co_await timer.async_wait(asio::use_awaitable);
    co_return make_response(200, "text/plain", "old");
  });
  auto client = server.connect();
  client.send(kGet);
  ASSERT_TRUE(becomes_true([&] { return started == 1; }));
  server.server().replace_handler(
      [](runtime::Shard&) { return std::make_shared<FunctionHandler>(say_hello); });
  EXPECT_THAT(client.read_response(), EndsWith("old"));
  client.send(kGet);
  EXPECT_THAT(client.read_response(), EndsWith("hello /"));
}

TEST(HttpServerTest, SharesOnePortAmongItsShards) {
  TestServer server(say_hello, {}, nullptr, 3);
  for (int i = 0; i < 20; ++i) {
    auto client = server.connect();
    client.send(kGet);
    EXPECT_THAT(client.read_response(), EndsWith("hello /"));
  }
}

}  // namespace
}  // namespace conciergus::http

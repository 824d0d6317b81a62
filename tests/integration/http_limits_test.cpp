/// Slow clients, full servers, and servers that go down.
#include <atomic>
#include <thread>

#include <boost/asio/steady_timer.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "support/test_server.hpp"

namespace conciergus::http {
namespace {
using namespace std::chrono_literals;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

Task<Result<Response>> say_hello(RequestContext&, Request&) {
  co_return make_response(200, "text/plain", "hello");
}

Task<Result<Response>> read_body(RequestContext&, Request& request) {
  auto body = co_await read_all(*request.body, 1'000'000'000);
  if (!body) co_return std::unexpected(body.error());
  co_return make_response(200, "text/plain", *std::move(body));
}

bool becomes_true(const std::function<bool()>& condition) {
  for (int i = 0; i < 500; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

TEST(HttpLimitsTest, AnswersASlowHeadWithATimeoutAndClosesASilentConnection) {
  TestServer server(say_hello, {.head_timeout = 100ms, .linger = 50ms});
  auto slow = server.connect();
  slow.send("GET / HT");
  auto silent = server.connect();
  EXPECT_THAT(slow.read_all(), AllOf(StartsWith("HTTP/1.1 408"), HasSubstr("connection: close")));
  EXPECT_TRUE(silent.is_closed());
  EXPECT_EQ(server.count("conciergus_http_timeouts_total", {{"of", "head"}}), 1u);
  EXPECT_EQ(server.count("conciergus_http_refused_requests_total", {{"status", "408"}}), 1u);
}

TEST(HttpLimitsTest, DoesNotLetAHeadThatDripsGoOnForEver) {
  TestServer server(say_hello, {.head_timeout = 300ms, .linger = 50ms});
  auto client = server.connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n");
  std::atomic<bool> closed = false;
  std::jthread drip([&] {
    while (!closed && client.send("X: y\r\n")) std::this_thread::sleep_for(20ms);
  });
  EXPECT_THAT(client.read_all(2s), StartsWith("HTTP/1.1 408"));
  closed = true;
}

TEST(HttpLimitsTest, AnswersABodyThatStallsWithATimeout) {
  TestServer server(read_body, {.body_idle_timeout = 100ms, .linger = 50ms});
  auto client = server.connect();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_THAT(client.read_all(), AllOf(StartsWith("HTTP/1.1 408"), HasSubstr("connection: close")));
}

TEST(HttpLimitsTest, HoldsBodiesToAMinimumRate) {
  TestServer server(read_body, {.min_body_rate = 100'000, .body_grace = 200ms, .linger = 50ms});
  auto client = server.connect();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
  std::atomic<bool> closed = false;
  std::jthread drip([&] {
    while (!closed && client.send("x")) std::this_thread::sleep_for(20ms);
  });
  EXPECT_THAT(client.read_all(2s), StartsWith("HTTP/1.1 408"));
  closed = true;
}

TEST(HttpLimitsTest, ClosesAnIdleConnection) {
  TestServer server(say_hello, {.keep_alive_timeout = 100ms, .linger = 50ms});
  auto client = server.connect();
  client.send(kGet);
  EXPECT_THAT(client.read_response(), EndsWith("hello"));
  EXPECT_TRUE(client.is_closed(2s));
}

TEST(HttpLimitsTest, ClosesWhenTheClientDoesNotTakeTheResponse) {
  TestServer server(
      [](RequestContext&, Request&) -> Task<Result<Response>> {
        co_return make_response(200, "text/plain", std::string(32'000'000, 'x'));
      },
      {.write_timeout = 200ms});
  auto client = server.connect();
  client.send(kGet);
  EXPECT_TRUE(becomes_true(
      [&] { return server.count("conciergus_http_timeouts_total", {{"of", "write"}}) == 1; }));
  EXPECT_LT(client.read_all().size(), 32'000'000u);
}

TEST(HttpLimitsTest, TellsConnectionsBeyondTheLimitToComeBack) {
  TestServer server(say_hello, {.connections = {.max_connections = 2}});
  auto first = server.connect();
  auto second = server.connect();
  first.send(kGet);
  second.send(kGet);
  EXPECT_THAT(first.read_response(), EndsWith("hello"));
  EXPECT_THAT(second.read_response(), EndsWith("hello"));
  EXPECT_THAT(server.connect().read_all(),
              AllOf(StartsWith("HTTP/1.1 503"), HasSubstr("retry-after: 1")));
  EXPECT_EQ(server.count("conciergus_net_connections_refused_total", {{"reason", "total"}}), 1u);

  // an idle connection makes room for the next client
  EXPECT_TRUE(first.is_closed() || second.is_closed());
  first.close();
  second.close();
  EXPECT_TRUE(becomes_true([&] {
    auto third = server.connect();
    third.send(kGet);
    return third.read_response().ends_with("hello");
  }));
}

TEST(HttpLimitsTest, LimitsConnectionsFromOneAddress) {
  TestServer server(say_hello, {.connections = {.max_per_address = 1, .exempt_loopback = false}});
  auto first = server.connect();
  first.send(kGet);
  EXPECT_THAT(first.read_response(), EndsWith("hello"));
  EXPECT_THAT(server.connect().read_all(), StartsWith("HTTP/1.1 503"));
  EXPECT_EQ(server.count("conciergus_net_connections_refused_total", {{"reason", "address"}}), 1u);
}

TEST(HttpLimitsTest, GoesOnAcceptingOnceThereAreDescriptorsAgain) {
#if __has_feature(undefined_behavior_sanitizer)
  // its vptr check looks at memory through a pipe, and calls sound objects broken when there is
  // none
  GTEST_SKIP() << "the sanitizer itself needs descriptors";
#endif
  TestServer server(say_hello);
  rlimit usual{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &usual), 0);
  const int next = ::dup(0);
  ASSERT_GE(next, 0);
  ::close(next);
  // one descriptor is left: the client takes it, and there is none for the server's end
  const rlimit scarce{static_cast<rlim_t>(next) + 1, usual.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &scarce), 0);
  auto client = server.connect();
  client.send(kGet);
  const bool paused =
      becomes_true([&] { return server.count("conciergus_net_accept_pauses_total") > 0; });
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &usual), 0);
  EXPECT_TRUE(paused);
  EXPECT_THAT(client.read_response(), EndsWith("hello"));
}

TEST(HttpDrainTest, LetsWhatRunsFinishAndClosesTheIdle) {
  std::atomic<int> started = 0;
  TestServer server([&](RequestContext&, Request&) -> Task<Result<Response>> {
    ++started;
    asio::steady_timer timer(co_await asio::this_coro::executor, 200ms);
    co_await timer.async_wait(asio::use_awaitable);
    co_return make_response(200, "text/plain", "done");
  });
  auto busy = server.connect();
  auto idle = server.connect();
  busy.send(kGet);
  ASSERT_TRUE(becomes_true([&] { return started == 1; }));
  std::jthread draining([&] { server.server().drain(10s); });
  EXPECT_TRUE(idle.is_closed());
  EXPECT_THAT(busy.read_all(), AllOf(HasSubstr("connection: close\r\n"), EndsWith("done")));
  idle.close();
  busy.close();
  draining.join();
  EXPECT_FALSE(server.connect().is_connected());
}

/// Waits until the server ends, and then says so.
class LastWords final : public BodyReader {
 public:
  LastWords(DrainSignal& signal, const asio::any_io_executor& shard)
      : wake_(shard), subscription_(signal, [this] { wake_.notify_all(); }), signal_(signal) {}
  Task<Result<std::string_view>> read() override {
    if (said_) co_return std::string_view();
    while (!signal_.is_ending()) co_await wake_.wait();
    said_ = true;
    co_return "bye";
  }

 private:
  runtime::Notifier wake_;
  DrainSignal::Subscription subscription_;
  DrainSignal& signal_;
  bool said_ = false;
};

TEST(HttpDrainTest, LetsStreamsSayGoodByeWhenTheTimeIsUp) {
  TestServer server([](RequestContext& context, Request&) -> Task<Result<Response>> {
    Response response;
    response.body = Body(std::make_unique<LastWords>(*context.drain, context.shard.executor()));
    co_return response;
  });
  auto client = server.connect();
  client.send(kGet);
  EXPECT_THAT(client.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 200"));
  std::jthread draining([&] { server.server().drain(1'100ms); });
  EXPECT_EQ(client.read_all(), "3\r\nbye\r\n0\r\n\r\n");
}

TEST(HttpDrainTest, CancelsWhatDoesNotEnd) {
  TestServer server([](RequestContext&, Request&) -> Task<Result<Response>> {
    asio::steady_timer timer(co_await asio::this_coro::executor, Clock::Instant::max());
    co_await timer.async_wait(asio::use_awaitable);
    co_return Response{};
  });
  auto client = server.connect();
  client.send(kGet);
  ASSERT_TRUE(
      becomes_true([&] { return server.count("conciergus_http_received_bytes_total") > 0; }));
  server.server().drain(50ms);
  EXPECT_EQ(client.read_all(), "");
}

}  // namespace
}  // namespace conciergus::http

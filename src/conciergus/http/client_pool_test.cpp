/// Keep-alive, limits and queueing, and the connections that died in the pool.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conciergus/http/client.hpp"
#include "support/client_fixture.hpp"

namespace conciergus::http {
namespace {
using namespace std::chrono_literals;
using Phase = CallReport::Phase;

class ClientPoolTest : public ClientTest {
 protected:
  /// Answers one request on each connection and then closes it, as a server that restarts does.
  static void answer_once(FakeConnection& connection) {
    connection.read_request();
    connection.send(kHello);
  }
  Task<void> pause(std::chrono::milliseconds length) {
    asio::steady_timer timer(shard_.get().executor(), length);
    co_await timer.async_wait(asio::use_awaitable);
  }
};

TEST_F(ClientPoolTest, DoesNotReuseAConnectionThatTheUpstreamHasClosed) {
  const FakeUpstream upstream(answer_once);
  shard_.run([&]() -> Task<void> {
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ((co_await fetch(upstream, {.method = "POST"})).value_or("failed"), "hello");
      EXPECT_FALSE(report_.retried_stale);
      co_await pause(20ms);
    }
  });
  EXPECT_EQ(upstream.connections(), 3);
}

TEST_F(ClientPoolTest, DoesNotReuseAConnectionOnWhichBytesCameUnasked) {
  const FakeUpstream upstream([](FakeConnection& connection) {
    connection.read_request();
    connection.send(kHello);
    connection.pause(10ms);
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
    connection.is_closed_by_client();
  });
  shard_.run([&]() -> Task<void> {
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ((co_await fetch(upstream)).value(), "hello");
      co_await pause(40ms);
    }
  });
  EXPECT_EQ(upstream.connections(), 2);
}

/// Closes a reused connection only once the request is there, so that the client cannot know
/// before.
void close_when_reused(FakeConnection& connection) {
  connection.read_request();
  connection.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
  if (connection.number() == 0)
    connection.read_request();
  else
    connection.is_closed_by_client();
}

TEST_F(ClientPoolTest, RepeatsAnIdempotentRequestOnAFreshConnection) {
  const FakeUpstream upstream(close_when_reused);
  shard_.run([&]() -> Task<void> {
    EXPECT_EQ((co_await fetch(upstream)).value(), "hello");
    EXPECT_EQ((co_await fetch(upstream)).value_or("failed"), "hello");
    EXPECT_TRUE(report_.retried_stale);
    EXPECT_FALSE(report_.reused);
  });
  EXPECT_EQ(upstream.connections(), 2);
}

TEST_F(ClientPoolTest, DoesNotRepeatAPostUnlessTheCallerAllowsIt) {
  for (const bool may_repeat : {false, true}) {
    const FakeUpstream upstream(close_when_reused);
    shard_.run([&]() -> Task<void> {
      EXPECT_EQ((co_await fetch(upstream)).value(), "hello");
      ClientRequest request{.method = "POST"};
      request.may_repeat = may_repeat;
      const auto text = co_await fetch(upstream, std::move(request));
      EXPECT_EQ(text.has_value(), may_repeat);
      EXPECT_EQ(report_.retried_stale, may_repeat);
      if (!text) EXPECT_EQ(text.error().code(), ErrorCode::kUnavailable);
    });
  }
}

TEST_F(ClientPoolTest, NeverRepeatsMoreThanOnce) {
  const FakeUpstream upstream([](FakeConnection& connection) {
    connection.read_request();
    if (connection.number() == 0) {
      connection.send(kHello);
      connection.read_request();
    }
  });
  shard_.run([&]() -> Task<void> {
    EXPECT_EQ((co_await fetch(upstream)).value(), "hello");
    const auto text = co_await fetch(upstream);
    EXPECT_TRUE(!text && text.error().code() == ErrorCode::kUnavailable);
    EXPECT_TRUE(report_.retried_stale);
  });
  EXPECT_EQ(upstream.connections(), 2);
}

TEST_F(ClientPoolTest, HoldsSixteenCallsToTwoConnections) {
  start({.max_connections = 2});
  const FakeUpstream upstream([](FakeConnection& connection) {
    while (!connection.read_request().empty()) {
      connection.pause(2ms);
      connection.send(kHello);
    }
  });
  shard_.run([&]() -> Task<void> {
    runtime::Gate gate(shard_.get().executor(), shard_.get().on_escape());
    int answered = 0;
    auto call = [](Client& client, std::uint16_t port, int& count) -> Task<void> {
      const auto response = co_await client.send({"http", "127.0.0.1", port}, {}, {});
      if (response && response->body.text() == "hello") ++count;
    };
    for (int i = 0; i < 16; ++i) gate.spawn("call", call(*client_, upstream.port(), answered));
    EXPECT_TRUE(co_await gate.drain(Deadline::after(system_clock(), 5s)));
    EXPECT_EQ(answered, 16);
  });
  EXPECT_EQ(upstream.connections(), 2);
  EXPECT_EQ(upstream.requests(), 16);
}

/// Takes the one connection there is and keeps it busy.
class ClientQueueTest : public ClientPoolTest {
 protected:
  void SetUp() override { start({.max_connections = 1, .max_queued = 1}); }
  const FakeUpstream upstream_{[](FakeConnection& connection) {
    while (!connection.read_request().empty()) {
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel");
      connection.pause(60ms);
      connection.send("lo");
    }
  }};
};

TEST_F(ClientQueueTest, GivesUpOnTimeWhenNoConnectionBecomesFree) {
  shard_.run([&]() -> Task<void> {
    auto busy = co_await send(upstream_);
    CONCIERGUS_CO_ASSERT(busy.has_value());
    limits_.deadline = Deadline::after(system_clock(), 20ms);
    const auto late = co_await fetch(upstream_);
    CONCIERGUS_CO_ASSERT(!late.has_value());
    EXPECT_EQ(late.error().code(), ErrorCode::kOverloaded);
    EXPECT_EQ(report_.phase, Phase::kQueue);
  });
}

TEST_F(ClientQueueTest, RefusesAtOnceWhenTheQueueIsFullAndServesWhoWaits) {
  shard_.run([&]() -> Task<void> {
    auto busy = co_await send(upstream_);
    CONCIERGUS_CO_ASSERT(busy.has_value());
    runtime::Gate gate(shard_.get().executor(), shard_.get().on_escape());
    std::string waited;
    auto wait = [](auto& test, std::string& text) -> Task<void> {
      text = (co_await test.fetch(test.upstream_)).value_or("failed");
    };
    gate.spawn("wait", wait(*this, waited));
    co_await pause(5ms);
    CallReport report;
    const auto refused =
        co_await client_->send({"http", "127.0.0.1", upstream_.port()}, {}, {}, nullptr, &report);
    CONCIERGUS_CO_ASSERT(!refused.has_value());
    EXPECT_EQ(refused.error().code(), ErrorCode::kOverloaded);
    EXPECT_EQ((co_await rest_of(*busy)).value(), "hello");
    EXPECT_TRUE(co_await gate.drain(Deadline::after(system_clock(), 5s)));
    EXPECT_EQ(waited, "hello");
  });
  EXPECT_EQ(upstream_.connections(), 1);
}

TEST_F(ClientQueueTest, LetsAWaitingCallConnectWhenTheOtherConnectionBreaks) {
  shard_.run([&]() -> Task<void> {
    std::optional<Response> busy;
    {
      auto response = co_await send(upstream_);
      CONCIERGUS_CO_ASSERT(response.has_value());
      busy.emplace(*std::move(response));
    }
    runtime::Gate gate(shard_.get().executor(), shard_.get().on_escape());
    std::string waited;
    auto wait = [](auto& test, std::string& text) -> Task<void> {
      text = (co_await test.fetch(test.upstream_)).value_or("failed");
    };
    gate.spawn("wait", wait(*this, waited));
    co_await pause(5ms);
    busy.reset();
    EXPECT_TRUE(co_await gate.drain(Deadline::after(system_clock(), 5s)));
    EXPECT_EQ(waited, "hello");
  });
  EXPECT_EQ(upstream_.connections(), 2);
}

TEST_F(ClientQueueTest, KeepsNoPlaceForACallThatWasCancelledInTheQueue) {
  shard_.run([&]() -> Task<void> {
    auto busy = co_await send(upstream_);
    CONCIERGUS_CO_ASSERT(busy.has_value());
    runtime::Gate gate(shard_.get().executor(), shard_.get().on_escape());
    auto wait = [](auto& test) -> Task<void> {
      [[maybe_unused]] const auto text = co_await test.fetch(test.upstream_);
    };
    gate.spawn("wait", wait(*this));
    co_await pause(5ms);
    co_await gate.stop();
    EXPECT_EQ((co_await rest_of(*busy)).value(), "hello");
    EXPECT_EQ((co_await fetch(upstream_)).value(), "hello");
    EXPECT_TRUE(report_.reused);
  });
}

TEST_F(ClientPoolTest, ClosesConnectionsThatHaveBeenIdleForTooLong) {
  start({.keep_idle = 0s});
  bool closed = false;
  {
    const FakeUpstream upstream([&](FakeConnection& connection) {
      connection.read_request();
      connection.send(kHello);
      closed = connection.is_closed_by_client();
    });
    shard_.run([&]() -> Task<void> {
      EXPECT_TRUE((co_await fetch(upstream)).has_value());
      shard_.get().watchdog().sweep(system_clock().now() + 1s);
      EXPECT_EQ(open_connections(upstream), 0);
    });
  }
  EXPECT_TRUE(closed);
}

TEST_F(ClientPoolTest, RefusesCallsOnceStopped) {
  const FakeUpstream upstream(answer_once);
  shard_.run([&]() -> Task<void> {
    EXPECT_TRUE((co_await fetch(upstream)).has_value());
    co_await client_->stop();
    EXPECT_EQ(open_connections(upstream), 0);
    const auto text = co_await fetch(upstream);
    EXPECT_TRUE(!text && text.error().code() == ErrorCode::kUnavailable);
  });
}

}  // namespace
}  // namespace conciergus::http

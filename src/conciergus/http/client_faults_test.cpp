/// What upstreams do wrong, and that each fault ends in the right error, at the right time, with
/// the connection closed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conciergus/http/client.hpp"
#include "support/client_fixture.hpp"
#include "support/test_handler.hpp"

namespace conciergus::http {
namespace {
using namespace std::chrono_literals;
using testing::HasSubstr;
using Phase = CallReport::Phase;

class ClientFaultsTest : public ClientTest {
 protected:
  /// The code of a call whose upstream sends `bytes` after the request's head, and then closes.
  ErrorCode code_after(std::string bytes) {
    return code_of([bytes = std::move(bytes)](FakeConnection& connection) {
      connection.read_head();
      connection.send(bytes);
      connection.finish_sending();
      connection.is_closed_by_client();
    });
  }
  std::chrono::milliseconds elapsed() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(system_clock().now() - started_);
  }
  const Clock::Instant started_ = system_clock().now();
};

/// A request body that never ends: 64 KiB a piece.
class Endless final : public BodyReader {
 public:
  Task<Result<std::string_view>> read() override { co_return std::string_view(piece_); }

 private:
  std::string piece_ = std::string(65'536, 'x');
};

/// A request body whose source fails, as when a browser leaves.
class Broken final : public BodyReader {
 public:
  Task<Result<std::string_view>> read() override {
    co_return fail(ErrorCode::kTooLarge, "too much");
  }
};

TEST_F(ClientFaultsTest, NobodyListens) {
  std::uint16_t port;
  {
    const FakeUpstream gone([](FakeConnection&) {});
    port = gone.port();
  }
  shard_.run([&]() -> Task<void> {
    const auto response =
        co_await client_->send({"http", "127.0.0.1", port}, {}, {}, nullptr, &report_);
    CONCIERGUS_CO_ASSERT(!response.has_value());
    EXPECT_EQ(response.error().code(), ErrorCode::kUnavailable);
    EXPECT_THAT(response.error().detail(), HasSubstr("refused"));
    EXPECT_EQ(report_.phase, Phase::kConnect);
  });
}

TEST_F(ClientFaultsTest, TheNameDoesNotResolve) {
  shard_.run([&]() -> Task<void> {
    const auto response =
        co_await client_->send({"http", "nobody.invalid", 80}, {}, {}, nullptr, &report_);
    CONCIERGUS_CO_ASSERT(!response.has_value());
    EXPECT_EQ(response.error().code(), ErrorCode::kUnavailable);
    EXPECT_EQ(report_.phase, Phase::kDns);
  });
}

TEST_F(ClientFaultsTest, ClosesWithoutAnAnswer) {
  EXPECT_EQ(code_after(""), ErrorCode::kUnavailable);
  EXPECT_EQ(report_.phase, Phase::kHead);
  EXPECT_FALSE(report_.retried_stale);
}

TEST_F(ClientFaultsTest, ResetsBeforeTheHead) {
  const auto code = code_of([](FakeConnection& connection) {
    connection.read_head();
    connection.reset();
  });
  EXPECT_EQ(code, ErrorCode::kUnavailable);
}

TEST_F(ClientFaultsTest, ClosesWithinTheHead) {
  EXPECT_EQ(code_after("HTTP/1.1 200 OK\r\nContent-Le"), ErrorCode::kUnavailable);
}

TEST_F(ClientFaultsTest, ClosesWithinABodyOfKnownLength) {
  EXPECT_EQ(code_after("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"),
            ErrorCode::kUnavailable);
}

TEST_F(ClientFaultsTest, ClosesWithinAChunkedBody) {
  EXPECT_EQ(code_after("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
            ErrorCode::kUnavailable);
}

TEST_F(ClientFaultsTest, IsNotHttp) {
  EXPECT_EQ(code_after("220 mail.example ESMTP\r\n\r\n"), ErrorCode::kProtocol);
}

TEST_F(ClientFaultsTest, FramesTheBodyTwice) {
  EXPECT_EQ(code_after("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: "
                       "chunked\r\n\r\n0\r\n\r\n"),
            ErrorCode::kProtocol);
  EXPECT_EQ(code_after("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
            ErrorCode::kProtocol);
}

TEST_F(ClientFaultsTest, BreaksAChunk) {
  EXPECT_EQ(code_after("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n"),
            ErrorCode::kProtocol);
}

TEST_F(ClientFaultsTest, SendsBytesBehindTheBody) {
  EXPECT_EQ(code_after(std::string(kHello) + "HTTP/1.1 200 OK\r\n"), ErrorCode::kProtocol);
  EXPECT_EQ(code_after("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nmore"),
            ErrorCode::kProtocol);
}

TEST_F(ClientFaultsTest, SwitchesProtocolsUnasked) {
  EXPECT_EQ(code_after("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: "
                       "upgrade\r\n\r\n"),
            ErrorCode::kProtocol);
}

TEST_F(ClientFaultsTest, SendsInterimResponsesWithoutEnd) {
  std::string storm;
  for (int i = 0; i < 1'000; ++i) storm += "HTTP/1.1 102 Processing\r\n\r\n";
  EXPECT_EQ(code_after(storm), ErrorCode::kProtocol);
}

TEST_F(ClientFaultsTest, SendsAHeadBeyondTheLimit) {
  std::string head = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 90; ++i) head += "X-Pad: " + std::string(1'000, 'x') + "\r\n";
  EXPECT_EQ(code_after(head + "\r\n"), ErrorCode::kProtocol);
}

TEST_F(ClientFaultsTest, AcceptsAHeadJustBelowTheLimit) {
  std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n";
  for (int i = 0; i < 60; ++i) head += "X-Pad: " + std::string(1'000, 'x') + "\r\n";
  const FakeUpstream upstream(FakeUpstream::answer(head + "\r\nhello"));
  shard_.run([&]() -> Task<void> {
    for (int i = 0; i < 2; ++i) EXPECT_EQ((co_await fetch(upstream)).value(), "hello");
  });
}

TEST_F(ClientFaultsTest, IsSilentBeforeTheHead) {
  limits_.head = 60ms;
  bool closed = false;
  const auto code = code_of([&](FakeConnection& connection) {
    connection.read_head();
    closed = connection.is_closed_by_client();
  });
  EXPECT_EQ(code, ErrorCode::kTimeout);
  EXPECT_EQ(report_.phase, Phase::kHead);
  EXPECT_GE(elapsed(), 60ms);
  EXPECT_TRUE(closed);
}

TEST_F(ClientFaultsTest, SendsItsHeadByteByByteForTooLong) {
  limits_.head = 80ms;
  const auto code = code_of([&](FakeConnection& connection) {
    connection.read_head();
    for (const char c : kHello) {
      if (!connection.send({&c, 1})) break;
      connection.pause(10ms);
    }
  });
  EXPECT_EQ(code, ErrorCode::kTimeout);
}

TEST_F(ClientFaultsTest, IsSilentWithinTheBody) {
  limits_.idle = 60ms;
  const auto code = code_of([&](FakeConnection& connection) {
    connection.read_head();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
    connection.is_closed_by_client();
  });
  EXPECT_EQ(code, ErrorCode::kTimeout);
  EXPECT_EQ(report_.phase, Phase::kBody);
}

TEST_F(ClientFaultsTest, DripsItsBodyLongerThanTheIdleTimeoutWithoutHarm) {
  limits_.idle = 200ms;
  const FakeUpstream upstream([](FakeConnection& connection) {
    connection.read_head();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
    for (int i = 0; i < 10 && connection.send("x"); ++i) connection.pause(30ms);
  });
  shard_.run(
      [&]() -> Task<void> { EXPECT_EQ((co_await fetch(upstream)).value_or("cut"), "xxxxxxxxxx"); });
}

TEST_F(ClientFaultsTest, StopsAtTheCallersDeadlineWhereverItIs) {
  limits_.deadline = Deadline::after(system_clock(), 60ms);
  const auto code = code_of([&](FakeConnection& connection) {
    connection.read_head();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
    while (connection.send("x")) connection.pause(10ms);
  });
  EXPECT_EQ(code, ErrorCode::kTimeout);
}

TEST_F(ClientFaultsTest, DoesNotTimeOutAConsumerThatTakesItsTime) {
  limits_.idle = 30ms;
  const FakeUpstream upstream([](FakeConnection& connection) {
    connection.read_head();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" +
                    std::string(200'000, 'x'));
    connection.is_closed_by_client();
  });
  shard_.run([&]() -> Task<void> {
    auto response = co_await send(upstream);
    CONCIERGUS_CO_ASSERT(response.has_value());
    const auto first = co_await response->body.stream()->read();
    CONCIERGUS_CO_ASSERT(first.has_value());
    const auto size = first->size();
    asio::steady_timer pause(shard_.get().executor(), 120ms);
    co_await pause.async_wait(asio::use_awaitable);
    const auto rest = co_await read_all(*response->body.stream(), 1 << 20);
    CONCIERGUS_CO_ASSERT(rest.has_value());
    EXPECT_EQ(size + rest->size(), 200'000u);
  });
}

TEST_F(ClientFaultsTest, RefusesAnUploadWhileItIsComing) {
  const FakeUpstream upstream([](FakeConnection& connection) {
    connection.read_head();
    connection.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno");
    connection.is_closed_by_client();
  });
  shard_.run([&]() -> Task<void> {
    ClientRequest request{.method = "POST"};
    request.body = Body(std::make_unique<Endless>());
    const auto response = co_await send(upstream, std::move(request));
    CONCIERGUS_CO_ASSERT(response.has_value());
    EXPECT_EQ(response->status, 413u);
    EXPECT_EQ(response->body.text(), "no");
  });
  EXPECT_EQ(open_connections(upstream), 0);
}

TEST_F(ClientFaultsTest, AnswersEarlyAndStillGetsTheWholeUpload) {
  std::size_t received = 0;
  const FakeUpstream upstream([&](FakeConnection& connection) {
    connection.read_head();
    connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    received = connection.read_bytes(1'000'000).size();
    connection.send("2\r\nok\r\n0\r\n\r\n");
  });
  shard_.run([&]() -> Task<void> {
    ClientRequest request{.method = "POST"};
    request.body = std::string(1'000'000, 'x');
    EXPECT_EQ((co_await fetch(upstream, std::move(request))).value(), "ok");
  });
  EXPECT_EQ(received, 1'000'000u);
}

TEST_F(ClientFaultsTest, ReportsTheErrorOfTheRequestBodyItself) {
  const FakeUpstream upstream([](FakeConnection& connection) { connection.is_closed_by_client(); });
  shard_.run([&]() -> Task<void> {
    ClientRequest request{.method = "POST"};
    request.body = Body(std::make_unique<Broken>());
    const auto response = co_await send(upstream, std::move(request));
    EXPECT_TRUE(!response && response.error().code() == ErrorCode::kTooLarge);
  });
  EXPECT_EQ(open_connections(upstream), 0);
}

TEST_F(ClientFaultsTest, ClosesTheConnectionWhenTheBodyIsDropped) {
  bool closed = false;
  {
    const FakeUpstream upstream([&](FakeConnection& connection) {
      connection.read_head();
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
      closed = connection.is_closed_by_client();
    });
    shard_.run([&]() -> Task<void> {
      const auto response = co_await send(upstream);
      EXPECT_TRUE(response.has_value());
    });
    EXPECT_EQ(open_connections(upstream), 0);
  }
  EXPECT_TRUE(closed);
}

TEST_F(ClientFaultsTest, ClosesTheConnectionWhenTheCallIsCancelled) {
  bool closed = false;
  {
    const FakeUpstream upstream([&](FakeConnection& connection) {
      connection.read_head();
      closed = connection.is_closed_by_client();
    });
    shard_.run([&]() -> Task<void> {
      runtime::Gate gate(shard_.get().executor(), shard_.get().on_escape());
      auto call = [](auto& test, const FakeUpstream& to) -> Task<void> {
        const auto response = co_await test.send(to);
        EXPECT_TRUE(!response && response.error().code() == ErrorCode::kCancelled);
      };
      gate.spawn("call", call(*this, upstream));
      while (upstream.requests() == 0) co_await asio::post(asio::use_awaitable);
      EXPECT_EQ(open_connections(upstream), 1);
      co_await gate.stop();
      EXPECT_EQ(open_connections(upstream), 0);
    });
  }
  EXPECT_TRUE(closed);
}

}  // namespace
}  // namespace conciergus::http

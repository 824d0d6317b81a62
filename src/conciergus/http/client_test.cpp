#include "conciergus/http/client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conciergus/runtime/with_deadline.hpp"
#include "support/fake_upstream.hpp"
#include "support/run_coro.hpp"
#include "support/test_handler.hpp"
#include "support/test_shard.hpp"

namespace conciergus::http {
namespace {
using namespace std::chrono_literals;
using testing::AllOf;
using testing::Ge;
using testing::HasSubstr;
using testing::Le;
using testing::Not;
using testing::StartsWith;
using Phase = CallReport::Phase;

constexpr std::string_view kHello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

/// A client on a shard of its own. Tests say what the upstream does, and look at what comes back.
class ClientTest : public testing::Test {
 protected:
  void start(ClientConfig config) {
    stop();
    client_.emplace(shard_.get(), std::move(config));
  }
  void stop() {
    if (!client_) return;
    shard_.run([this]() -> Task<void> { co_await client_->stop(); });
    client_.reset();
  }
  void SetUp() override { start({}); }
  void TearDown() override { stop(); }

  Task<Result<Response>> send(const FakeUpstream& upstream, ClientRequest request = {}) {
    report_ = {};
    co_return co_await client_->send(
        {"http", "127.0.0.1", upstream.port()}, std::move(request), limits_, interim_, &report_);
  }
  /// Status and body, or the error.
  Task<Result<std::string>> fetch(const FakeUpstream& upstream, ClientRequest request = {}) {
    auto response = co_await send(upstream, std::move(request));
    if (!response) co_return std::unexpected(response.error());
    co_return co_await rest_of(*response);
  }
  static Task<Result<std::string>> rest_of(Response& response) {
    if (!response.body.is_stream()) co_return std::string(response.body.text());
    co_return co_await read_all(*response.body.stream(), 1 << 24);
  }
  /// Runs one call against `script` and returns its error's code; kInternal if it succeeds.
  ErrorCode code_of(FakeUpstream::Script script, ClientRequest request = {}) {
    const FakeUpstream upstream(std::move(script));
    auto code = ErrorCode::kInternal;
    shard_.run([&]() -> Task<void> {
      const auto text = co_await fetch(upstream, std::move(request));
      if (text) {
        ADD_FAILURE() << "succeeded: " << *text;
      } else {
        code = text.error().code();
        detail_ = text.error().detail();
      }
    });
    return code;
  }
  std::int64_t open_connections(const FakeUpstream& upstream) {
    return shard_.metrics()
        .gauge("conciergus_http_upstream_connections_open", "", {{"origin", upstream.url()}})
        .value();
  }

  TestShard shard_;
  std::optional<Client> client_;
  CallLimits limits_;
  CallReport report_;
  InterimSink* interim_ = nullptr;
  std::string detail_;
};

/// A request body that never ends: 64 KiB a piece.
class Endless final : public BodyReader {
 public:
  Task<Result<std::string_view>> read() override { co_return std::string_view(piece_); }

 private:
  std::string piece_ = std::string(65'536, 'x');
};

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

}  // namespace
}  // namespace conciergus::http

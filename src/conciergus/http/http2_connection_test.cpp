#include "conciergus/http/http2_connection.hpp"

#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include "support/http2_peer.hpp"
#include "support/test_server.hpp"

namespace conciergus::http {
namespace {
using namespace std::chrono_literals;

using Fields = std::vector<std::pair<std::string, std::string>>;

Fields get(std::string path, std::string method = "GET") {
  return {{":method", std::move(method)},
          {":scheme", "http"},
          {":authority", "a.test"},
          {":path", std::move(path)}};
}

/// A client over a socket: blocking, one thread.
class Http2Client {
 public:
  explicit Http2Client(const TestServer& server) : socket_(server.port()) {}

  std::int32_t request(Fields fields, std::string body = {}, bool end = true) {
    return peer_.request(std::move(fields), std::move(body), end);
  }
  /// Exchanges bytes until `until` holds or `limit` has passed.
  template <class Condition>
  bool run_until(Condition until, std::chrono::milliseconds limit = 5s) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!until()) {
      socket_.send(peer_.output());
      pollfd waits{socket_.descriptor(), POLLIN, 0};
      if (::poll(&waits, 1, 20) > 0) {
        char piece[65536];
        const auto size = ::recv(socket_.descriptor(), piece, sizeof piece, 0);
        if (size <= 0) {
          ended_ = true;
          return until();
        }
        peer_.input({piece, static_cast<std::size_t>(size)});
      }
      if (std::chrono::steady_clock::now() > end) return false;
    }
    socket_.send(peer_.output());
    return true;
  }
  const Http2Peer::Answer& finish(std::int32_t stream) {
    EXPECT_TRUE(run_until([&] { return peer_.answers[stream].closed.has_value(); }));
    return peer_.answers[stream];
  }

  Http2Peer& peer() { return peer_; }
  bool has_ended() const { return ended_; }

 private:
  RawClient socket_;
  Http2Peer peer_;
  bool ended_ = false;
};

/// Pieces of a size, as many as wanted.
class Pieces final : public BodyReader {
 public:
  Pieces(std::size_t count, std::size_t size) : left_(count), piece_(size, 'p') {}
  Task<Result<std::string_view>> read() override {
    if (left_ == 0) co_return std::string_view();
    --left_;
    co_return std::string_view(piece_);
  }

 private:
  std::size_t left_;
  std::string piece_;
};

Task<Result<Response>> echo(RequestContext&, Request& request) {
  auto body = co_await read_all(*request.body, 10'000'000);
  if (!body) co_return std::unexpected(body.error());
  auto response =
      make_response(200, "text/plain", request.method + " " + request.target + " " + *body);
  response.headers.add("X-Host", request.authority);
  co_return response;
}

TEST(Http2ConnectionTest, AnswersRequestsOfOneConnectionSideBySide) {
  TestServer server(echo);
  Http2Client client(server);
  const auto a = client.request(get("/a"));
  const auto b = client.request(get("/b", "POST"), std::string(300'000, 'x'));
  const auto& first = client.finish(a);
  EXPECT_EQ(first.fields.at(":status"), "200");
  EXPECT_EQ(first.fields.at("x-host"), "a.test");
  EXPECT_EQ(first.fields.at("content-length"), "7");
  EXPECT_EQ(first.fields.count("date"), 1u);
  EXPECT_EQ(first.body, "GET /a ");
  EXPECT_EQ(client.finish(b).body, "POST /b " + std::string(300'000, 'x'));
}

TEST(Http2ConnectionTest, SendsNoBodyForHeadButItsLength) {
  TestServer server(echo);
  Http2Client client(server);
  const auto& answer = client.finish(client.request(get("/abc", "HEAD")));
  EXPECT_EQ(answer.fields.at("content-length"), "10");
  EXPECT_EQ(answer.body, "");
}

TEST(Http2ConnectionTest, StreamsMoreThanAnyWindow) {
  TestServer server([](RequestContext&, Request&) -> Task<Result<Response>> {
    Response response;
    response.body = Body(std::make_unique<Pieces>(400, 10'000));
    co_return response;
  });
  Http2Client client(server);
  const auto& answer = client.finish(client.request(get("/")));
  EXPECT_EQ(answer.body.size(), 4'000'000u);
  EXPECT_EQ(answer.closed, 0u);
}

TEST(Http2ConnectionTest, CancelsTheHandlerWhenItsStreamIsReset) {
  struct Guard {
    std::atomic<int>& count;
    ~Guard() { ++count; }
  };
  std::atomic<int> started = 0;
  std::atomic<int> ended = 0;
  TestServer server([&](RequestContext& context, Request&) -> Task<Result<Response>> {
    const Guard guard{ended};
    ++started;
    runtime::Notifier never(context.shard.executor());
    co_await never.wait();
    co_await never.wait();
    co_return Response();
  });
  Http2Client client(server);
  const auto id = client.request(get("/"));
  ASSERT_TRUE(client.run_until([&] { return started == 1; }));
  nghttp2_submit_rst_stream(client.peer().session, 0, id, NGHTTP2_CANCEL);
  EXPECT_TRUE(client.run_until([&] { return ended == 1; }));
}

TEST(Http2ConnectionTest, CancelsItsHandlersWhenTheClientLeaves) {
  std::atomic<int> started = 0;
  std::atomic<int> ended = 0;
  struct Guard {
    std::atomic<int>& count;
    ~Guard() { ++count; }
  };
  TestServer server([&](RequestContext& context, Request&) -> Task<Result<Response>> {
    const Guard guard{ended};
    ++started;
    runtime::Notifier never(context.shard.executor());
    co_await never.wait();
    co_await never.wait();
    co_return Response();
  });
  {
    Http2Client client(server);
    client.request(get("/1"));
    client.request(get("/2"));
    ASSERT_TRUE(client.run_until([&] { return started == 2; }));
  }
  for (int i = 0; i < 500 && ended != 2; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(ended, 2);
}

TEST(Http2ConnectionTest, ResetsAStreamWhoseBodyWasCutInsteadOfEndingIt) {
  class Cut final : public BodyReader {
   public:
    Task<Result<std::string_view>> read() override {
      if (std::exchange(given_, true)) co_return fail(ErrorCode::kUnavailable, "cut");
      co_return std::string_view("half");
    }

   private:
    bool given_ = false;
  };
  TestServer server([](RequestContext&, Request&) -> Task<Result<Response>> {
    Response response;
    response.body = Body(std::make_unique<Cut>());
    co_return response;
  });
  Http2Client client(server);
  EXPECT_EQ(client.finish(client.request(get("/"))).closed, codec::Http2Session::kInternalError);
}

TEST(Http2ConnectionTest, RefusesWhatHttp1WouldRefuse) {
  TestServer server(echo);
  Http2Client client(server);
  EXPECT_EQ(client.finish(client.request({{":method", "CONNECT"}, {":authority", "a:1"}}))
                .fields.at(":status"),
            "501");
  auto bad = get("/");
  bad[2].second = "user@host";
  const auto& answer = client.finish(client.request(bad));
  EXPECT_TRUE(answer.closed != 0u || answer.fields.at(":status") == "400");
  auto large = get("/");
  for (int i = 0; i < 200; ++i) large.emplace_back("x-" + std::to_string(i), "v");
  EXPECT_EQ(client.finish(client.request(large)).fields.at(":status"), "431");
  EXPECT_EQ(client.finish(client.request(get("/still"))).body, "GET /still ");
}

TEST(Http2ConnectionTest, DropsAClientThatTakesNothing) {
  ServerConfig config;
  config.write_timeout = 200ms;
  TestServer server(
      [](RequestContext&, Request&) -> Task<Result<Response>> {
        Response response;
        response.body = Body(std::make_unique<Pieces>(1'000, 10'000));
        co_return response;
      },
      config);
  Http2Client client(server);
  nghttp2_session_set_local_window_size(client.peer().session, 0, 0, 1);
  nghttp2_settings_entry none{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0};
  nghttp2_submit_settings(client.peer().session, 0, &none, 1);
  const auto& answer = client.finish(client.request(get("/")));
  EXPECT_NE(answer.closed, 0u);
  EXPECT_EQ(server.count("conciergus_http_timeouts_total", {{"of", "write"}}), 1u);
}

TEST(Http2ConnectionTest, LetsOpenStreamsFinishWhenTheServerDrains) {
  std::atomic<bool> go = false;
  std::atomic<bool> started = false;
  TestServer server([&](RequestContext& context, Request&) -> Task<Result<Response>> {
    started = true;
    asio::steady_timer timer(context.shard.io());
    while (!go) {
      timer.expires_after(5ms);
      co_await timer.async_wait(asio::use_awaitable);
    }
    co_return make_response(200, "text/plain", "finished");
  });
  Http2Client client(server);
  const auto id = client.request(get("/"));
  ASSERT_TRUE(client.run_until([&] { return started.load(); }));
  std::jthread drain([&] { server.server().drain(5s); });
  ASSERT_TRUE(client.run_until([&] { return client.peer().goaway.has_value(); }));
  EXPECT_EQ(client.peer().goaway, 0u);
  go = true;
  EXPECT_EQ(client.finish(id).body, "finished");
  EXPECT_FALSE(client.run_until([] { return false; }, 2s));
  EXPECT_TRUE(client.has_ended());
}

TEST(Http2ConnectionTest, StillSpeaksHttp1OnTheSamePort) {
  TestServer server(echo);
  auto client = server.connect();
  client.send("GET /1 HTTP/1.1\r\nhost: a\r\n\r\n");
  EXPECT_THAT(client.read_response(), testing::EndsWith("GET /1 "));
}

}  // namespace
}  // namespace conciergus::http

/// The reverse proxy behind the real server: tunnels, interim responses, and clients that leave.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conciergus/http/proxy_handler.hpp"
#include "support/fake_upstream.hpp"
#include "support/test_server.hpp"

namespace conciergus::http {
namespace {
using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

/// Client, gateway and application, each on threads of its own.
class ProxyServerTest : public testing::Test {
 protected:
  void serve(FakeUpstream::Script app) {
    app_.emplace(std::move(app));
    handler_.emplace(clients_, ProxyConfig{.origin = {"http", "127.0.0.1", app_->port()}});
  }
  void TearDown() override {
    server_.server().stop();
    server_.runtime().on_every_shard(
        [this](runtime::Shard& shard) { return clients_.stop(shard); });
  }

  static constexpr std::string_view kUpgrade =
      "GET /socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
  static constexpr std::string_view kSwitching =
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

  std::optional<FakeUpstream> app_;
  std::optional<ProxyHandler> handler_;
  TestServer server_{[this](RequestContext& context, Request& request) {
    return handler_->handle(context, request);
  }};
  ClientSet clients_{server_.runtime(), {}};
};

TEST_F(ProxyServerTest, CarriesBytesBothWaysAfterSwitchingProtocols) {
  std::string head;
  serve([&](FakeConnection& app) {
    head = app.read_head();
    app.send(std::string(kSwitching) + "hello");
    app.send(app.read_bytes(100'000));
    app.is_closed_by_client();
  });
  auto client = server_.connect();
  client.send(kUpgrade);
  EXPECT_THAT(client.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 101 "));
  EXPECT_EQ(client.read_bytes(5), "hello");
  const std::string large(100'000, 'x');
  client.send(large);
  EXPECT_EQ(client.read_bytes(large.size()), large);
  client.close();
  EXPECT_THAT(head, HasSubstr("\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"));
}

TEST_F(ProxyServerTest, HoldsBytesBehindAnUpgradeUntilTheApplicationHasAgreed) {
  std::string before;
  serve([&](FakeConnection& app) {
    app.read_head();
    app.pause(30ms);
    before = app.read_available();
    app.send(kSwitching);
    app.send(app.read_bytes(5));
  });
  auto client = server_.connect();
  client.send(std::string(kUpgrade) + "early");
  client.read_until("\r\n\r\n");
  EXPECT_EQ(client.read_bytes(5), "early");
  EXPECT_EQ(before, "");
}

TEST_F(ProxyServerTest, PassesOnTheEndOfOneDirectionAndKeepsTheOther) {
  serve([&](FakeConnection& app) {
    app.read_head();
    app.send(kSwitching);
    std::string all = app.read_bytes(1'000);  // until the client has ended its side
    app.send("got " + all);
  });
  auto client = server_.connect();
  client.send(kUpgrade);
  client.read_until("\r\n\r\n");
  client.send("last words");
  client.finish_sending();
  EXPECT_EQ(client.read_all(), "got last words");
}

TEST_F(ProxyServerTest, AnswersAsUsualWhenTheApplicationRefusesToSwitch) {
  serve(FakeUpstream::answer("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"));
  auto client = server_.connect();
  client.send(kUpgrade);
  const auto response = client.read_response();
  EXPECT_THAT(response, StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(response, HasSubstr("\r\n\r\nno"));
}

TEST_F(ProxyServerTest, PassesEarlyHintsOn) {
  serve([](FakeConnection& app) {
    app.read_head();
    app.send("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n");
    app.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    app.is_closed_by_client();
  });
  auto client = server_.connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(client.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 103 "));
  EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ProxyServerTest, SendsEachEventAtOnce) {
  std::atomic<bool> seen{false};
  serve([&](FakeConnection& app) {
    app.read_head();
    app.send(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: "
        "chunked\r\n\r\n9\r\ndata: 1\n\n\r\n");
    for (int i = 0; i < 500 && !seen; ++i) app.pause(10ms);
    app.send("9\r\ndata: 2\n\n\r\n0\r\n\r\n");
    app.is_closed_by_client();
  });
  auto client = server_.connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(client.read_until("data: 1\n\n"), HasSubstr("no-transform"));
  seen = true;
  EXPECT_THAT(client.read_until("0\r\n\r\n"), HasSubstr("data: 2"));
}

TEST_F(ProxyServerTest, LeavesTheApplicationWhenTheClientLeaves) {
  std::atomic<bool> begun{false};
  std::atomic<bool> left{false};
  serve([&](FakeConnection& app) {
    app.read_head();
    begun = true;
    left = app.is_closed_by_client();
  });
  {
    auto client = server_.connect();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    for (int i = 0; i < 500 && !begun; ++i) std::this_thread::sleep_for(5ms);
  }
  for (int i = 0; i < 500 && !left; ++i) std::this_thread::sleep_for(5ms);
  EXPECT_TRUE(left);
}

TEST_F(ProxyServerTest, TellsOfADeadApplicationByStatus) {
  serve([](FakeConnection& app) { app.reset(); });
  auto client = server_.connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 502 "));
}

}  // namespace
}  // namespace conciergus::http

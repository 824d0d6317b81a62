// Faults of the network below a provider, with real sockets.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conciergus/runtime/with_deadline.hpp"
#include "support/fake_upstream.hpp"
#include "support/llm_gateway.hpp"

namespace conciergus {
namespace {

using llm::Protocol;
using testing::HasSubstr;
using namespace std::chrono_literals;

constexpr std::string_view kWhole =
    R"({"id":"c1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hello."},"finish_reason":"stop"}]})";
constexpr std::string_view kSseHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";

std::string whole_answer() {
  return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(kWhole.size()) + "\r\n\r\n" + std::string(kWhole);
}

std::string token(std::string_view text) {
  return R"(data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":")" +
         std::string(text) + "\"},\"finish_reason\":null}]}\n\n";
}

llm::LlmConfig for_upstream(const std::string& url, std::vector<std::string> keys = {"sk-1"}) {
  llm::LlmConfig config;
  llm::ProviderConfig provider;
  provider.name = "upstream";
  provider.base_url = url;
  for (std::string& key : keys) provider.keys.emplace_back(std::move(key));
  config.providers.push_back(std::move(provider));
  config.timeouts = {
      .connect = 200ms, .headers = 150ms, .first_content = 300ms, .stall = 200ms, .total = 3s};
  return config;
}

Reply ask(LlmGateway& gateway, bool is_stream = false) {
  return gateway.ask_now(Protocol::kChatCompletions,
                         question_in(Protocol::kChatCompletions, "m", is_stream));
}

TEST(LlmNetworkTest, CallsTheProviderWithItsOwnKey) {
  std::string seen;
  FakeUpstream upstream([&](FakeConnection& connection) {
    seen = connection.read_request();
    connection.send(whole_answer());
  });
  LlmGateway gateway(for_upstream(upstream.url()));
  const Reply reply = gateway.ask_now(Protocol::kChatCompletions,
                                      question_in(Protocol::kChatCompletions, "m", false),
                                      {{"authorization", "Bearer sk-client"}});
  EXPECT_EQ(reply.status, 200u) << reply.body;
  EXPECT_EQ(reply.body, kWhole);
  EXPECT_THAT(seen, testing::StartsWith("POST /v1/chat/completions HTTP/1.1\r\n"));
  EXPECT_THAT(seen, HasSubstr("Bearer sk-1"));
  EXPECT_THAT(seen, testing::Not(HasSubstr("sk-client")));
}

TEST(LlmNetworkTest, RotatesToAnotherKeyAtOnce) {
  for (const char* status : {"401 Unauthorized", "403 Forbidden", "429 Too Many Requests"}) {
    FakeUpstream upstream([&](FakeConnection& connection) {
      for (;;) {
        const std::string request = connection.read_request();
        if (request.empty()) return;
        const bool is_first = request.contains("sk-1");
        connection.send(
            is_first ? std::string("HTTP/1.1 ") + status +
                           "\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
                     : whole_answer());
      }
    });
    LlmGateway gateway(for_upstream(upstream.url(), {"sk-1", "sk-2"}));
    const Reply reply = ask(gateway);
    EXPECT_EQ(reply.status, 200u) << status;
    EXPECT_EQ(reply.headers.get("x-conciergus-attempts"), "2");
  }
}

TEST(LlmNetworkTest, RepeatsACallOnAConnectionThatHadDied) {
  std::atomic<int> requests = 0;
  FakeUpstream upstream([&](FakeConnection& connection) {
    if (connection.read_request().empty()) return;
    ++requests;
    connection.send(whole_answer());
    if (requests == 1 && !connection.read_request().empty()) ++requests;  // and closes unanswered
  });
  LlmGateway gateway(for_upstream(upstream.url()));
  const auto body = [](std::string_view text) {
    return question_in(Protocol::kChatCompletions, "m", false, text);
  };
  EXPECT_EQ(gateway.ask_now(Protocol::kChatCompletions, body("one")).status, 200u);
  const Reply reply = gateway.ask_now(Protocol::kChatCompletions, body("two"));
  EXPECT_EQ(reply.status, 200u) << reply.body;
  EXPECT_EQ(reply.headers.get("x-conciergus-attempts"), "1");
  EXPECT_EQ(requests, 3);
}

TEST(LlmNetworkTest, SaysThatNobodyIsThere) {
  std::string url;
  {
    url = FakeUpstream([](FakeConnection&) {}).url();
  }
  LlmGateway gateway(for_upstream(url));
  const Reply reply = ask(gateway);
  EXPECT_EQ(reply.status, 502u);
  EXPECT_THAT(reply.body, HasSubstr("upstream_unreachable"));
  EXPECT_THAT(reply.body, testing::Not(HasSubstr("127.0.0.1")));
}

TEST(LlmNetworkTest, AnswersAResetBeforeTheHead) {
  FakeUpstream upstream([](FakeConnection& connection) {
    connection.read_request();
    connection.reset();
  });
  LlmGateway gateway(for_upstream(upstream.url()));
  EXPECT_EQ(ask(gateway).status, 502u);
}

TEST(LlmNetworkTest, GivesASilentProviderUpInTime) {
  FakeUpstream upstream([](FakeConnection& connection) {
    connection.read_request();
    EXPECT_TRUE(connection.is_closed_by_client());
  });
  LlmGateway gateway(for_upstream(upstream.url()));
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(ask(gateway).status, 504u);
  const auto took = std::chrono::steady_clock::now() - began;
  EXPECT_GE(took, 150ms);
  EXPECT_LT(took, 150ms + 100ms);
}

TEST(LlmNetworkTest, CountsOnlyContentAgainstTheFirstContentTimeout) {
  FakeUpstream upstream([](FakeConnection& connection) {
    connection.read_request();
    connection.send(kSseHead);
    while (connection.send(": ping\n\n")) connection.pause(20ms);
  });
  LlmGateway gateway(for_upstream(upstream.url()));
  const Reply reply = ask(gateway, true);
  EXPECT_EQ(reply.status, 504u);
  EXPECT_THAT(reply.body, HasSubstr("upstream_timeout"));
}

TEST(LlmNetworkTest, TellsACutByContentLength) {
  FakeUpstream upstream([](FakeConnection& connection) {
    connection.read_request();
    connection.send(whole_answer().substr(0, 150));
  });
  LlmGateway gateway(for_upstream(upstream.url()));
  const Reply reply = ask(gateway);
  EXPECT_EQ(reply.status, 502u);
  EXPECT_THAT(reply.body, HasSubstr("upstream_truncated"));
}

TEST(LlmNetworkTest, TellsACutStreamHonestly) {
  FakeUpstream upstream([](FakeConnection& connection) {
    connection.read_request();
    connection.send(kSseHead);
    for (const char* text : {"one ", "two ", "three "}) connection.send(token(text));
    connection.reset();
  });
  LlmGateway gateway(for_upstream(upstream.url()));
  const Reply reply = ask(gateway, true);
  EXPECT_EQ(reply.status, 200u);
  EXPECT_THAT(reply.body, HasSubstr("upstream_truncated"));
  EXPECT_EQ(reply.events().back(), "[DONE]");
}

TEST(LlmNetworkTest, NeverFollowsARedirect) {
  FakeUpstream upstream([](FakeConnection& connection) {
    connection.read_request();
    connection.send(
        "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: "
        "0\r\n\r\n");
  });
  LlmGateway gateway(for_upstream(upstream.url()));
  EXPECT_EQ(ask(gateway).status, 502u);
  EXPECT_EQ(upstream.connections(), 1);
}

TEST(LlmNetworkTest, RefusesAHeadOverTheLimits) {
  FakeUpstream upstream([](FakeConnection& connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\nX-Large: " + std::string(200'000, 'x') + "\r\n\r\n");
  });
  LlmGateway gateway(for_upstream(upstream.url()));
  EXPECT_EQ(ask(gateway).status, 502u);
}

TEST(LlmNetworkTest, PassesBytesThroughUntouched) {
  const std::string odd =
      "event: x-vendor\r\ndata: {\"choices\":[ ], \"vendor\" : 1}\r\n\r\n" + token("hi") +
      "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: "
      "[DONE]\n\n";
  FakeUpstream upstream([&](FakeConnection& connection) {
    connection.read_request();
    connection.send(kSseHead);
    connection.send(odd);
  });
  LlmGateway gateway(for_upstream(upstream.url()));
  EXPECT_EQ(ask(gateway, true).body, odd);
}

TEST(LlmNetworkTest, EndsTheUpstreamCallWhenTheLastClientLeaves) {
  std::atomic<bool> has_begun = false;
  std::atomic<std::int64_t> closed_at = 0;
  const auto now = [] { return std::chrono::steady_clock::now().time_since_epoch().count(); };
  FakeUpstream upstream([&](FakeConnection& connection) {
    connection.read_request();
    connection.send(kSseHead);
    connection.send(token("one"));
    has_begun = true;
    if (connection.is_closed_by_client()) closed_at = now();
  });
  auto config = for_upstream(upstream.url());
  config.timeouts.stall = 10s;
  LlmGateway gateway(std::move(config));
  std::int64_t left_at = 0;
  gateway.shard().run([&]() -> Task<void> {
    const auto leave = [](LlmGateway& at) -> Task<Result<Reply>> {
      co_return co_await at.ask(Protocol::kChatCompletions,
                                question_in(Protocol::kChatCompletions, "m", true));
    };
    const Deadline soon(gateway.shard().get().now() + 300ms);
    const auto reply = co_await runtime::with_deadline(leave(gateway), soon);
    EXPECT_FALSE(reply);
    left_at = now();
    asio::steady_timer timer(gateway.shard().get().executor());
    while (closed_at == 0 && now() - left_at < std::chrono::nanoseconds(2s).count()) {
      timer.expires_after(5ms);
      co_await timer.async_wait(asio::use_awaitable);
    }
  });
  EXPECT_TRUE(has_begun);
  ASSERT_GT(closed_at, 0) << "the upstream call went on";
  EXPECT_LT(closed_at - left_at, std::chrono::nanoseconds(100ms).count());
}

}  // namespace
}  // namespace conciergus

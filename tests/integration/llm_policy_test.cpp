// What routes decide differently, and what a request may tighten.
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/fake_upstream.hpp"
#include "support/llm_gateway.hpp"

namespace conciergus {
namespace {

using llm::Protocol;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using namespace asio::experimental::awaitable_operators;
using namespace std::chrono_literals;

/// Models called "never-…" are never cached and soon given up; all others are cached.
llm::LlmConfig two_routes() {
  auto config = LlmGateway::simulated();
  config.cache.policy = llm::CachePolicy::kAny;
  const std::vector<llm::TargetConfig> targets{{.provider = "simulated", .model = {}}};
  llm::ModelConfig never{.pattern = "never-*", .targets = targets};
  never.cache.policy = llm::CachePolicy::kNever;
  never.timeouts.first_content = 50ms;
  config.models = {never, {.pattern = "*", .targets = targets}};
  return config;
}

llm::LlmConfig for_upstream(const std::string& url) {
  llm::LlmConfig config;
  config.providers.emplace_back();
  config.providers.back().name = "upstream";
  config.providers.back().base_url = url;
  return config;
}

class LlmPolicyTest : public testing::Test {
 protected:
  LlmGateway gateway_{two_routes()};

  Reply ask(std::string_view model, LlmGateway::Fields headers = {}) {
    const auto body = question_in(Protocol::kChatCompletions, model, false);
    return gateway_.ask_now(Protocol::kChatCompletions, body, headers);
  }
};

TEST_F(LlmPolicyTest, CachesByTheRoute) {
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(ask("never-m").cache(), "conciergus; fwd=bypass; detail=policy");
  }
  EXPECT_EQ(ask("m").cache(), "conciergus; fwd=miss");
  EXPECT_THAT(ask("m").cache(), StartsWith("conciergus; hit; ttl="));
}

TEST_F(LlmPolicyTest, WaitsForContentAsLongAsTheRouteOrTheRequestSays) {
  // the list behind `headers` lives only as long as the call that it is written in
  const auto gives_up_soon = [&](std::string_view model, LlmGateway::Fields headers) {
    const auto began = std::chrono::steady_clock::now();
    const Reply reply = ask(model, headers);
    EXPECT_EQ(reply.status, 504u) << reply.body;
    EXPECT_THAT(reply.body, HasSubstr("upstream_timeout"));
    EXPECT_LT(std::chrono::steady_clock::now() - began, 2s) << "the default is a minute";
  };
  gives_up_soon("never-m!silence", {});
  gives_up_soon("m!silence", {{"x-conciergus-timeout-first-content", "50"}});
}

TEST_F(LlmPolicyTest, KeepsAnAnswerNoLongerThanTheRequestAsks) {
  EXPECT_EQ(ask("m", {{"x-conciergus-cache-ttl", "5"}}).cache(), "conciergus; fwd=miss");
  const auto hit = ask("m").cache();
  EXPECT_THAT(hit, testing::AnyOf("conciergus; hit; ttl=5", "conciergus; hit; ttl=4")) << hit;
}

TEST_F(LlmPolicyTest, RefusesALimitThatIsNone) {
  EXPECT_EQ(ask("m").status, 200u);  // that the question is known does not help
  for (const char* name : {"x-conciergus-cache-ttl", "x-conciergus-timeout-total"}) {
    const Reply reply = ask("m", {{name, "soon"}});
    EXPECT_EQ(reply.status, 400u);
    EXPECT_THAT(reply.body, HasSubstr(name));
  }
}

TEST(LlmPolicyNetworkTest, DoesNotSendLimitsOn) {
  std::string seen;
  FakeUpstream upstream([&](FakeConnection& connection) {
    seen = connection.read_request();
    connection.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\n{}");
  });
  LlmGateway gateway(for_upstream(upstream.url()));
  const Reply reply =
      gateway.ask_now(Protocol::kChatCompletions,
                      question_in(Protocol::kChatCompletions, "m", false),
                      {{"x-conciergus-cache-ttl", "5"}, {"x-conciergus-timeout-total", "5000"}});
  EXPECT_EQ(reply.status, 400u) << reply.body;
  EXPECT_THAT(seen, StartsWith("POST /v1/chat/completions "));
  EXPECT_THAT(seen, Not(HasSubstr("conciergus-")));
}

TEST(LlmPolicyNetworkTest, DoesNotLetAHurriedRequestEndTheWaitOfOthers) {
  FakeUpstream upstream([](FakeConnection& connection) {
    connection.read_request();
    connection.pause(200ms);
    connection.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\n{}");
  });
  LlmGateway gateway(for_upstream(upstream.url()));
  gateway.shard().run([&]() -> Task<void> {
    const auto body = question_in(Protocol::kChatCompletions, "m", false);
    const auto [hurried, patient] = co_await (
        gateway.ask(Protocol::kChatCompletions, body, {{"x-conciergus-timeout-total", "50"}}) &&
        gateway.ask(Protocol::kChatCompletions, body));
    EXPECT_EQ(hurried.status, 504u);
    EXPECT_EQ(patient.status, 400u) << patient.body;
  });
}

}  // namespace
}  // namespace conciergus

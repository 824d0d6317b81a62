#include "conciergus/llm/route_policy.hpp"

#include <gmock/gmock.h>

#include "conciergus/llm/model_map.hpp"

namespace conciergus::llm {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

LlmConfig two_routes() {
  LlmConfig config;
  config.providers.emplace_back();
  config.providers.back().name = "p";
  config.providers.back().kind = ProviderKind::kSimulated;
  config.timeouts.total = 90s;
  config.cache = {.policy = CachePolicy::kAny, .ttl = 600s, .short_ttl = 60s};
  ModelConfig own{.pattern = "own", .targets = {{.provider = "p", .model = {}}}};
  own.timeouts = {.first_content = 5s, .total = 100s};
  own.cache = {.policy = CachePolicy::kNever, .ttl = 30s, .coalesce = false};
  own.on_disconnect = DisconnectPolicy::kDrain;
  config.models = {own, {.pattern = "*", .targets = own.targets}};
  return config;
}

TEST(RoutePolicyTest, OverridesWhatTheModelSetsAndInheritsTheRest) {
  const LlmConfig config = two_routes();
  const ModelMap models(config);
  const RoutePolicy own = *models.resolve("own", Protocol::kMessages).policy;
  EXPECT_EQ(own.timeouts.first_content, 5s);
  EXPECT_EQ(own.timeouts.total, 100s);
  EXPECT_EQ(own.timeouts.stall, config.timeouts.stall);
  EXPECT_EQ(own.cache.policy, CachePolicy::kNever);
  EXPECT_EQ(own.cache.ttl, 30s);
  EXPECT_EQ(own.cache.short_ttl, 60s);
  EXPECT_FALSE(own.cache.coalesce);
  EXPECT_EQ(own.on_disconnect, DisconnectPolicy::kDrain);

  const RoutePolicy other = *models.resolve("other", Protocol::kMessages).policy;
  EXPECT_EQ(other.timeouts.first_content, config.timeouts.first_content);
  EXPECT_EQ(other.timeouts.total, 90s);
  EXPECT_EQ(other.cache.policy, CachePolicy::kAny);
  EXPECT_EQ(other.cache.ttl, 600s);
  EXPECT_TRUE(other.cache.coalesce);
  EXPECT_EQ(other.on_disconnect, DisconnectPolicy::kCancel);
  EXPECT_EQ(models.longest_total(), 100s);
}

TEST(RoutePolicyTest, ChecksOverridesAsItChecksWhatHoldsForAll) {
  LlmConfig config = two_routes();
  config.models[1].timeouts.stall = 1ms;
  config.models[1].cache.ttl = 0s;
  EXPECT_THAT(
      config.validate(),
      ElementsAre(StartsWith("models[1].timeouts.stall: "), StartsWith("models[1].cache.ttl: ")));
}

TEST(RoutePolicyTest, LetsARequestShortenEachTime) {
  RoutePolicy policy;
  const http::Headers headers{{"x-conciergus-cache-ttl", "7"},
                              {"X-Conciergus-Timeout-Connect", "11"},
                              {"x-conciergus-timeout-headers", " 12 "},
                              {"x-conciergus-timeout-first-content", "13"},
                              {"x-conciergus-timeout-stall", "14"},
                              {"x-conciergus-timeout-total", "15"}};
  ASSERT_TRUE(tighten(policy, headers));
  EXPECT_EQ(policy.cache.ttl, 7s);
  EXPECT_EQ(policy.timeouts.connect, 11ms);
  EXPECT_EQ(policy.timeouts.headers, 12ms);
  EXPECT_EQ(policy.timeouts.first_content, 13ms);
  EXPECT_EQ(policy.timeouts.stall, 14ms);
  EXPECT_EQ(policy.timeouts.total, 15ms);
}

TEST(RoutePolicyTest, NeverLetsARequestLengthenATime) {
  RoutePolicy policy{.timeouts = {.total = 60s}, .cache = {.ttl = 60s}};
  const http::Headers headers{{"x-conciergus-cache-ttl", "61"},
                              {"x-conciergus-timeout-total", "18446744073709551615"}};
  ASSERT_TRUE(tighten(policy, headers));
  EXPECT_EQ(policy.cache.ttl, 60s);
  EXPECT_EQ(policy.timeouts.total, 60s);
}

TEST(RoutePolicyTest, NamesTheFieldThatItCannotObey) {
  for (const char* value : {"", "0", "-1", "1.5", "5s", "1, 2", "18446744073709551616"}) {
    for (const char* name : {"x-conciergus-cache-ttl", "x-conciergus-timeout-stall"}) {
      RoutePolicy policy;
      const auto tightened = tighten(policy, {{name, value}});
      ASSERT_FALSE(tightened) << value;
      EXPECT_THAT(tightened.error().detail(), HasSubstr(name));
    }
  }
  RoutePolicy policy;
  EXPECT_FALSE(tighten(policy, {{"x-conciergus-timeout-first", "5"}}));
}

TEST(RoutePolicyTest, TellsRequestsOfDifferentLimitsApart) {
  EXPECT_EQ(limit_fields({{"accept", "*/*"}, {"x-conciergus-signals", "1"}}), "");
  const auto five = limit_fields({{"accept", "*/*"}, {"x-conciergus-cache-ttl", "5"}});
  EXPECT_NE(five, limit_fields({{"x-conciergus-cache-ttl", "6"}}));
  EXPECT_NE(five, limit_fields({{"x-conciergus-timeout-stall", "5"}}));
  EXPECT_EQ(five, limit_fields({{"x-conciergus-cache-ttl", "5"}}));
}

}  // namespace
}  // namespace conciergus::llm

#include "conciergus/llm/cache_decision.hpp"

#include <gmock/gmock.h>

namespace conciergus::llm {
namespace {
using namespace std::chrono_literals;

CacheDecision decide(const RequestFacts& facts,
                     CachePolicy policy = CachePolicy::kAuto,
                     std::string_view control = "") {
  return decide_caching({.policy = policy, .ttl = 3'600s, .short_ttl = 600s},
                        facts,
                        RequestCacheControl::parse(control),
                        true,
                        true);
}

TEST(CacheDecisionTest, CachesDeterministicRequestsForTheFullTime) {
  for (const RequestFacts& facts : {RequestFacts{.temperature = 0.0},
                                    RequestFacts{.temperature = 1.0, .has_seed = true},
                                    RequestFacts{.is_deterministic = true}}) {
    const auto decision = decide(facts);
    EXPECT_TRUE(decision.may_look_up && decision.may_store && decision.may_coalesce);
    EXPECT_EQ(decision.ttl, 3'600s);
    EXPECT_EQ(decision.bypass, "");
  }
}

TEST(CacheDecisionTest, CachesARequestWithoutTemperatureForAShorterTime) {
  EXPECT_TRUE(decide({}).may_store);
  EXPECT_EQ(decide({}).ttl, 600s);
  EXPECT_EQ(decide_caching({.ttl = 60s, .short_ttl = 600s}, {}, {}, true, true).ttl, 60s);
  EXPECT_FALSE(decide({}, CachePolicy::kDeterministicOnly).may_store);
}

TEST(CacheDecisionTest, DoesNotCacheAboveTheTemperatureBoundButStillShares) {
  const auto decision = decide({.temperature = 0.7});
  EXPECT_FALSE(decision.may_look_up || decision.may_store);
  EXPECT_TRUE(decision.may_coalesce);
  EXPECT_EQ(decision.bypass, "temperature");
  EXPECT_TRUE(
      decide_caching({.temperature_bound = 0.7}, {.temperature = 0.7}, {}, true, true).may_store);
}

TEST(CacheDecisionTest, LeavesSeveralChoicesToThePolicyAny) {
  EXPECT_EQ(decide({.temperature = 0.0, .choices = 2}).bypass, "choices");
  EXPECT_TRUE(decide({.temperature = 1.0, .choices = 2}, CachePolicy::kAny).may_store);
}

TEST(CacheDecisionTest, ObeysThePolicyNever) {
  const auto decision = decide({.temperature = 0.0}, CachePolicy::kNever);
  EXPECT_FALSE(decision.may_look_up || decision.may_store);
  EXPECT_EQ(decision.bypass, "policy");
}

TEST(CacheDecisionTest, NeitherCachesNorSharesWhatIsForbiddenUnscopedOrAmbiguous) {
  const RequestFacts forbidden{.temperature = 0.0, .forbids = "provider-tools"};
  for (const auto& [decision, reason] :
       {std::pair{decide(forbidden, CachePolicy::kAny), "provider-tools"},
        std::pair{decide_caching({}, {}, {}, false, true), "scope"},
        std::pair{decide_caching({}, {}, {}, true, false), "duplicate-members"}}) {
    EXPECT_FALSE(decision.may_look_up || decision.may_store || decision.may_coalesce);
    EXPECT_EQ(decision.bypass, reason);
  }
}

TEST(CacheDecisionTest, RefreshesOnNoCacheAndRegeneration) {
  for (const auto& decision :
       {decide({}, CachePolicy::kAuto, "no-cache"), decide({.is_regeneration = true})}) {
    EXPECT_FALSE(decision.may_look_up || decision.may_coalesce);
    EXPECT_TRUE(decision.may_store);
    EXPECT_NE(decision.bypass, "");
  }
}

TEST(CacheDecisionTest, ReadsButDoesNotWriteOnNoStore) {
  const auto decision = decide({}, CachePolicy::kAuto, "no-store");
  EXPECT_TRUE(decision.may_look_up);
  EXPECT_FALSE(decision.may_store);
  EXPECT_EQ(decision.bypass, "no-store");
}

TEST(RequestCacheControlTest, ParsesTheDirectivesThatApply) {
  const auto control = RequestCacheControl::parse("No-Cache, max-age=60 ,only-if-cached,,x=\"y\"");
  EXPECT_TRUE(control.no_cache);
  EXPECT_TRUE(control.only_if_cached);
  EXPECT_FALSE(control.no_store);
  EXPECT_EQ(control.max_age, 60s);
  EXPECT_EQ(RequestCacheControl::parse("max-age=\"5\"").max_age, 5s);
  EXPECT_EQ(RequestCacheControl::parse("max-age=x").max_age, 0s);
  EXPECT_EQ(RequestCacheControl::parse("max-age").max_age, 0s);
  EXPECT_EQ(RequestCacheControl::parse("max-age=").max_age, 0s);
  EXPECT_EQ(RequestCacheControl::parse("").max_age, std::nullopt);
}

}  // namespace
}  // namespace conciergus::llm

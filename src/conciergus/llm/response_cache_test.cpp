#include "conciergus/llm/response_cache.hpp"

#include <gtest/gtest.h>

#include "conciergus/cache/memory_store.hpp"
#include "conciergus/llm/cache_status.hpp"
#include "conciergus/llm/request_memo.hpp"
#include "support/manual_clock.hpp"
#include "support/run_coro.hpp"

namespace conciergus::llm {
namespace {
using namespace std::chrono_literals;
using std::chrono::seconds;

constexpr CacheDecision kFull{.may_look_up = true, .may_store = true, .ttl = 3'600s};
constexpr CacheDecision kShort{.may_look_up = true, .may_store = true, .ttl = 600s};

/// A store in trouble.
class BrokenStore final : public cache::Store {
 public:
  Task<Result<std::optional<cache::Entry>>> get(std::string_view, Deadline) override {
    co_return fail(ErrorCode::kTimeout, "too slow");
  }
  Task<Result<void>> put(std::string_view, std::string_view, cache::Ttl, Deadline) override {
    co_return fail(ErrorCode::kUnavailable, "away");
  }
  Task<Result<bool>> erase(std::string_view, Deadline) override {
    co_return fail(ErrorCode::kUnavailable, "away");
  }
  Task<Result<void>> clear(Deadline) override { co_return Result<void>{}; }
  cache::StoreStats stats() const override { return {}; }
};

class ResponseCacheTest : public ::testing::Test {
 protected:
  std::string record() const {
    RecordFacts facts;
    facts.is_stream = false;
    facts.created = clock_.wall_now();
    facts.cost = 0.25;
    return make_record(facts, {}, "{\"answer\":42}").value();
  }
  bool store(const CacheDecision& decision) {
    bool kept = false;
    run_coro([&]() -> Task<void> { kept = co_await cache_.store(key_, record(), decision); });
    return kept;
  }
  std::optional<ResponseCache::Hit> look_up(const CacheDecision& decision,
                                            bool allow_stale = false) {
    std::optional<ResponseCache::Hit> hit;
    run_coro([&]() -> Task<void> {
      hit = co_await cache_.look_up(key_, decision, Deadline(), allow_stale);
    });
    return hit;
  }

  ManualClock clock_;
  observe::Registry metrics_;
  cache::MemoryStore store_{clock_, {metrics_, "llm"}};
  ResponseCache cache_{store_, clock_, metrics_, {.stale = 60s}};
  CacheKey key_;
};

TEST_F(ResponseCacheTest, TellsTheAgeAndTheTimeLeftOfAHit) {
  EXPECT_FALSE(look_up(kFull));
  EXPECT_TRUE(store(kFull));
  clock_.advance(100s);
  const auto hit = look_up(kFull);
  ASSERT_TRUE(hit);
  EXPECT_EQ(hit->record.whole(), "{\"answer\":42}");
  EXPECT_EQ(hit->age, 100s);
  EXPECT_EQ(hit->ttl, 3'500s);
  EXPECT_FALSE(hit->is_stale());
  EXPECT_EQ(cache_.metrics().hits.value(), 1u);
  EXPECT_EQ(cache_.metrics().misses.value(), 1u);
  EXPECT_EQ(cache_.metrics().saved.value(), 0.25);
}

TEST_F(ResponseCacheTest, KeepsAnAnswerForAsLongAsWasDecided) {
  store(kShort);
  EXPECT_EQ(look_up(kShort)->ttl, 600s);
  clock_.advance(601s);
  EXPECT_FALSE(look_up(kShort));
}

TEST_F(ResponseCacheTest, ServesPastItsTimeOnlyWhoAllowsIt) {
  store(kFull);
  clock_.advance(3'600s + 1ms);
  EXPECT_FALSE(look_up(kFull));
  const auto stale = look_up(kFull, true);
  ASSERT_TRUE(stale);
  EXPECT_TRUE(stale->is_stale());
  EXPECT_EQ(stale->ttl, -1s);
  clock_.advance(60s);
  EXPECT_FALSE(look_up(kFull, true));
}

TEST_F(ResponseCacheTest, NeitherLooksUpNorStoresAgainstTheDecision) {
  store(kFull);
  EXPECT_FALSE(look_up({.may_look_up = false, .may_store = true}));
  EXPECT_TRUE(look_up(kFull));
  store_.clear_now();
  EXPECT_FALSE(store({.may_look_up = true, .may_store = false, .ttl = 60s}));
  EXPECT_FALSE(store({.may_look_up = true, .may_store = true, .ttl = 0s}));
  EXPECT_FALSE(look_up(kFull));
}

TEST_F(ResponseCacheTest, HonoursTheRequestsMaxAge) {
  store(kFull);
  clock_.advance(30s);
  auto decision = kFull;
  decision.max_age = 30s;
  EXPECT_TRUE(look_up(decision));
  decision.max_age = 29s;
  EXPECT_FALSE(look_up(decision));
  decision.max_age = 0s;
  EXPECT_FALSE(look_up(decision));
}

TEST_F(ResponseCacheTest, DeletesADamagedRecord) {
  std::string damaged = record();
  damaged.back() = 'x';
  ASSERT_TRUE(store_.put_now(key_.view(), damaged, {1h}));
  EXPECT_FALSE(look_up(kFull));
  EXPECT_EQ(cache_.metrics().damaged.value(), 1u);
  EXPECT_FALSE(store_.find(key_.view()));
}

TEST_F(ResponseCacheTest, TakesAStoreInTroubleForAMiss) {
  BrokenStore broken;
  ResponseCache cache(broken, clock_, metrics_, {});
  run_coro([&]() -> Task<void> {
    EXPECT_FALSE(co_await cache.look_up(key_, kFull, Deadline()));
    EXPECT_FALSE(co_await cache.store(key_, "record", kFull));
  });
  EXPECT_EQ(cache.metrics().errors.value(), 2u);
}

TEST(CacheStatusTest, SaysWhatTheCacheDid) {
  using How = CacheStatus::How;
  EXPECT_EQ((CacheStatus{.how = How::kHit, .ttl = 312s}).to_string(), "hit; ttl=312");
  EXPECT_EQ((CacheStatus{.how = How::kHit, .ttl = -5s, .detail = "stale-if-error"}).to_string(),
            "hit; ttl=-5; detail=stale-if-error");
  EXPECT_EQ((CacheStatus{.how = How::kMiss, .stored = true}).to_string(), "fwd=miss; stored");
  EXPECT_EQ((CacheStatus{.how = How::kStale}).to_string(), "fwd=stale");
}

TEST(CacheStatusTest, NamesTheReasonOfEveryBypass) {
  EXPECT_EQ(forwarded(kFull, false).to_string(), "fwd=miss");
  EXPECT_EQ(forwarded(kFull, true).to_string(), "fwd=miss; collapsed");
  EXPECT_EQ(forwarded({.bypass = "temperature"}, false).to_string(),
            "fwd=bypass; detail=temperature");
  EXPECT_EQ(forwarded({.bypass = "temperature"}, true).to_string(),
            "fwd=miss; collapsed; detail=temperature");
  EXPECT_EQ(forwarded({.may_store = true, .bypass = "no-cache"}, false).to_string(),
            "fwd=request; detail=no-cache");
  EXPECT_EQ(forwarded({.may_look_up = true, .bypass = "no-store"}, false).to_string(),
            "fwd=miss; detail=no-store");
}

TEST(RequestMemoTest, TellsRequestsApartByEverythingThatCounts) {
  const std::string_view headers[] = {"v1", "beta"};
  const std::string_view shifted[] = {"v1b", "eta"};
  const RequestBytes base{1, Protocol::kMessages, "scope", "body", headers};
  const auto changed = [&](auto change) {
    RequestBytes other = base;
    change(other);
    return !(digest(other) == digest(base));
  };
  EXPECT_EQ(digest(base), digest(base));
  EXPECT_TRUE(changed([](auto& r) { r.generation = 2; }));
  EXPECT_TRUE(changed([](auto& r) { r.protocol = Protocol::kResponses; }));
  EXPECT_TRUE(changed([](auto& r) { r.scope = "other"; }));
  EXPECT_TRUE(changed([](auto& r) { r.body = "other"; }));
  EXPECT_TRUE(changed([&](auto& r) { r.headers = shifted; }));
  EXPECT_TRUE(changed([](auto& r) { r.headers = {}; }));
  EXPECT_TRUE(changed([](auto& r) { r.scope = "scopeb", r.body = "ody"; })) << "lengths count";
}

CacheKey numbered(int number) {
  CacheKey key;
  std::memcpy(key.digest.data(), &number, sizeof number);
  return key;
}

TEST(RequestMemoTest, KeepsNoMoreThanItsCapacityAndPrefersWhatIsAskedForAgain) {
  RequestMemo<int> memo(4);
  for (int i = 0; i < 4; ++i) memo.put(numbered(i), i);
  EXPECT_EQ(*memo.find(numbered(0)), 0);
  for (int i = 4; i < 7; ++i) memo.put(numbered(i), i);
  EXPECT_EQ(memo.size(), 4u);
  EXPECT_TRUE(memo.find(numbered(0)));
  for (int i = 1; i < 4; ++i) EXPECT_FALSE(memo.find(numbered(i)));
  memo.put(numbered(0), 10);
  EXPECT_EQ(*memo.find(numbered(0)), 10);
}

}  // namespace
}  // namespace conciergus::llm

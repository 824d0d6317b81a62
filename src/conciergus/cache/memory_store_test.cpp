#include "conciergus/cache/memory_store.hpp"

#include <atomic>
#include <thread>
#include <unordered_map>

#include "conciergus/base/random.hpp"
#include "conciergus/cache/testing/store_contract.hpp"

namespace conciergus::cache {
namespace {
using namespace std::chrono_literals;

class Fixture {
 public:
  explicit Fixture(MemoryStoreConfig config = {}) : store_(clock_, {registry_, "test"}, config) {}
  MemoryStore& store() { return store_; }
  ManualClock& clock() { return clock_; }
  CacheMetrics metrics() { return {registry_, "test"}; }

 private:
  ManualClock clock_;
  observe::Registry registry_;
  MemoryStore store_;
};

}  // namespace

namespace testing {
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, StoreContract, Fixture);
}  // namespace testing

namespace {

std::string bytes(const std::optional<Entry>& entry) {
  return entry ? std::string(entry->value.bytes()) : "(absent)";
}

TEST(MemoryStoreTest, RefusesAnItemOverItsLimitAndDropsWhatItWouldHaveReplaced) {
  Fixture fixture({.max_bytes = 1 << 20, .max_item_bytes = 1'000, .shards = 1});
  auto& store = fixture.store();
  ASSERT_TRUE(store.put_now("a", "old", {1h}));
  const auto refused = store.put_now("a", std::string(1'000, 'x'), {1h});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kTooLarge);
  EXPECT_FALSE(store.find("a"));
  EXPECT_TRUE(store.put_now("a", std::string(999, 'x'), {1h}));
}

TEST(MemoryStoreTest, RefusesAnItemOfMoreThanHalfAShard) {
  Fixture fixture({.max_bytes = 100'000, .shards = 1});
  EXPECT_TRUE(fixture.store().put_now("a", std::string(49'000, 'x'), {1h}));
  EXPECT_FALSE(fixture.store().put_now("a", std::string(50'001, 'x'), {1h}));
}

TEST(MemoryStoreTest, KeepsItsLimitOfItems) {
  Fixture fixture({.max_items = 10, .shards = 1});
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(fixture.store().put_now(std::to_string(i), "x", {1h}));
  EXPECT_EQ(fixture.store().stats().entries, 10u);
  EXPECT_TRUE(fixture.store().find("99"));
}

TEST(MemoryStoreTest, GrowsAnEntryWithoutLosingItOrPassingTheLimit) {
  Fixture fixture({.max_bytes = 64 * 1024, .max_item_bytes = 32 * 1024, .shards = 1});
  auto& store = fixture.store();
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(store.put_now(std::to_string(i), "some value", {1h}));
  for (std::size_t size = 1; size <= 30'000; size = size * 3 / 2 + 1) {
    ASSERT_TRUE(store.put_now("growing", std::string(size, 'x'), {1h}));
    ASSERT_EQ(bytes(store.find("growing")).size(), size);
    ASSERT_LE(store.stats().charged_bytes, store.stats().limit_bytes);
  }
}

TEST(MemoryStoreTest, AnswersARandomProgramAsAMapDoesAndNeverPassesItsLimit) {
  struct Model {
    std::string value;
    Clock::Instant expires;
  };
  static constexpr std::size_t kLimit = 256 * 1024;
  Fixture fixture({.max_bytes = kLimit, .max_item_bytes = 16 * 1024, .shards = 2});
  auto& store = fixture.store();
  std::unordered_map<std::string, Model> model;
  Random random(7);
  std::size_t found_count = 0;
  for (int step = 0; step < 60'000; ++step) {
    const std::string key = "key-" + std::to_string(random.below(random.below(2) ? 20 : 2'000));
    switch (random.below(8)) {
      case 0:
      case 1:
      case 2: {
        std::string value(random.below(random.below(10) ? 200 : 12'000), 'a');
        if (!value.empty()) value.back() = static_cast<char>('a' + random.below(26));
        const std::chrono::seconds ttl(1 + random.below(100));
        ASSERT_TRUE(store.put_now(key, value, {ttl}));
        model[key] = {std::move(value), fixture.clock().now() + ttl};
        ASSERT_TRUE(store.find(key)) << "what was just put is there";
        break;
      }
      case 3:
        store.erase_now(key);
        model.erase(key);
        break;
      case 4:
        fixture.clock().advance(std::chrono::milliseconds(random.below(50)));
        break;
      default: {
        const auto found = store.find(key);
        if (!found) break;  // evicted, expired or never there
        const auto expected = model.find(key);
        ASSERT_NE(expected, model.end());
        ASSERT_EQ(found->value.bytes(), expected->second.value);
        ASSERT_EQ(found->expires, expected->second.expires);
        ASSERT_LT(fixture.clock().now(), found->expires);
        ++found_count;
      }
    }
    if (step % 16 == 0) {
      const auto stats = store.stats();
      ASSERT_LE(stats.charged_bytes, kLimit);
      ASSERT_LE(stats.payload_bytes, stats.charged_bytes);
      const auto metrics = fixture.metrics();
      ASSERT_EQ(metrics.entries.value(), static_cast<std::int64_t>(stats.entries));
      ASSERT_EQ(metrics.payload_bytes.value(), static_cast<std::int64_t>(stats.payload_bytes));
      ASSERT_EQ(metrics.charged_bytes.value(), static_cast<std::int64_t>(stats.charged_bytes));
    }
  }
  EXPECT_GT(found_count, 5'000u);
  store.clear_now();
  EXPECT_EQ(store.stats().entries, 0u);
  EXPECT_EQ(store.stats().payload_bytes, 0u);
}

TEST(MemoryStoreTest, ChoosesShardsSoThatTheLargestItemFitsWell) {
  EXPECT_EQ(Fixture({.max_bytes = 1 << 20}).store().shards(), 1u);
  EXPECT_LE(Fixture({.max_bytes = std::size_t{16} << 20}).store().shards(), 2u);
  EXPECT_EQ(Fixture({.shards = 48}).store().shards(), 32u);
}

TEST(MemoryStoreTest, ServesManyThreads) {
  Fixture fixture({.max_bytes = 512 * 1024, .max_item_bytes = 8 * 1024, .shards = 2});
  auto& store = fixture.store();
  std::atomic<int> wrong = 0;
  const auto work = [&](std::uint64_t seed) {
    Random random(seed);
    for (int i = 0; i < 4'000; ++i) {
      const std::string key = std::to_string(random.below(300));
      const std::uint64_t action = random.below(10);
      if (action < 4) {
        const auto put = store.put_now(key, key + std::string(random.below(4'000), 'x'), {1h});
        if (!put) ++wrong;
      } else if (action == 4) {
        store.erase_now(key);
      } else if (const auto found = store.find(key)) {
        if (!found->value.bytes().starts_with(key)) ++wrong;
      }
    }
  };
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t seed = 1; seed <= 4; ++seed) threads.emplace_back(work, seed);
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_LE(store.stats().charged_bytes, store.stats().limit_bytes);
}

}  // namespace
}  // namespace conciergus::cache

#include "conciergus/cache/s3_fifo.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <list>
#include <memory>
#include <optional>
#include <unordered_map>

#include <gtest/gtest.h>

#include "conciergus/base/random.hpp"

namespace conciergus::cache {
namespace {

/// The policy as a cache of keys without values.
class Simulator {
 public:
  explicit Simulator(std::uint64_t capacity) : capacity_(capacity) {}

  /// True for a hit.
  bool ask(std::uint64_t key, std::uint32_t weight = 1) {
    if (const auto found = slots_.find(key); found != slots_.end()) {
      policy_.hit(found->second);
      return true;
    }
    if (weight > capacity_ / 2 && weight > 1) return false;
    while (policy_.weight() + weight > capacity_) {
      std::vector<S3Fifo::Slot> victims;
      policy_.evict(capacity_, victims);
      for (const auto slot : victims) slots_.erase(keys_[slot]);
    }
    const auto slot = policy_.insert(fingerprint(key), weight);
    if (slot >= keys_.size()) keys_.resize(slot + 1);
    keys_[slot] = key;
    slots_[key] = slot;
    return false;
  }
  bool holds(std::uint64_t key) const { return slots_.contains(key); }

 private:
  static std::uint32_t fingerprint(std::uint64_t key) {
    return static_cast<std::uint32_t>((key + 1) * 0x9e3779b97f4a7c15 >> 32);
  }
  const std::uint64_t capacity_;
  S3Fifo policy_;
  std::vector<std::uint64_t> keys_;
  std::unordered_map<std::uint64_t, S3Fifo::Slot> slots_;
};

/// The paper's algorithm, slow and obvious: lists of keys, searched from end to end.
class Oracle {
 public:
  explicit Oracle(std::size_t capacity)
      : capacity_(capacity), small_size_(std::max<std::size_t>(1, capacity / 10)) {}

  bool ask(std::uint64_t key) {
    if (auto* item = find(key)) {
      item->frequency = std::min(3, item->frequency + 1);
      return true;
    }
    while (small_.size() + main_.size() >= capacity_) {
      small_.size() >= small_size_ || main_.empty() ? evict_small() : evict_main();
    }
    if (std::erase(ghost_, key) > 0) {
      main_.push_front({key});
    } else {
      small_.push_front({key});
    }
    return false;
  }
  bool holds(std::uint64_t key) { return find(key) != nullptr; }

 private:
  struct Item {
    std::uint64_t key;
    int frequency = 0;
  };
  Item* find(std::uint64_t key) {
    for (auto* queue : {&small_, &main_}) {
      for (Item& item : *queue) {
        if (item.key == key) return &item;
      }
    }
    return nullptr;
  }
  void evict_small() {
    Item item = small_.back();
    small_.pop_back();
    if (item.frequency < 2) {
      ghost_.push_front(item.key);
      if (ghost_.size() > capacity_ - small_size_) ghost_.pop_back();
      return;
    }
    item.frequency = 0;
    while (!main_.empty() && main_.size() >= capacity_ - small_size_) evict_main();
    main_.push_front(item);
  }
  void evict_main() {
    for (int reinsertions = 0;; ++reinsertions) {
      Item item = main_.back();
      main_.pop_back();
      if (item.frequency == 0 || reinsertions == 32) return;
      --item.frequency;
      main_.push_front(item);
    }
  }

  const std::size_t capacity_;
  const std::size_t small_size_;
  std::list<Item> small_;
  std::list<Item> main_;
  std::list<std::uint64_t> ghost_;
};

/// Keys 0 … keys-1 with probability ~ 1 / (rank + 1)^alpha, by inversion of a table.
class Zipf {
 public:
  Zipf(std::size_t keys, double alpha) {
    double sum = 0;
    for (std::size_t i = 0; i < keys; ++i) {
      sum += std::pow(static_cast<double>(i + 1), -alpha);
      sums_.push_back(sum);
    }
  }
  std::uint64_t operator()(Random& random) const {
    const double at = random.unit() * sums_.back();
    return static_cast<std::uint64_t>(std::ranges::lower_bound(sums_, at) - sums_.begin());
  }

 private:
  std::vector<double> sums_;
};

class S3FifoOracleTest : public testing::TestWithParam<std::size_t> {};

TEST_P(S3FifoOracleTest, KeepsTheSameKeysAsTheObviousImplementation) {
  const std::size_t capacity = GetParam();
  Simulator policy(capacity);
  Oracle oracle(capacity);
  Random random(capacity);
  const Zipf zipf(1'000, 0.9);
  for (int step = 0; step < 10'000; ++step) {
    const bool is_scan = step % 3'000 > 2'500;
    const std::uint64_t key = is_scan ? 10'000 + static_cast<std::uint64_t>(step) : zipf(random);
    ASSERT_EQ(policy.ask(key), oracle.ask(key)) << "step " << step;
    if (step % 500 == 0) {
      for (std::uint64_t other = 0; other < 1'000; ++other) {
        ASSERT_EQ(policy.holds(other), oracle.holds(other)) << "step " << step;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Capacities, S3FifoOracleTest, testing::Values(1, 2, 7, 10, 64, 100, 301));

TEST(S3FifoTest, KeepsHotKeysThroughAScan) {
  Simulator policy(100);
  for (int round = 0; round < 4; ++round) {
    for (std::uint64_t key = 0; key < 50; ++key) policy.ask(key);
  }
  for (std::uint64_t key = 1'000; key < 3'000; ++key) policy.ask(key);
  int kept = 0;
  for (std::uint64_t key = 0; key < 50; ++key) kept += policy.holds(key);
  EXPECT_GT(kept, 45);
}

TEST(S3FifoTest, ReweighsAndErasesFromAnyPlace) {
  S3Fifo policy;
  const auto a = policy.insert(1, 10);
  const auto b = policy.insert(2, 20);
  const auto c = policy.insert(3, 30);
  policy.reweigh(b, 25);
  EXPECT_EQ(policy.weight(), 65u);
  policy.erase(b);
  EXPECT_EQ(policy.weight(), 40u);
  policy.erase(a);
  policy.erase(c);
  EXPECT_TRUE(policy.empty());
  EXPECT_EQ(policy.weight(), 0u);
}

/// Public request traces with the hit ratios of an independent implementation. They are large and
/// under licences of their own, so they are not part of the source: CONCIERGUS_TRACES names their
/// folder.
std::optional<std::vector<std::uint64_t>> read_trace(const char* name) {
  const char* const folder = std::getenv("CONCIERGUS_TRACES");
  if (folder == nullptr) return std::nullopt;
  const std::string path = std::string(folder) + "/" + name;
  if (!std::filesystem::exists(path)) return std::nullopt;
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(("zstd -dcq '" + path + "'").c_str(), "r"),
                                                   &pclose);
  std::vector<std::uint64_t> keys;
  std::uint64_t key = 0;
  while (pipe && std::fread(&key, sizeof key, 1, pipe.get()) == 1) keys.push_back(key);
  return keys;
}

struct Reference {
  const char* trace;
  std::uint64_t capacity;
  double hit_percent;
};

class S3FifoTraceTest : public testing::TestWithParam<Reference> {};

TEST_P(S3FifoTraceTest, ReachesTheReferenceHitRatio) {
  const auto [trace, capacity, expected] = GetParam();
  const auto keys = read_trace(trace);
  if (!keys) GTEST_SKIP() << "no " << trace << " in CONCIERGUS_TRACES";
  Simulator policy(capacity);
  std::size_t hits = 0;
  for (const std::uint64_t key : *keys) hits += policy.ask(key);
  EXPECT_NEAR(
      100.0 * static_cast<double>(hits) / static_cast<double>(keys->size()), expected, 0.05);
}

INSTANTIATE_TEST_SUITE_P(Traces,
                         S3FifoTraceTest,
                         testing::Values(Reference{"web07.u64.zst", 205, 43.81},
                                         Reference{"web07.u64.zst", 1'024, 54.22},
                                         Reference{"web07.u64.zst", 4'097, 62.57},
                                         Reference{"lirs_multi3.u64.zst", 373, 35.16},
                                         Reference{"mooncake_conv.u64.zst", 9'140, 18.76}));

}  // namespace
}  // namespace conciergus::cache

#pragma once
/// What every caller of a Store may rely on, as a typed test. An implementation instantiates it
/// with a factory: default-constructible, with `Store& store()` and `ManualClock& clock()`.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conciergus/cache/store.hpp"
#include "support/manual_clock.hpp"
#include "support/run_coro.hpp"

namespace conciergus::cache::testing {

using namespace std::chrono_literals;

template <class Factory>
class StoreContract : public ::testing::Test {
 protected:
  std::optional<Entry> get(std::string_view key) {
    std::optional<Entry> found;
    run_coro([&]() -> Task<void> {
      auto result = co_await store().get(key, Deadline());
      EXPECT_TRUE(result.has_value());
      if (result) found = std::move(*result);
    });
    return found;
  }
  std::string bytes(std::string_view key) {
    const auto found = get(key);
    return found ? std::string(found->value.bytes()) : "(absent)";
  }
  void put(std::string_view key, std::string_view value, Ttl ttl = {1h}) {
    run_coro([&]() -> Task<void> {
      const auto result = co_await store().put(key, value, ttl, Deadline());
      EXPECT_TRUE(result.has_value());
    });
  }
  bool erase(std::string_view key) {
    bool erased = false;
    run_coro([&]() -> Task<void> {
      const auto result = co_await store().erase(key, Deadline());
      erased = result.has_value() && *result;
    });
    return erased;
  }
  void clear() {
    run_coro([&]() -> Task<void> {
      const auto result = co_await store().clear(Deadline());
      EXPECT_TRUE(result.has_value());
    });
  }
  Store& store() { return factory_.store(); }
  void advance(Clock::Instant::duration by) { factory_.clock().advance(by); }

  Factory factory_;
};

TYPED_TEST_SUITE_P(StoreContract);

TYPED_TEST_P(StoreContract, FindsWhatWasPutAndNothingElse) {
  EXPECT_EQ(this->bytes("a"), "(absent)");
  this->put("a", "1");
  this->put("b", "2");
  EXPECT_EQ(this->bytes("a"), "1");
  EXPECT_EQ(this->bytes("b"), "2");
  EXPECT_EQ(this->bytes("A"), "(absent)");
}

TYPED_TEST_P(StoreContract, KeepsAnyBytesInKeysAndValues) {
  const std::string key("k\0\xff\n", 4);
  const std::string value("\0\xfe{}", 4);
  this->put(key, value);
  EXPECT_EQ(this->bytes(key), value);
  EXPECT_EQ(this->bytes("k"), "(absent)");
  this->put("", "");
  EXPECT_EQ(this->bytes(""), "");
}

TYPED_TEST_P(StoreContract, ReplacesAnEntryAndItsTime) {
  this->put("a", "1", {1s});
  this->put("a", "a longer value", {1h});
  this->advance(1min);
  EXPECT_EQ(this->bytes("a"), "a longer value");
  this->put("a", "2", {1s});
  EXPECT_EQ(this->bytes("a"), "2");
  this->advance(1s);
  EXPECT_EQ(this->bytes("a"), "(absent)");
}

TYPED_TEST_P(StoreContract, TellsFreshFromStaleAndForgetsAtTheEndOfBoth) {
  this->put("a", "1", {2s, 3s});
  const auto fresh = this->get("a");
  ASSERT_TRUE(fresh);
  EXPECT_EQ(fresh->expires - fresh->fresh_until, 3s);
  this->advance(1'999ms);
  EXPECT_LT(this->factory_.clock().now(), this->get("a")->fresh_until);
  this->advance(1ms);
  EXPECT_GE(this->factory_.clock().now(), this->get("a")->fresh_until);
  this->advance(2'999ms);
  EXPECT_EQ(this->bytes("a"), "1");
  this->advance(1ms);
  EXPECT_EQ(this->bytes("a"), "(absent)");
}

TYPED_TEST_P(StoreContract, ErasesAnEntryAndSaysIfThereWasOne) {
  this->put("a", "1");
  EXPECT_TRUE(this->erase("a"));
  EXPECT_EQ(this->bytes("a"), "(absent)");
  EXPECT_FALSE(this->erase("a"));
}

TYPED_TEST_P(StoreContract, ForgetsEverythingWhenCleared) {
  for (int i = 0; i < 100; ++i) this->put(std::to_string(i), "x");
  this->clear();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(this->bytes(std::to_string(i)), "(absent)");
  this->put("a", "1");
  EXPECT_EQ(this->bytes("a"), "1");
}

TYPED_TEST_P(StoreContract, LeavesAValueToItsReadersWhenItIsReplacedOrErased) {
  this->put("a", "first");
  const auto found = this->get("a");
  this->put("a", "second");
  this->erase("a");
  this->clear();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->value.bytes(), "first");
}

REGISTER_TYPED_TEST_SUITE_P(StoreContract,
                            FindsWhatWasPutAndNothingElse,
                            KeepsAnyBytesInKeysAndValues,
                            ReplacesAnEntryAndItsTime,
                            TellsFreshFromStaleAndForgetsAtTheEndOfBoth,
                            ErasesAnEntryAndSaysIfThereWasOne,
                            ForgetsEverythingWhenCleared,
                            LeavesAValueToItsReadersWhenItIsReplacedOrErased);

}  // namespace conciergus::cache::testing

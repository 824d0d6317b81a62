#include <gtest/gtest.h>

#include "conciergus/base/deadline.hpp"
#include "conciergus/base/random.hpp"
#include "conciergus/base/result.hpp"
#include "conciergus/base/secret.hpp"
#include "conciergus/base/text.hpp"
#include "support/manual_clock.hpp"

namespace conciergus {
namespace {
using namespace std::chrono_literals;

TEST(ResultTest, CarriesTheValueOrTheReason) {
  const auto halve = [](int n) -> Result<int> {
    if (n % 2) return fail(ErrorCode::kInvalidRequest, "odd");
    return n / 2;
  };
  const auto twice = [&](int n) -> Result<int> {
    CONCIERGUS_TRY(const int half, halve(n));
    CONCIERGUS_TRY(const int quarter, halve(half));
    return quarter;
  };
  EXPECT_EQ(*twice(8), 2);
  ASSERT_FALSE(twice(6).has_value());
  EXPECT_EQ(twice(6).error().to_string(), "invalid_request: odd");
}

TEST(DeadlineTest, TakesTheSmallerOfItsOwnAndAStepsLimit) {
  ManualClock clock;
  const auto deadline = Deadline::after(clock, 10s);
  EXPECT_EQ(deadline.within(clock.now(), 3s).left(clock.now()), 3s);
  EXPECT_EQ(deadline.within(clock.now(), 30s).left(clock.now()), 10s);
  clock.advance(11s);
  EXPECT_TRUE(deadline.has_passed(clock.now()));
  EXPECT_EQ(deadline.left(clock.now()), 0s);
  EXPECT_FALSE(Deadline().has_passed(clock.now()));
}

TEST(SecretTest, PrintsStarsAndMatchesOnlyItself) {
  const Secret secret("sk-live-1");
  EXPECT_EQ(to_string(secret), "***");
  EXPECT_TRUE(secret.matches("sk-live-1"));
  EXPECT_FALSE(secret.matches("sk-live-2"));
  EXPECT_FALSE(secret.matches("sk-live-10"));
}

TEST(TextTest, ParsesOnlyPlainDecimalNumbers) {
  EXPECT_EQ(parse_decimal("18446744073709551615"), 18446744073709551615ull);
  for (const auto* bad : {"", "+1", "-1", " 1", "1 ", "0x1", "1_0", "18446744073709551616"}) {
    EXPECT_FALSE(parse_decimal(bad)) << bad;
  }
}

TEST(RandomTest, RepeatsItsSequenceForTheSameSeed) {
  Random a(7);
  Random b(7);
  for (int i = 0; i < 100; ++i) ASSERT_EQ(a(), b());
  EXPECT_NE(Random(7)(), Random(8)());
}

}  // namespace
}  // namespace conciergus

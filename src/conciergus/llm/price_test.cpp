#include "conciergus/llm/price.hpp"

#include <gtest/gtest.h>

#include "conciergus/llm/glob.hpp"

namespace conciergus::llm {
namespace {

Usage tokens(std::uint64_t input, std::uint64_t output, std::optional<std::uint64_t> cached = {}) {
  Usage usage;
  usage.input = input;
  usage.output = output;
  usage.cached_input = cached;
  return usage;
}

TEST(GlobTest, MatchesLiteralsAndStars) {
  EXPECT_TRUE(glob_matches("gpt-4o", "gpt-4o"));
  EXPECT_FALSE(glob_matches("gpt-4o", "gpt-4o-mini"));
  EXPECT_TRUE(glob_matches("gpt-4o*", "gpt-4o-mini"));
  EXPECT_TRUE(glob_matches("gpt-4o*", "gpt-4o"));
  EXPECT_TRUE(glob_matches("*", ""));
  EXPECT_FALSE(glob_matches("", "x"));
  EXPECT_TRUE(glob_matches("*-mini*2", "a-mini-mini-2"));
  EXPECT_FALSE(glob_matches("a*b*c", "a-b-d"));
  EXPECT_TRUE(glob_matches("a**c", "abc"));
}

TEST(GlobTest, StaysFastOnHostilePatterns) {
  const std::string text(2'000, 'a');
  EXPECT_FALSE(glob_matches("*a*a*a*a*a*a*a*a*b", text));
}

TEST(PriceTableTest, ChargesInputOutputAndCachedTokensApart) {
  const PriceTable prices({{"small-*", 1, 2, 0.5}, {"*", 10, 20}});
  EXPECT_DOUBLE_EQ(*prices.cost("small-1", tokens(1'000'000, 500'000)), 2.0);
  EXPECT_DOUBLE_EQ(*prices.cost("small-1", tokens(1'000'000, 0, 400'000)), 0.8);
  EXPECT_DOUBLE_EQ(*prices.cost("large", tokens(100'000, 0, 50'000)), 1.0);
}

TEST(PriceTableTest, KnowsNothingWithoutPriceOrTokens) {
  const PriceTable prices({{"small", 1, 2}});
  EXPECT_FALSE(prices.cost("large", tokens(1, 1)));
  EXPECT_FALSE(prices.cost("small", Usage{}));
}

TEST(PriceTableTest, DoesNotBelieveMoreCachedTokensThanThereWere) {
  const PriceTable prices({{"*", 1, 0, 0}});
  EXPECT_DOUBLE_EQ(*prices.cost("m", tokens(10, 0, 1'000)), 0.0);
}

TEST(FormatDollarsTest, LeavesOutWhatIsNotNeeded) {
  EXPECT_EQ(format_dollars(0), "0");
  EXPECT_EQ(format_dollars(0.00125), "0.00125");
  EXPECT_EQ(format_dollars(3), "3");
  EXPECT_EQ(format_dollars(0.00000001), "0.00000001");
}

}  // namespace
}  // namespace conciergus::llm

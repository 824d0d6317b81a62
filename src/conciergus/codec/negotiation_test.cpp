#include <gtest/gtest.h>

#include "conciergus/codec/accept.hpp"
#include "conciergus/codec/cache_control.hpp"

namespace conciergus::codec {
namespace {

using namespace std::chrono_literals;
using enum ContentCoding;

CacheControlRequest parse(std::string_view text) {
  CacheControlRequest request;
  request.add(text);
  return request;
}

TEST(CacheControlTest, ReadsWhatARequestAsksFor) {
  const auto request =
      parse("No-Cache, no-store,no-transform , only-if-cached, max-age=60, min-fresh=5");
  EXPECT_TRUE(request.no_cache);
  EXPECT_TRUE(request.no_store);
  EXPECT_TRUE(request.no_transform);
  EXPECT_TRUE(request.only_if_cached);
  EXPECT_EQ(request.max_age, 60s);
  EXPECT_EQ(request.min_fresh, 5s);
  EXPECT_EQ(request.max_stale, std::nullopt);
}

TEST(CacheControlTest, IsNotSpoiltByWhatItDoesNotKnow) {
  const auto request =
      parse(",, foo, bar=\"no-store, x\", =, @@, max-age=\"7\", max-age=x, max-age");
  EXPECT_FALSE(request.no_store);
  EXPECT_EQ(request.max_age, 7s);
  EXPECT_FALSE(parse("no-storex").no_store);
  EXPECT_EQ(parse("max-age=-1").max_age, std::nullopt);
  EXPECT_EQ(parse("max-age=1.5").max_age, std::nullopt);
}

TEST(CacheControlTest, TakesTheStrictestOfSeveral) {
  CacheControlRequest request;
  request.add("max-age=60, min-fresh=1, max-stale");
  request.add("max-age=5, min-fresh=9, max-stale=3");
  EXPECT_EQ(request.max_age, 5s);
  EXPECT_EQ(request.min_fresh, 9s);
  EXPECT_EQ(request.max_stale, 3s);
  EXPECT_EQ(parse("max-stale").max_stale, std::chrono::seconds::max());
}

TEST(CacheControlTest, SaturatesNumbers) {
  EXPECT_EQ(parse_delta_seconds("2147483649"), 2147483648s);
  EXPECT_EQ(parse_delta_seconds("99999999999999999999999999"), 2147483648s);
  EXPECT_EQ(parse_delta_seconds("0"), 0s);
  EXPECT_EQ(parse_delta_seconds(""), std::nullopt);
  EXPECT_EQ(parse_delta_seconds("+1"), std::nullopt);
}

TEST(CacheControlTest, ReadsPragma) {
  EXPECT_TRUE(is_pragma_no_cache("x, No-Cache"));
  EXPECT_FALSE(is_pragma_no_cache("no-store"));
}

TEST(AcceptTest, ReadsQualities) {
  EXPECT_EQ(parse_quality("1"), 1000);
  EXPECT_EQ(parse_quality("1.000"), 1000);
  EXPECT_EQ(parse_quality("0.85"), 850);
  EXPECT_EQ(parse_quality("0."), 0);
  for (const auto* text : {"", "2", "1.001", "0.1234", ".5", "-1", "0,5", "00", "1e0"}) {
    EXPECT_EQ(parse_quality(text), std::nullopt) << text;
  }
}

TEST(AcceptTest, ChoosesTheMostWelcomeCoding) {
  constexpr ContentCoding kOffered[] = {kBrotli, kZstd, kGzip, kIdentity};
  EXPECT_EQ(choose_coding("gzip, deflate, br, zstd", kOffered), kBrotli);
  EXPECT_EQ(choose_coding("gzip;q=1.0, br;q=0.5", kOffered), kGzip);
  EXPECT_EQ(choose_coding("*", kOffered), kBrotli);
  EXPECT_EQ(choose_coding("br;q=0, *", kOffered), kZstd);
  EXPECT_EQ(choose_coding("X-GZIP ; Q=0.5", kOffered), kGzip);
  EXPECT_EQ(choose_coding("gzip;q=0.1", kOffered), kGzip) << "asked for: better than identity";
  EXPECT_EQ(choose_coding("identity, gzip;q=0.5", kOffered), kIdentity);
  EXPECT_EQ(choose_coding("", kOffered), kIdentity);
  EXPECT_EQ(choose_coding("deflate", kOffered), kIdentity);
  EXPECT_EQ(choose_coding(std::nullopt, kOffered), kIdentity);
  EXPECT_EQ(choose_coding("br;q=5", kOffered), kIdentity);
}

TEST(AcceptTest, LeavesNothingWhenAllIsExcluded) {
  constexpr ContentCoding kOffered[] = {kGzip, kIdentity};
  EXPECT_EQ(choose_coding("*;q=0", kOffered), std::nullopt);
  EXPECT_EQ(choose_coding("identity;q=0", kOffered), std::nullopt);
  EXPECT_EQ(choose_coding("identity;q=0, gzip", kOffered), kGzip);
  EXPECT_EQ(choose_coding("*;q=0, identity", kOffered), kIdentity);
}

TEST(AcceptTest, WeighsMediaTypesByTheMostSpecificRange) {
  const auto* accept = "text/*;q=0.3, text/html;q=0.7, text/plain;q=0, */*;q=0.5";  // like RFC 9110
  EXPECT_EQ(media_type_quality(accept, "text/html"), 700);
  EXPECT_EQ(media_type_quality(accept, "TEXT/css"), 300);
  EXPECT_EQ(media_type_quality(accept, "text/plain"), 0);
  EXPECT_EQ(media_type_quality(accept, "image/jpeg"), 500);
  EXPECT_EQ(media_type_quality("text/*", "textual/x"), 0);
  EXPECT_EQ(media_type_quality("", "text/html"), 0);
}

TEST(AcceptTest, TellsANameFromAWildcard) {
  const auto* chrome = "image/avif,image/webp,image/apng,image/*,*/*;q=0.8";
  EXPECT_TRUE(names_media_type(chrome, "image/avif"));
  EXPECT_FALSE(names_media_type(chrome, "image/jxl"));
  EXPECT_FALSE(names_media_type("image/avif;q=0", "image/avif"));
}

}  // namespace
}  // namespace conciergus::codec

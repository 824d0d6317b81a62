#include "conciergus/codec/percent.hpp"

#include <gtest/gtest.h>

namespace conciergus::codec {
namespace {

TEST(PercentTest, DecodesAndRefusesMalformed) {
  EXPECT_EQ(percent_decode("a%20b%2Fc+%c3%A4"), "a b/c+\xc3\xa4");
  for (const auto* text : {"%", "%2", "%g0", "%0g", "a%"})
    EXPECT_EQ(percent_decode(text), std::nullopt);
}

TEST(PercentTest, EncodesWhatItDecodes) {
  std::string every;
  for (int byte = 0; byte < 256; ++byte) every += static_cast<char>(byte);
  EXPECT_EQ(percent_decode(percent_encode(every)), every);
  EXPECT_EQ(percent_encode("a-b/c~ \xc3"), "a-b%2Fc~%20%C3");
}

TEST(DecodePathTest, ResolvesDotSegments) {
  EXPECT_EQ(decode_path("/"), "/");
  EXPECT_EQ(decode_path("/a/b.css"), "/a/b.css");
  EXPECT_EQ(decode_path("/a//b/"), "/a//b/");
  EXPECT_EQ(decode_path("/a/./b/../c"), "/a/c");
  EXPECT_EQ(decode_path("/a/.."), "/");
  EXPECT_EQ(decode_path("/a/b/."), "/a/b/");
  EXPECT_EQ(decode_path("/."), "/");
  EXPECT_EQ(decode_path("/a/%2e%2E/b%20c"), "/b c");
  EXPECT_EQ(decode_path("/..."), "/...");
}

TEST(DecodePathTest, RefusesWhatCouldReachOutside) {
  for (const auto* path : {"",
                           "a",
                           "/..",
                           "/a/../..",
                           "/%2e%2e/etc",
                           "/a%2fb",
                           "/a%2Fb",
                           "/a%5cb",
                           "/a\\b",
                           "/a%00",
                           "/%0a",
                           "/%7f",
                           "/%",
                           "/%zz"}) {
    EXPECT_EQ(decode_path(path), std::nullopt) << path;
  }
}

}  // namespace
}  // namespace conciergus::codec

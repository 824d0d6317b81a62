#include "conciergus/codec/http_date.hpp"

#include <gtest/gtest.h>

namespace conciergus::codec {
namespace {

using namespace std::chrono;
using namespace std::chrono_literals;

constexpr sys_seconds kExample = sys_days(1994y / November / 6) + 8h + 49min + 37s;
constexpr sys_seconds kNow = sys_days(2026y / November / 22);

TEST(HttpDateTest, ReadsTheThreeFormsOfTheStandard) {
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", kNow), kExample);
  EXPECT_EQ(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT", kNow), kExample);
  EXPECT_EQ(parse_http_date("Sun Nov  6 08:49:37 1994", kNow), kExample);
  EXPECT_EQ(parse_http_date("Sun Nov 06 08:49:37 1994", kNow), kExample);
}

TEST(HttpDateTest, PutsAShortYearAtMostFiftyYearsAhead) {
  EXPECT_EQ(parse_http_date("Sunday, 06-Nov-76 08:49:37 GMT", kNow),
            sys_days(2076y / November / 6) + 8h + 49min + 37s);
  EXPECT_EQ(parse_http_date("Sunday, 06-Nov-77 08:49:37 GMT", kNow),
            sys_days(1977y / November / 6) + 8h + 49min + 37s);
}

TEST(HttpDateTest, RefusesEverythingElse) {
  for (const auto* text : {"",
                           "0",
                           "-1",
                           "Sun, 06 Nov 1994 08:49:37",
                           "Sun, 06 Nov 1994 08:49:37 UTC",
                           "Sun, 06 Nov 1994 08:49:37 +0100",
                           "Sun, 6 Nov 1994 08:49:37 GMT",
                           "sun, 06 nov 1994 08:49:37 gmt",
                           "Sun, 31 Feb 1994 08:49:37 GMT",
                           "Sun, 06 Nov 1994 24:00:00 GMT",
                           "Sun, 06 Nov 1994 08:60:00 GMT",
                           "Sun, 06 Nov 1994 08:49:61 GMT",
                           "Sun, 00 Nov 1994 08:49:37 GMT",
                           "Sun, 06 Nov 1994  8:49:37 GMT",
                           "Sunday, 06-Nov-1994 08:49:37 GMT",
                           "Someday, 06-Nov-94 08:49:37 GMT",
                           "1994-11-06T08:49:37Z",
                           "Sun Nov  6 08:49:37 1994 GMT",
                           "Sun, 06 Nov 19 4 08:49:37 GMT"}) {
    EXPECT_FALSE(parse_http_date(text, kNow)) << text;
  }
}

TEST(HttpDateTest, TakesALeapSecondAsTheOneBefore) {
  EXPECT_EQ(parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT", kNow),
            sys_days(2016y / December / 31) + 23h + 59min + 59s);
}

TEST(HttpDateTest, SaturatesYearsThatTheClockCannotHold) {
  const auto never = parse_http_date("Fri, 31 Dec 9999 23:59:59 GMT", kNow);
  ASSERT_TRUE(never);
  EXPECT_EQ(format_http_date(*never), "Fri, 11 Apr 2262 23:47:16 GMT");
  const auto long_ago = parse_http_date("Sun Nov  6 08:49:37 1232", kNow);
  ASSERT_TRUE(long_ago);
  EXPECT_TRUE(format_http_date(*long_ago).contains(" 1677 "));
}

TEST(HttpDateTest, WritesWhatItReads) {
  EXPECT_EQ(format_http_date(kExample), "Sun, 06 Nov 1994 08:49:37 GMT");
  for (sys_seconds at = sys_days(1969y / December / 1); at < sys_days(2040y / March / 1);
       at += 1234567s) {
    EXPECT_EQ(parse_http_date(format_http_date(at), kNow), at);
  }
}

TEST(Rfc3339Test, WritesMilliseconds) {
  EXPECT_EQ(format_rfc3339(kExample + 7ms), "1994-11-06T08:49:37.007Z");
  EXPECT_EQ(format_rfc3339(sys_days(2024y / February / 29) - 1ms), "2024-02-28T23:59:59.999Z");
  EXPECT_EQ(format_rfc3339(sys_days(1969y / December / 31) + 1ms), "1969-12-31T00:00:00.001Z");
}

}  // namespace
}  // namespace conciergus::codec

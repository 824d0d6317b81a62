#include "conciergus/http/headers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace conciergus::http {
namespace {
using testing::ElementsAre;

TEST(HeadersTest, FindsFieldsWithoutRegardToCaseAndKeepsTheirOrder) {
  const Headers headers{{"Accept", "a"}, {"Via", "1"}, {"accept", "b"}};
  EXPECT_EQ(headers.get("ACCEPT"), "a");
  EXPECT_THAT(headers.find_all("accept"), ElementsAre("a", "b"));
  EXPECT_EQ(headers.joined("accept"), "a, b");
  EXPECT_EQ(headers[1].name, "Via");
  EXPECT_FALSE(headers.contains("Accep"));
}

TEST(HeadersTest, ReplacesAllFieldsOfANameInThePlaceOfTheFirst) {
  Headers headers{{"a", "1"}, {"b", "2"}, {"A", "3"}};
  headers.set("a", headers.get("b"));  // a view into the arena that grows
  ASSERT_EQ(headers.size(), 2u);
  EXPECT_EQ(headers[0].value, "2");
  EXPECT_EQ(headers.remove("a"), 1u);
  EXPECT_EQ(headers.remove("a"), 0u);
}

TEST(HeadersTest, FindsTokensInCommaSeparatedLists) {
  const Headers headers{{"connection", "keep-alive , Upgrade"}, {"connection", "x"}};
  EXPECT_TRUE(headers.has_token("Connection", "upgrade"));
  EXPECT_TRUE(headers.has_token("Connection", "X"));
  EXPECT_FALSE(headers.has_token("Connection", "keep"));
}

}  // namespace
}  // namespace conciergus::http

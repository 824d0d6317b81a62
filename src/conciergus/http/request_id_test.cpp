#include "conciergus/http/request_id.hpp"

#include <string>

#include <gtest/gtest.h>

namespace conciergus::http {
namespace {

TEST(RequestIdTest, KeepsPlainWordsOnly) {
  EXPECT_TRUE(is_sane_request_id("req-1.a_B"));
  EXPECT_TRUE(is_sane_request_id(std::string(128, 'a')));
  for (const std::string& bad : {std::string(),
                                 std::string("a b"),
                                 std::string("<x>"),
                                 std::string("a\nb"),
                                 std::string(129, 'a')}) {
    EXPECT_FALSE(is_sane_request_id(bad)) << bad;
  }
}

}  // namespace
}  // namespace conciergus::http

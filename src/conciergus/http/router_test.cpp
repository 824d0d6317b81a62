#include "conciergus/http/router.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/test_request.hpp"

namespace conciergus::http {
namespace {

using testing::ElementsAre;

/// Answers with its name.
std::shared_ptr<const Handler> named(std::string name) {
  return std::make_shared<TestHandler>([name = std::move(name)](RequestContext&, Request&) {
    return make_response(200, "text/plain", name);
  });
}

class RouterTest : public testing::Test {
 protected:
  RouterTest() {
    router_.add("GET", "/health", "health", named("health"));
    router_.add("POST", "/api/chat", "chat", named("chat"));
    router_.add("GET", "/api/chat/{id}/stream", "resume", named("resume"));
    router_.add("DELETE", "/api/chat/{id}/stream", "resume", named("stop"));
    router_.add("GET", "/api/chat/fixed/stream", "fixed", named("fixed"));
    router_.add("*", "/assets/*", "assets", named("assets"));
    router_.add("GET", "/assets/deep/*", "deep", named("deep"));
  }
  std::string where(std::string target, std::string method = "GET") {
    TestRequest exchange(shard_, std::move(method), std::move(target));
    const auto response = exchange.try_ask(router_);
    route_ = exchange.context.notes.route;
    parameters_ = exchange.context.path_parameters;
    if (!response) return std::string(to_string(response.error().code()));
    allow_ = response->headers.get("allow");
    return response->status == 200 ? std::string(response->body.text())
                                   : std::to_string(response->status);
  }

  TestShard shard_;
  Router router_;
  std::string route_;
  std::string allow_;
  std::vector<std::string> parameters_;
};

TEST_F(RouterTest, MatchesWholePathsWithoutTheQuery) {
  EXPECT_EQ(where("/health?x=/y"), "health");
  EXPECT_EQ(route_, "health");
  EXPECT_EQ(where("/health/"), "not_found");
  EXPECT_EQ(where("/healthy"), "not_found");
  EXPECT_EQ(where("/%68ealth"), "not_found");
  EXPECT_EQ(route_, "none");
}

TEST_F(RouterTest, TakesParametersDecoded) {
  EXPECT_EQ(where("/api/chat/a%20b/stream"), "resume");
  EXPECT_THAT(parameters_, ElementsAre("a b"));
  EXPECT_EQ(where("/api/chat/x/stream", "DELETE"), "stop");
  EXPECT_EQ(where("/api/chat//stream"), "not_found");
  EXPECT_EQ(where("/api/chat/%zz/stream"), "not_found");
  EXPECT_EQ(where("/api/chat/a/b/stream"), "not_found");
}

TEST_F(RouterTest, PrefersExactPathsThenParametersThenTheLongestPrefix) {
  EXPECT_EQ(where("/api/chat/fixed/stream"), "fixed");
  EXPECT_EQ(where("/assets/a.js"), "assets");
  EXPECT_EQ(where("/assets/deep/a.js"), "deep");
  EXPECT_EQ(where("/assets"), "not_found");
}

TEST_F(RouterTest, NamesTheMethodsOfAPathThatLacksTheOneAsked) {
  EXPECT_EQ(where("/api/chat"), "405");
  EXPECT_EQ(allow_, "POST");
  EXPECT_EQ(where("/api/chat/1/stream", "PUT"), "405");
  EXPECT_EQ(allow_, "GET, HEAD, DELETE");
  EXPECT_EQ(where("/assets/a", "PATCH"), "assets");
}

TEST_F(RouterTest, AnswersHeadAsGetAndOptionsByItself) {
  EXPECT_EQ(where("/health", "HEAD"), "health");
  EXPECT_EQ(where("/health", "OPTIONS"), "204");
  EXPECT_EQ(allow_, "GET, HEAD");
  EXPECT_EQ(where("*", "OPTIONS"), "204");
}

}  // namespace
}  // namespace conciergus::http

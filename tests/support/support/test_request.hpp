#pragma once
/// A TestExchange that is put to a handler.
#include <string>

#include <gtest/gtest.h>

#include "support/test_handler.hpp"
#include "support/test_shard.hpp"

namespace conciergus {

struct TestRequest : TestExchange {
  explicit TestRequest(TestShard& on,
                       std::string method = "GET",
                       std::string target = "/",
                       http::Headers headers = {})
      : TestExchange(on.get()), test_shard(on) {
    request.method = std::move(method);
    request.target = std::move(target);
    request.headers = std::move(headers);
  }

  Result<http::Response> try_ask(const http::Handler& handler) {
    Result<http::Response> result;
    test_shard.run([&]() -> Task<void> { result = co_await handler.handle(context, request); });
    return result;
  }
  /// What `handler` answers; an error fails the test.
  http::Response ask(const http::Handler& handler) {
    auto result = try_ask(handler);
    if (result) return *std::move(result);
    ADD_FAILURE() << result.error().to_string();
    return {};
  }

  TestShard& test_shard;
};

}  // namespace conciergus

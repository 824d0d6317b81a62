#pragma once
/// A client on a shard of its own. Tests say what the upstream does, and look at what comes back.
#include <optional>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "conciergus/http/client.hpp"
#include "support/fake_upstream.hpp"
#include "support/run_coro.hpp"
#include "support/test_shard.hpp"

namespace conciergus::http {

class ClientTest : public testing::Test {
 protected:
  static constexpr std::string_view kHello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

  void start(ClientConfig config) {
    stop();
    client_.emplace(shard_.get(), std::move(config));
  }
  void stop() {
    if (!client_) return;
    shard_.run([this]() -> Task<void> { co_await client_->stop(); });
    client_.reset();
  }
  void SetUp() override { start({}); }
  void TearDown() override { stop(); }

  Task<Result<Response>> send(const FakeUpstream& upstream, ClientRequest request = {}) {
    report_ = {};
    co_return co_await client_->send(
        {"http", "127.0.0.1", upstream.port()}, std::move(request), limits_, interim_, &report_);
  }
  /// Status and body, or the error.
  Task<Result<std::string>> fetch(const FakeUpstream& upstream, ClientRequest request = {}) {
    auto response = co_await send(upstream, std::move(request));
    if (!response) co_return std::unexpected(response.error());
    co_return co_await rest_of(*response);
  }
  static Task<Result<std::string>> rest_of(Response& response) {
    if (!response.body.is_stream()) co_return std::string(response.body.text());
    co_return co_await read_all(*response.body.stream(), 1 << 24);
  }
  /// Runs one call against `script` and returns its error's code; kInternal if it succeeds.
  ErrorCode code_of(FakeUpstream::Script script, ClientRequest request = {}) {
    const FakeUpstream upstream(std::move(script));
    auto code = ErrorCode::kInternal;
    shard_.run([&]() -> Task<void> {
      const auto text = co_await fetch(upstream, std::move(request));
      if (text) {
        ADD_FAILURE() << "succeeded: " << *text;
      } else {
        code = text.error().code();
        detail_ = text.error().detail();
      }
    });
    return code;
  }
  std::int64_t open_connections(const FakeUpstream& upstream) {
    return shard_.metrics()
        .gauge("conciergus_http_upstream_connections_open", "", {{"origin", upstream.url()}})
        .value();
  }

  TestShard shard_;
  std::optional<Client> client_;
  CallLimits limits_;
  CallReport report_;
  InterimSink* interim_ = nullptr;
  std::string detail_;
};

}  // namespace conciergus::http

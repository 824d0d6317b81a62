#pragma once
/// An HTTP server on a port of its own, in this process, whose handler is a function of the test.
#include <functional>
#include <memory>
#include <utility>

#include <gtest/gtest.h>

#include "conciergus/http/server.hpp"
#include "support/raw_client.hpp"

namespace conciergus {

class FunctionHandler final : public http::Handler {
 public:
  using Function =
      std::function<Task<Result<http::Response>>(http::RequestContext&, http::Request&)>;
  explicit FunctionHandler(Function function) : function_(std::move(function)) {}
  Task<Result<http::Response>> handle(http::RequestContext& context,
                                      http::Request& request) const override {
    return function_(context, request);
  }

 private:
  Function function_;
};

/// The function outlives every request, so it may be a coroutine lambda that captures.
class TestServer {
 public:
  explicit TestServer(FunctionHandler::Function function,
                      http::ServerConfig config = {},
                      http::Server::TlsContext tls = nullptr,
                      std::size_t shards = 1)
      : runtime_(shards, {system_clock(), observe::Log::none(), metrics_, offload_}),
        handler_(std::make_shared<FunctionHandler>(std::move(function))),
        server_(runtime_, std::move(config), nullptr) {
    runtime_.start();
    const http::ServerAddress address{{"127.0.0.1", 0}, tls != nullptr};
    const auto started =
        server_.start({&address, 1}, [this](runtime::Shard&) { return handler_; }, tls);
    EXPECT_TRUE(started.has_value()) << started.error().to_string();
  }
  ~TestServer() {
    server_.stop();
    runtime_.stop();
    offload_.join();
  }

  std::uint16_t port() const { return server_.endpoints().front().port; }
  RawClient connect() const { return RawClient(port()); }
  http::Server& server() noexcept { return server_; }
  observe::Registry& metrics() noexcept { return metrics_; }
  runtime::Runtime& runtime() noexcept { return runtime_; }
  std::uint64_t count(std::string_view name, const observe::Labels& labels = {}) {
    return metrics_.counter(name, "", labels).value();
  }

 private:
  observe::Registry metrics_;
  runtime::OffloadPool offload_{2, 64};
  runtime::Runtime runtime_;
  std::shared_ptr<const http::Handler> handler_;
  http::Server server_;
};

}  // namespace conciergus

#pragma once
/// Handlers and bodies for tests of what is around them.
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "conciergus/http/handler.hpp"

namespace conciergus {

/// Answers with what a function returns.
class TestHandler final : public http::Handler {
 public:
  using Answer = std::function<Result<http::Response>(http::RequestContext&, http::Request&)>;
  explicit TestHandler(Answer answer) : answer_(std::move(answer)) {}

  Task<Result<http::Response>> handle(http::RequestContext& context,
                                      http::Request& request) const override {
    co_return answer_(context, request);
  }

 private:
  Answer answer_;
};

/// A body in given pieces, with trailers.
class PiecewiseBody final : public http::BodyReader {
 public:
  explicit PiecewiseBody(std::vector<std::string> pieces, std::optional<std::uint64_t> size = {})
      : pieces_(std::move(pieces)), size_(size) {}

  Task<Result<std::string_view>> read() override {
    if (at_ == pieces_.size()) co_return std::string_view();
    co_return std::string_view(pieces_[at_++]);
  }
  std::optional<std::uint64_t> size() const noexcept override { return size_; }
  const http::Headers* trailers() const noexcept override { return &trailers_; }
  void add_trailer(std::string_view name, std::string_view value) { trailers_.add(name, value); }

 private:
  std::vector<std::string> pieces_;
  std::optional<std::uint64_t> size_;
  std::size_t at_ = 0;
  http::Headers trailers_;
};

/// A request from 127.0.0.1 on `shard`, without a body.
struct TestExchange {
  explicit TestExchange(runtime::Shard& shard)
      : context{
            .shard = shard, .peer = peer, .client_address = peer.address, .started = shard.now()} {
    request.method = "GET";
    request.target = "/";
    request.scheme = "http";
    request.authority = "gateway.example";
    request.body = &body;
  }
  net::Endpoint peer{"127.0.0.1", 40'000, true};
  PiecewiseBody body{{}, 0};
  http::Request request;
  http::RequestContext context;
};

}  // namespace conciergus

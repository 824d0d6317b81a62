#include "conciergus/llm/provider_transport.hpp"

#include "conciergus/runtime/with_deadline.hpp"

namespace conciergus::llm {
namespace {

/// A request body that is already there.
class TextBody final : public http::BodyReader {
 public:
  explicit TextBody(std::string text) : text_(std::move(text)) {}
  Task<Result<std::string_view>> read() override {
    if (std::exchange(is_read_, true)) co_return std::string_view{};
    co_return text_;
  }
  std::optional<std::uint64_t> size() const noexcept override { return text_.size(); }

 private:
  const std::string text_;
  bool is_read_ = false;
};

/// What a handler borrows while it answers, its body included.
struct Exchange {
  Exchange(runtime::Shard& shard, http::ClientRequest from)
      : body(std::string(from.body.text())),
        context{.shard = shard, .peer = peer, .started = shard.now()} {
    request.method = std::move(from.method);
    request.target = std::move(from.target);
    request.scheme = "http";
    request.authority = "in-process";
    request.headers = std::move(from.headers);
    request.body = &body;
  }

  net::Endpoint peer{.address = "in-process", .is_loopback = true};
  TextBody body;
  http::RequestContext context;
  http::Request request;
};

/// A response's body together with what it borrows.
class ExchangeBody final : public http::BodyReader {
 public:
  ExchangeBody(std::unique_ptr<Exchange> exchange, std::unique_ptr<http::BodyReader> inner)
      : exchange_(std::move(exchange)), inner_(std::move(inner)) {}
  Task<Result<std::string_view>> read() override { return inner_->read(); }
  std::optional<std::uint64_t> size() const noexcept override { return inner_->size(); }

 private:
  std::unique_ptr<Exchange> exchange_;
  std::unique_ptr<http::BodyReader> inner_;  // gone before what it borrows
};

}  // namespace

Task<Result<http::Response>> NetworkTransport::send(http::ClientRequest request,
                                                    http::CallLimits limits,
                                                    http::CallReport& report) {
  return client_.send(origin_, std::move(request), limits, nullptr, &report);
}

Task<Result<http::Response>> InProcessTransport::send(http::ClientRequest request,
                                                      http::CallLimits limits,
                                                      http::CallReport& report) {
  report.phase = http::CallReport::Phase::kHead;
  auto exchange = std::make_unique<Exchange>(shard_, std::move(request));
  const auto deadline = limits.deadline.within(shard_.now(), limits.head);
  auto response = co_await runtime::with_deadline(
      provider_.handle(exchange->context, exchange->request), deadline);
  if (!response) co_return std::unexpected(std::move(response).error());
  report.phase = http::CallReport::Phase::kBody;
  if (auto inner = response->body.take_stream()) {
    std::unique_ptr<http::BodyReader> body =
        std::make_unique<ExchangeBody>(std::move(exchange), std::move(inner));
    response->body = std::move(body);
  }
  co_return std::move(response);
}

}  // namespace conciergus::llm

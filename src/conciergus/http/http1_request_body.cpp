#include "conciergus/http/http1_request_body.hpp"

namespace conciergus::http {
namespace {

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr std::size_t kLargeBody = 16 * 1024;
constexpr std::chrono::seconds kRateWindow{10};

}  // namespace

struct Http1RequestBody::Chunked {
  explicit Chunked(const codec::ChunkLimits& limits) : decoder(limits) {}
  codec::ChunkedDecoder decoder;
  Headers trailers;
};

Http1RequestBody::Http1RequestBody(Http1Transport& transport,
                                   const ServerConfig& config,
                                   const codec::RequestHead& head)
    : transport_(transport),
      config_(config),
      length_(head.content_length.value_or(0)),
      left_(length_),
      allowance_(config.body_grace),
      awaits_continue_(head.expect_continue && head.has_body()) {
  if (head.chunked) chunked_ = std::make_unique<Chunked>(config.chunks);
}

Http1RequestBody::~Http1RequestBody() = default;

std::optional<std::uint64_t> Http1RequestBody::size() const noexcept {
  if (chunked_) return std::nullopt;
  return length_;
}

const Headers* Http1RequestBody::trailers() const noexcept {
  return chunked_ ? &chunked_->trailers : nullptr;
}

bool Http1RequestBody::is_complete() const noexcept {
  return chunked_ ? chunked_->decoder.is_complete() : left_.is_complete();
}

Task<Result<std::string_view>> Http1RequestBody::read() {
  if (failure_status_ != 0) co_return fail(ErrorCode::kProtocol, "the body has failed before");
  while (!is_complete()) {
    if (transport_.input().empty()) CONCIERGUS_CO_CHECK(co_await receive());
    const auto input = transport_.input().data();
    const auto step = chunked_ ? chunked_->decoder.decode(input) : left_.decode(input);
    transport_.input().consume(step.consumed);
    if (step.status == codec::BodyStatus::kError) {
      co_return failed(400, ErrorCode::kProtocol, chunked_->decoder.error().detail());
    }
    if (chunked_ && step.status == codec::BodyStatus::kComplete) {
      for (const auto& field : chunked_->decoder.trailers()) {
        chunked_->trailers.add(field.name, field.value);
      }
    }
    received_ += step.data.size();
    if (!step.data.empty()) co_return step.data;
  }
  co_return std::string_view();
}

Task<Result<void>> Http1RequestBody::receive() {
  if (awaits_continue_ && !response_has_begun_) {
    awaits_continue_ = false;
    CONCIERGUS_CO_CHECK(co_await transport_.send(kContinue));
  }
  if (chunked_ || left_.left() > ReadBuffer::kInitial) transport_.input().grow_to(kLargeBody);

  const auto began = transport_.now();
  const bool has_rate = config_.min_body_rate > 0;
  const auto patience =
      has_rate ? std::min<Clock::Instant::duration>(config_.body_idle_timeout, allowance_)
               : config_.body_idle_timeout;
  auto size = co_await transport_.receive(began + patience);
  if (!size && size.error().code() == ErrorCode::kTimeout) {
    co_return failed(408, ErrorCode::kTimeout, "the body came too slowly");
  }
  if (!size) co_return failed(400, size.error().code(), size.error().detail());
  if (*size == 0) co_return failed(400, ErrorCode::kUnavailable, "the body was cut");
  if (has_rate) {
    const auto earned = std::chrono::nanoseconds(*size * 1'000'000'000 / config_.min_body_rate);
    allowance_ += earned - (transport_.now() - began);
    allowance_ = std::min<Clock::Instant::duration>(allowance_, config_.body_grace + kRateWindow);
  }
  co_return Result<void>{};
}

std::unexpected<Error> Http1RequestBody::failed(unsigned status,
                                                ErrorCode code,
                                                std::string detail) {
  failure_status_ = status;
  return fail(code, std::move(detail));
}

bool Http1RequestBody::may_be_drained() const noexcept {
  if (is_complete()) return true;
  if (failure_status_ != 0 || awaits_continue_) return false;
  return chunked_ || left_.left() <= config_.max_drained_body;
}

Task<bool> Http1RequestBody::drain() {
  if (!may_be_drained()) co_return false;
  const auto limit = received_ + config_.max_drained_body;
  while (!is_complete() && received_ <= limit) {
    const auto piece = co_await read();
    if (!piece) co_return false;
  }
  co_return is_complete();
}

}  // namespace conciergus::http

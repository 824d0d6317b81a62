#include "conciergus/http/upstream_body.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace conciergus::http {

UpstreamBody::UpstreamBody(UpstreamPool::Lease lease,
                           codec::BodyKind kind,
                           std::optional<std::uint64_t> length,
                           bool may_reuse,
                           const Limits& limits)
    : lease_(std::move(lease)),
      decoder_(UntilClose{}),
      length_(kind == codec::BodyKind::kLength ? length : std::nullopt),
      limits_(limits),
      may_reuse_(may_reuse) {
  if (kind == codec::BodyKind::kChunked) {
    decoder_.emplace<codec::ChunkedDecoder>();
  } else if (kind == codec::BodyKind::kLength) {
    decoder_.emplace<codec::LengthDecoder>(*length);
  }
}

UpstreamBody::~UpstreamBody() {
  if (complete_) finish();
}

Task<Result<std::string_view>> UpstreamBody::read() {
  if (failed_) co_return fail(ErrorCode::kUnavailable, "the body has failed before");
  if (!lease_) co_return std::string_view();
  auto& connection = lease_->connection();
  for (;;) {
    if (!complete_) {
      auto piece = decode();
      if (!piece) co_return give_up(std::move(piece).error());
      if (!piece->empty()) co_return piece;
    }
    if (complete_) {
      if (!connection.unread().empty()) {
        co_return give_up({ErrorCode::kProtocol, "the upstream sent bytes behind the body"});
      }
      finish();
      co_return std::string_view();
    }
    const auto now = system_clock().now();
    const auto until = std::min(limits_.overall.within(now, limits_.idle).at(), next_read_until_);
    connection.deadline().expires_at(until);
    const auto received = co_await connection.read_more();
    connection.deadline().never_expires();  // the consumer may take its time
    if (!received) co_return give_up(received.error());
    if (*received == 0) {
      if (!std::holds_alternative<UntilClose>(decoder_)) co_return give_up(cut());
      complete_ = true;
      may_reuse_ = false;
    }
  }
}

Result<std::string_view> UpstreamBody::decode() {
  auto& connection = lease_->connection();
  if (auto* chunked = std::get_if<codec::ChunkedDecoder>(&decoder_)) {
    return decode_chunks(*chunked);
  }
  auto piece = connection.unread_text();
  if (auto* length = std::get_if<codec::LengthDecoder>(&decoder_)) {
    piece = length->decode(piece).data;
    complete_ = length->is_complete();
  }
  connection.consume(piece.size());
  return piece;
}

/// Moves the data of all chunks in the buffer together, so that they go out in one write.
Result<std::string_view> UpstreamBody::decode_chunks(codec::ChunkedDecoder& decoder) {
  auto& connection = lease_->connection();
  char* const piece = connection.unread().data();
  std::size_t size = 0;
  while (!complete_ && !connection.unread().empty()) {
    const auto step = decoder.decode(connection.unread_text());
    if (step.status == codec::BodyStatus::kError) {
      return fail(ErrorCode::kProtocol, "body from upstream: " + decoder.error().detail());
    }
    if (!step.data.empty()) {
      if (piece + size != step.data.data()) {
        std::memmove(piece + size, step.data.data(), step.data.size());
      }
      size += step.data.size();
    }
    connection.consume(step.consumed);
    complete_ = step.status == codec::BodyStatus::kComplete;
  }
  if (complete_) {
    for (const auto& field : decoder.trailers()) trailers_.add(field.name, field.value);
  }
  return std::string_view(piece, size);
}

Error UpstreamBody::cut() const {
  return {ErrorCode::kUnavailable, "the upstream closed the connection within the body"};
}

std::unexpected<Error> UpstreamBody::give_up(Error error) {
  if (error.code() != ErrorCode::kCancelled) {
    lease_->pool().metrics().failure(CallReport::Phase::kBody).add();
  }
  failed_ = true;
  complete_ = false;
  lease_.reset();
  return std::unexpected(std::move(error));
}

void UpstreamBody::finish() noexcept {
  if (lease_ && may_reuse_ && lease_->connection().unread().empty()) lease_->give_back();
  lease_.reset();
}

}  // namespace conciergus::http

#include "conciergus/http/upstream_connection.hpp"

#include <algorithm>
#include <cstring>

namespace conciergus::http {

UpstreamConnection::UpstreamConnection(const asio::any_io_executor& shard,
                                       std::unique_ptr<net::Stream> stream,
                                       const codec::Http1Limits& limits)
    : stream_(std::move(stream)),
      deadline_(std::in_place, shard, *stream_),
      parser_(limits),
      buffer_(std::make_unique_for_overwrite<char[]>(kSmallBuffer)) {}

Task<Result<std::size_t>> UpstreamConnection::read_more() {
  make_room();
  const std::span<char> room(buffer_.get() + end_, capacity_ - end_);
  auto received = co_await stream_->read_some(room);
  if (!received) co_return std::unexpected(explain(std::move(received).error()));
  end_ += *received;
  filled_ = *received == room.size();
  co_return received;
}

Task<Result<void>> UpstreamConnection::write(std::span<const asio::const_buffer> buffers) {
  auto written = co_await stream_->write(buffers);
  if (!written) co_return std::unexpected(explain(std::move(written).error()));
  co_return written;
}

/// What is unread moves to the front; the buffer grows when that is not enough, or when the peer
/// has filled it in one go.
void UpstreamConnection::make_room() {
  const auto size = end_ - begin_;
  const bool grow = size == capacity_ || (filled_ && capacity_ < kLargeBuffer);
  if (grow) {
    const auto capacity = capacity_ * 2;
    auto larger = std::make_unique_for_overwrite<char[]>(capacity);
    std::memcpy(larger.get(), buffer_.get() + begin_, size);
    buffer_ = std::move(larger);
    capacity_ = capacity;
    filled_ = false;
  } else if (begin_ != 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, size);
  }
  begin_ = 0;
  end_ = size;
}

Error UpstreamConnection::explain(Error error) const {
  if (!deadline_->has_expired()) return error;
  return {ErrorCode::kTimeout, "the upstream was silent for too long"};
}

bool UpstreamConnection::is_reusable() noexcept {
  return stream_->is_open() && begin_ == end_ && !stream_->has_unread();
}

void UpstreamConnection::rest() noexcept {
  deadline_->never_expires();
  parser_.reset();
  begin_ = end_ = 0;
  filled_ = false;
  if (capacity_ > kSmallBuffer) {
    buffer_ = std::make_unique_for_overwrite<char[]>(kSmallBuffer);
    capacity_ = kSmallBuffer;
  }
  if (head_text_.capacity() > kSmallBuffer) head_text_ = {};
}

std::unique_ptr<net::Stream> UpstreamConnection::release() noexcept {
  deadline_.reset();
  return std::move(stream_);
}

}  // namespace conciergus::http

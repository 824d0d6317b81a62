#include "conciergus/http/http1_transport.hpp"

#include <utility>

namespace conciergus::http {

Http1Transport::Http1Transport(runtime::Shard& shard,
                               net::Stream& stream,
                               const ServerConfig& config,
                               const ServerMetrics& metrics,
                               std::shared_ptr<const runtime::Gate::Member> self)
    : Watch(shard.watchdog()),
      shard_(shard),
      stream_(stream),
      config_(config),
      metrics_(metrics),
      self_(std::move(self)) {}

Task<Result<std::size_t>> Http1Transport::receive(Clock::Instant until) {
  read_until_ = until;
  if (!in_exchange_) expires_at(until);
  auto size = co_await stream_.read_some(input_.space());
  read_until_ = Clock::Instant::max();
  if (timed_out_) co_return fail(ErrorCode::kTimeout, "the client sends too slowly");
  if (size) {
    input_.commit(*size);
    metrics_.received_bytes.add(*size);
  }
  co_return size;
}

Task<Result<void>> Http1Transport::send(std::span<const asio::const_buffer> buffers) {
  writing_ = true;
  if (!in_exchange_) expires_at(Clock::Instant());
  auto sent = co_await stream_.write(buffers);
  writing_ = false;
  write_until_ = Clock::Instant::max();
  if (sent) metrics_.sent_bytes.add(asio::buffer_size(buffers));
  co_return sent;
}

Task<Result<void>> Http1Transport::send(std::string_view text) {
  const asio::const_buffer buffer(text.data(), text.size());
  co_return co_await send({&buffer, 1});
}

Task<void> Http1Transport::shutdown() {
  in_exchange_ = false;
  write_until_ = now() + config_.linger;  // not a write, but the same reaction: close
  expires_at(write_until_);
  co_await stream_.shutdown();
  never_expires();
}

void Http1Transport::watch_client() {
  watch_ = std::make_shared<char>();
  stream_.when_readable([this, watched = std::weak_ptr(watch_)] {
    if (watched.expired()) return;
    watch_.reset();
    if (!in_exchange_ || !stream_.peer_has_closed()) return;
    metrics_.clients_gone.add();
    runtime::Gate::cancel(*self_);
  });
}

void Http1Transport::on_expired() {
  const auto now = this->now();
  if (write_until_ <= now) {
    if (writing_) metrics_.write_timeouts.add();
    stream_.close();
    return;
  }
  if (writing_ && write_until_ == Clock::Instant::max()) write_until_ = now + config_.write_timeout;
  if (read_until_ <= now) {
    timed_out_ = true;
    read_until_ = Clock::Instant::max();
    stream_.cancel();
  }
  if (in_exchange_ && !watch_) watch_client();
  expires_at(in_exchange_ ? Clock::Instant() : std::min(read_until_, write_until_));
}

}  // namespace conciergus::http

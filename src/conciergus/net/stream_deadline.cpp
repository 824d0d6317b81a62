#include "conciergus/net/stream_deadline.hpp"

#include <boost/asio/steady_timer.hpp>

namespace conciergus::net {

struct StreamDeadline::State {
  State(const asio::any_io_executor& shard, Stream& watched) : timer(shard), stream(&watched) {}

  asio::steady_timer timer;
  Stream* stream;  // null once nobody watches
  Clock::Instant at = Clock::Instant::max();
  bool is_armed = false;
  bool has_expired = false;
};

StreamDeadline::StreamDeadline(const asio::any_io_executor& shard, Stream& stream)
    : state_(std::make_shared<State>(shard, stream)) {}

StreamDeadline::~StreamDeadline() {
  state_->stream = nullptr;
  state_->timer.cancel();
}

void StreamDeadline::expires_at(Clock::Instant at) {
  state_->at = at;
  if (state_->is_armed && state_->timer.expiry() <= at) return;  // fires first, and looks again
  arm(state_);
}

void StreamDeadline::never_expires() noexcept {
  state_->at = Clock::Instant::max();
}

bool StreamDeadline::has_expired() const noexcept {
  return state_->has_expired;
}

void StreamDeadline::arm(const std::shared_ptr<State>& state) {
  state->is_armed = true;
  state->timer.expires_at(state->at);  // cancels the wait before, whose handler then does nothing
  state->timer.async_wait([state](const boost::system::error_code& error) {
    if (error || state->stream == nullptr) return;
    state->is_armed = false;
    if (state->at == Clock::Instant::max()) return;
    if (system_clock().now() < state->at) return arm(state);
    state->has_expired = true;
    state->stream->close();
  });
}

}  // namespace conciergus::net

#pragma once
/// Ends the waits of one connection, exactly on time and at no cost per exchange: moving the
/// instant only stores it. The timer is armed again when it fires too early, or when the instant is
/// moved before it.
#include <memory>

#include <boost/asio/any_io_executor.hpp>

#include "conciergus/base/clock.hpp"
#include "conciergus/net/stream.hpp"

namespace conciergus::net {

/// Belongs to the stream's shard and is destroyed before the stream. Reads the steady clock.
class StreamDeadline {
 public:
  StreamDeadline(const asio::any_io_executor& shard, Stream& stream);
  ~StreamDeadline();
  StreamDeadline(const StreamDeadline&) = delete;
  StreamDeadline& operator=(const StreamDeadline&) = delete;

  /// The stream is closed at that instant, unless it is moved before.
  void expires_at(Clock::Instant at);
  void never_expires() noexcept;
  /// True once it has closed the stream: what the stream then reports is a timeout.
  bool has_expired() const noexcept;

 private:
  struct State;
  static void arm(const std::shared_ptr<State>& state);
  std::shared_ptr<State> state_;  // shared with the timer's handler, which may run late
};

}  // namespace conciergus::net

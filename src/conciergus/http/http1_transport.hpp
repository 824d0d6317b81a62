#pragma once
/// The byte level of a server's HTTP/1 connection: input buffer, time limits, and the watch for
/// clients that leave.
///
/// None of it costs a timer or a system call per request. The watchdog looks at the connection
/// twelve times a second while an exchange runs: whether a write has been stuck for too long, or a
/// read is overdue. At the first look it also begins to watch for the client closing its side. A
/// client that has is gone: HTTP/1 gives half-closing no other meaning, and a stream nobody reads
/// has to end.
#include <memory>
#include <span>

#include "conciergus/http/read_buffer.hpp"
#include "conciergus/http/server_config.hpp"
#include "conciergus/http/server_metrics.hpp"
#include "conciergus/net/stream.hpp"
#include "conciergus/runtime/gate.hpp"
#include "conciergus/runtime/shard.hpp"

namespace conciergus::http {

/// Belongs to the coroutine that serves the connection. What it is given outlives it; `self` is
/// that coroutine, to be cancelled when the client has gone.
class Http1Transport final : private runtime::Watchdog::Watch {
 public:
  Http1Transport(runtime::Shard& shard,
                 net::Stream& stream,
                 const ServerConfig& config,
                 const ServerMetrics& metrics,
                 std::shared_ptr<const runtime::Gate::Member> self);

  ReadBuffer& input() noexcept { return input_; }
  net::Stream& stream() noexcept { return stream_; }
  Clock::Instant now() const noexcept { return shard_.now(); }

  /// Appends to the input: the number of bytes, or 0 at the end. kTimeout past `until`; the other
  /// direction can still be used then.
  Task<Result<std::size_t>> receive(Clock::Instant until);
  /// All of it; the connection is closed when nothing has moved for the write timeout.
  Task<Result<void>> send(std::span<const asio::const_buffer> buffers);
  Task<Result<void>> send(std::string_view text);

  /// Between the two, the client is watched.
  void begin_exchange() noexcept {
    in_exchange_ = true;
    expires_at(Clock::Instant());
  }
  void end_exchange() noexcept { in_exchange_ = false; }
  /// No limits from now on: the stream is somebody else's.
  void release() noexcept {
    in_exchange_ = false;
    never_expires();
  }
  /// Says good-bye and closes, within the linger time.
  Task<void> shutdown();

 private:
  void on_expired() override;
  void watch_client();

  runtime::Shard& shard_;
  net::Stream& stream_;
  const ServerConfig& config_;
  const ServerMetrics& metrics_;
  std::shared_ptr<const runtime::Gate::Member> self_;
  ReadBuffer input_;
  Clock::Instant read_until_ = Clock::Instant::max();
  Clock::Instant write_until_ = Clock::Instant::max();  // set by the first look at a pending write
  bool writing_ = false;
  bool in_exchange_ = false;
  bool timed_out_ = false;
  std::shared_ptr<void> watch_;  // while the client is watched; what that refers to weakly
};

}  // namespace conciergus::http

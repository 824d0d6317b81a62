#pragma once
/// A connected byte stream, plain or TLS, behind one interface.
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include <boost/asio/buffer.hpp>

#include "conciergus/base/result.hpp"
#include "conciergus/runtime/task.hpp"

namespace conciergus::net {

/// Address of a peer, without DNS.
struct Endpoint {
  std::string address;  ///< "127.0.0.1", "::1", or the path of a unix socket.
  unsigned short port = 0;
  bool is_loopback = false;
  /// "127.0.0.1:80", "[::1]:80"
  std::string to_string() const;
};

/// Belongs to one shard. One read and one write may be under way at a time, from different
/// coroutines. After an error or a cancelled call only close() may be called.
class Stream {
 public:
  virtual ~Stream() = default;

  /// At least one byte, or 0 when the peer has closed its side in order. kUnavailable when reset,
  /// kProtocol for broken TLS, kCancelled after close() from elsewhere.
  virtual Task<Result<std::size_t>> read_some(std::span<char> into) = 0;
  /// All of it; `buffers` and what they show stay valid until the task has ended.
  virtual Task<Result<void>> write(std::span<const asio::const_buffer> buffers) = 0;
  /// Sends TLS close_notify or FIN, as far as that needs no waiting longer than the deadline of the
  /// caller, then close().
  virtual Task<void> shutdown() = 0;
  /// Tells the peer that nothing more will be written, at once; reading goes on. False if the
  /// protocol cannot tell.
  virtual bool finish_sending() noexcept { return false; }
  /// At once and from any point of the shard's code: pending calls end with an error.
  virtual void close() noexcept = 0;
  /// Ends pending calls with kCancelled, and nothing else: unlike after other failures, the
  /// direction in which no call was pending can still be used.
  virtual void cancel() noexcept { close(); }

  virtual bool is_open() const noexcept = 0;
  virtual const Endpoint& peer() const noexcept = 0;
  virtual const Endpoint& local() const noexcept = 0;
  virtual bool is_tls() const noexcept { return false; }
  /// "h2", "http/1.1", or empty.
  virtual std::string_view alpn() const noexcept { return {}; }
  /// True if bytes or an end wait to be read on an idle pooled connection: it must not be reused.
  virtual bool has_unread() noexcept = 0;
  /// True once the peer has closed its side or reset the connection, whether or not bytes wait to
  /// be read before that. One system call.
  virtual bool peer_has_closed() noexcept { return false; }
  /// Calls `then` once, on the shard, as soon as there is something to read, an end included,
  /// whatever other calls are pending. Not after close() or cancel(), but possibly in the turn in
  /// which the stream is destroyed: `then` holds nothing but weak references. One system call.
  virtual void when_readable(std::function<void()> then) = 0;
};

}  // namespace conciergus::net

#pragma once
/// One HTTP/1.1 connection to an upstream: the stream, its read buffer and its deadline. Internal
/// to the client.
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "conciergus/codec/http1_parser.hpp"
#include "conciergus/net/stream.hpp"
#include "conciergus/net/stream_deadline.hpp"

namespace conciergus::http {

/// Belongs to one shard. Serves one exchange at a time.
class UpstreamConnection {
 public:
  static constexpr std::size_t kSmallBuffer = 4'096;   ///< Enough for a head or an event.
  static constexpr std::size_t kLargeBuffer = 65'536;  ///< Grown to while reads fill the buffer.

  UpstreamConnection(const asio::any_io_executor& shard,
                     std::unique_ptr<net::Stream> stream,
                     const codec::Http1Limits& limits);

  /// Bytes that have come and are not consumed; valid until the next read_more().
  std::span<char> unread() noexcept { return {buffer_.get() + begin_, end_ - begin_}; }
  std::string_view unread_text() const noexcept { return {buffer_.get() + begin_, end_ - begin_}; }
  void consume(std::size_t bytes) noexcept { begin_ += bytes; }
  /// Appends to unread(), whose bytes may move; returns how many have come, 0 at the end of the
  /// stream. kTimeout when the deadline has closed the stream; otherwise as Stream::read_some().
  Task<Result<std::size_t>> read_more();
  /// As Stream::write(), kTimeout included.
  Task<Result<void>> write(std::span<const asio::const_buffer> buffers);

  net::StreamDeadline& deadline() noexcept { return *deadline_; }
  codec::ResponseParser& parser() noexcept { return parser_; }
  /// Scratch space for request heads, kept from one exchange to the next.
  std::string& head_text() noexcept { return head_text_; }

  bool is_open() const noexcept { return stream_->is_open(); }
  /// True if the next request may be sent: open, and neither bytes nor an end have come unasked.
  bool is_reusable() noexcept;
  /// To be called between two exchanges: forgets the deadline, and gives up memory beyond the
  /// usual.
  void rest() noexcept;
  void close() noexcept { stream_->close(); }
  /// The stream of a connection that has left HTTP; nothing else may be called afterwards.
  std::unique_ptr<net::Stream> release() noexcept;

 private:
  void make_room();
  Error explain(Error error) const;

  std::unique_ptr<net::Stream> stream_;
  std::optional<net::StreamDeadline> deadline_;
  codec::ResponseParser parser_;
  std::string head_text_;
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_ = kSmallBuffer;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool filled_ = false;  // by the last read: the peer sends faster than we read
};

}  // namespace conciergus::http

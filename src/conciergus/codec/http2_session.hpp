#pragma once
/// Server side of an HTTP/2 connection as a sans-IO machine over nghttp2: bytes in, events and
/// bytes out. RFC 9113; abuse limits after CVE-2023-44487, CVE-2024-28182, CVE-2025-8671 and
/// CVE-2019-9511…9518.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conciergus/base/clock.hpp"
#include "conciergus/base/result.hpp"

namespace conciergus::codec {

struct Http2Limits {
  std::uint32_t max_concurrent_streams = 128;   ///< Per connection; further ones are refused.
  std::uint32_t stream_window = 65'535;         ///< Bytes a client may send ahead, per stream.
  std::uint32_t connection_window = 1'048'576;  ///< The same for all streams together.
  std::uint32_t max_head_bytes = 32'768;        ///< Decoded request head, 32 bytes a field added.
  std::uint32_t max_fields = 100;               ///< Fields of a request head.
  std::uint32_t reset_burst = 1'000;            ///< Streams reset by either side, at once …
  std::uint32_t resets_per_second = 33;         ///< … and in the long run. Then GOAWAY.
  std::uint32_t max_control_frames = 100;       ///< PING, SETTINGS, PRIORITY in ten seconds.
  std::uint32_t max_empty_data_frames = 10;     ///< Per stream, without END_STREAM.
  std::uint32_t max_continuations = 8;          ///< Per header block.
};

using Http2Fields = std::vector<std::pair<std::string, std::string>>;

struct Http2Request {
  std::string method;
  std::string scheme;
  std::string authority;  ///< :authority, or Host where only that was sent.
  std::string path;
  Http2Fields fields;      ///< Without pseudo-fields and Host; cookie crumbs joined.
  bool ended = false;      ///< No body follows.
  bool too_large = false;  ///< Over the limits on heads: `fields` is incomplete, answer 431.
};

/// Hears what happens. Called from within Http2Session::receive() and next_output(); may call the
/// session's sending functions, and no receive() or next_output().
class Http2Events {
 public:
  virtual ~Http2Events() = default;
  virtual void on_request(std::int32_t stream, Http2Request request) = 0;
  /// `data` is valid during the call. It counts against the window until consumed() is called.
  virtual void on_data(std::int32_t stream, std::string_view data) = 0;
  virtual void on_end(std::int32_t stream, Http2Fields trailers) = 0;
  /// Some of what send() queued has gone into frames.
  virtual void on_sent(std::int32_t stream) = 0;
  /// The last event of a stream: complete (0) or reset, with RFC 9113's error code.
  virtual void on_closed(std::int32_t stream, std::uint32_t error_code) = 0;
};

/// Not thread-safe. `events` outlives it.
class Http2Session {
 public:
  Http2Session(const Http2Limits& limits, Http2Events& events);
  ~Http2Session();

  /// Bytes as they arrive, in pieces of any size. kProtocol when the connection cannot go on: send
  /// what next_output() still gives (a GOAWAY), then close.
  Result<void> receive(std::string_view bytes, Clock::Instant now);
  /// Frames to send, up to some 16 KiB, valid until the next call of this function; empty when
  /// there is nothing to send.
  std::string_view next_output();
  /// Neither side has anything left to say: close the connection.
  bool is_over() const noexcept;

  /// 1xx. Names are lower-case; fields that HTTP/2 forbids are left out (Connection and its like).
  void send_interim(std::int32_t stream, unsigned status, const Http2Fields& fields);
  /// The head; with `end` there is no body.
  void send_head(std::int32_t stream, unsigned status, const Http2Fields& fields, bool end);
  /// Queues body bytes. The caller bounds the queue by looking at queued().
  void send(std::int32_t stream, std::string_view data);
  std::size_t queued(std::int32_t stream) const noexcept;
  /// The same for all streams together.
  std::size_t queued() const noexcept;
  /// Ends the body behind what is queued.
  void finish(std::int32_t stream, const Http2Fields& trailers = {});
  void reset(std::int32_t stream, std::uint32_t error_code);
  /// `size` bytes of on_data() were taken: the client may send as many more.
  void consumed(std::int32_t stream, std::size_t size);

  /// First step of a graceful end: announces it and still takes what is under way.
  void announce_shutdown();
  /// Second step, a round trip later: no new streams; is_over() once the open ones have ended.
  void shut_down();
  /// GOAWAY at once with an error code.
  void terminate(std::uint32_t error_code);

  static constexpr std::uint32_t kNoError = 0;
  static constexpr std::uint32_t kInternalError = 2;
  static constexpr std::uint32_t kRefusedStream = 7;
  static constexpr std::uint32_t kCancel = 8;
  static constexpr std::uint32_t kEnhanceYourCalm = 11;

  class Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace conciergus::codec

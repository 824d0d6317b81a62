#pragma once
/// Server-sent events: the event stream format of the WHATWG HTML standard, section 9.2.
///
/// Each event comes with its bytes as received. All of them in a row, and then pending(), are
/// exactly what was pushed, so that a stream can be read along and passed on without changing a
/// byte of it.
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "conciergus/base/result.hpp"

namespace conciergus::codec {

/// One block of lines up to its empty line. Views live until the next call of the parser.
struct SseEvent {
  std::string_view raw;    ///< As received, with the empty line.
  std::string_view event;  ///< "message" unless the block says otherwise.
  std::string_view data;   ///< Lines joined by LF.
  std::string_view id;     ///< The last one seen in the stream, in this block or before.
  std::optional<std::chrono::milliseconds> retry;
  bool has_data =
      false;  ///< False for heartbeats and other blocks that a browser does not dispatch.
};

/// Incremental; belongs to one stream. Holds at most one unfinished event and what the last push
/// added.
///
///     parser.push(bytes);
///     for (;;) {
///       CONCIERGUS_TRY(const auto event, parser.next());
///       if (!event) break;   // push more
///       …
///     }
class SseParser {
 public:
  static constexpr std::size_t kMaxEventBytes = 1 << 20;

  explicit SseParser(std::size_t max_event_bytes = kMaxEventBytes) noexcept
      : max_event_bytes_(max_event_bytes) {}

  /// Drain next() first, or what is buffered grows.
  void push(std::string_view bytes);
  /// The stream ends here: a final CR no longer waits for its LF.
  void finish() noexcept { is_finished_ = true; }
  /// The next block; nothing when more bytes are needed. kTooLarge for a block over the limit, for
  /// good.
  Result<std::optional<SseEvent>> next();
  /// Bytes that belong to no event yet. After finish() and next(): of an event that was cut.
  std::string_view pending() const noexcept { return std::string_view(buffer_).substr(block_); }

 private:
  /// Moves on to the end of the current block; false when it is not there yet.
  bool find_block_end() noexcept;
  void skip_byte_order_mark() noexcept;
  SseEvent parse_block(std::string_view raw, std::string_view lines);
  void parse_line(std::string_view line, SseEvent& event);

  std::size_t max_event_bytes_;
  std::string buffer_;
  std::size_t block_ = 0;    // where the current block's bytes start
  std::size_t content_ = 0;  // where its first line starts: after a byte order mark or a late LF
  std::size_t line_ = 0;     // where the current line starts
  std::size_t scanned_ = 0;  // no line end in [line_, scanned_)
  bool is_first_line_ = true;
  bool is_crlf_stream_ = false;     // a CR at the end of the buffer is worth waiting for its LF
  bool may_owe_line_feed_ = false;  // the line before ended with a CR that was the last byte then
  bool is_finished_ = false;
  std::string joined_data_;
  std::string last_id_;
};

/// Appends an event. Line ends in `data` (LF, CRLF, CR) start a new data line. kInternal, and
/// nothing appended, if `event` or `id` holds a line end or `id` a NUL.
Result<void> append_sse_event(std::string& out,
                              std::string_view data,
                              std::string_view event = {},
                              std::string_view id = {});

/// Appends a comment, which clients ignore; one line per line of `text`, and an empty line.
void append_sse_comment(std::string& out, std::string_view text);

/// Keeps proxies and clients from giving up on a silent stream.
constexpr std::string_view kSseHeartbeat = ": ping\n\n";

}  // namespace conciergus::codec

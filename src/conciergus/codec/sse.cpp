#include "conciergus/codec/sse.hpp"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <algorithm>
#include <bit>
#include <limits>

#include "conciergus/base/text.hpp"

namespace conciergus::codec {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

/// The first CR or LF in [at, end), or end.
const char* find_line_end(const char* at, const char* end) noexcept {
#if defined(__SSE2__)
  const __m128i cr = _mm_set1_epi8('\r');
  const __m128i lf = _mm_set1_epi8('\n');
  for (; end - at >= 16; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i hits = _mm_or_si128(_mm_cmpeq_epi8(bytes, cr), _mm_cmpeq_epi8(bytes, lf));
    if (const int mask = _mm_movemask_epi8(hits); mask != 0) {
      return at + std::countr_zero(static_cast<unsigned>(mask));
    }
  }
#endif
  while (at != end && *at != '\r' && *at != '\n') ++at;
  return at;
}

/// Takes the first line off `text`, without its end.
std::string_view take_line(std::string_view& text) noexcept {
  const auto size =
      static_cast<std::size_t>(find_line_end(text.data(), text.data() + text.size()) - text.data());
  const std::string_view line = text.substr(0, size);
  text.remove_prefix(std::min(size + (text.substr(size).starts_with("\r\n") ? 2 : 1), text.size()));
  return line;
}

bool is_one_line(std::string_view text) noexcept {
  return text.find_first_of("\r\n") == std::string_view::npos;
}

}  // namespace

void SseParser::push(std::string_view bytes) {
  buffer_.erase(0, block_);
  content_ -= block_;
  line_ -= block_;
  scanned_ -= block_;
  block_ = 0;
  buffer_.append(bytes);
}

Result<std::optional<SseEvent>> SseParser::next() {
  const bool is_complete = find_block_end();
  if ((is_complete ? line_ : buffer_.size()) - block_ > max_event_bytes_) {
    line_ = scanned_ = content_ = block_;
    return fail(ErrorCode::kTooLarge, "server-sent event too large");
  }
  if (!is_complete) return std::nullopt;
  const std::string_view text = buffer_;
  const SseEvent event =
      parse_block(text.substr(block_, line_ - block_), text.substr(content_, line_ - content_));
  block_ = content_ = line_;
  return event;
}

bool SseParser::find_block_end() noexcept {
  if (is_first_line_) skip_byte_order_mark();
  for (;;) {
    if (may_owe_line_feed_ && line_ < buffer_.size()) {
      may_owe_line_feed_ = false;
      if (buffer_[line_] == '\n') {
        if (content_ == line_) ++content_;
        scanned_ = ++line_;
      }
    }
    const char* const start = buffer_.data();
    const auto end =
        static_cast<std::size_t>(find_line_end(start + scanned_, start + buffer_.size()) - start);
    scanned_ = end;
    if (end == buffer_.size()) return false;
    std::size_t next_line = end + 1;
    if (buffer_[end] == '\r') {
      if (next_line == buffer_.size()) {
        // A stream of CRs must not wait for the byte that follows its event.
        if (is_crlf_stream_ && !is_finished_) return false;
        may_owe_line_feed_ = true;
      } else if (buffer_[next_line] == '\n') {
        is_crlf_stream_ = true;
        ++next_line;
      }
    }
    const bool is_empty = end == line_;
    line_ = scanned_ = next_line;
    if (is_empty) return true;
  }
}

void SseParser::skip_byte_order_mark() noexcept {
  if (buffer_.size() < kByteOrderMark.size() && kByteOrderMark.starts_with(buffer_)) return;
  is_first_line_ = false;
  if (buffer_.starts_with(kByteOrderMark)) content_ = line_ = scanned_ = kByteOrderMark.size();
}

SseEvent SseParser::parse_block(std::string_view raw, std::string_view lines) {
  SseEvent event{.raw = raw, .event = {}, .data = {}, .id = {}, .retry = {}, .has_data = false};
  joined_data_.clear();
  while (!lines.empty()) parse_line(take_line(lines), event);
  if (event.event.empty()) event.event = "message";
  event.id = last_id_;
  return event;
}

void SseParser::parse_line(std::string_view line, SseEvent& event) {
  const auto colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  std::string_view value = colon == std::string_view::npos ? "" : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);

  if (name == "data") {
    if (!event.has_data) {
      event.data = value;  // the usual case copies nothing
    } else {
      if (joined_data_.empty()) joined_data_ = event.data;
      joined_data_.append("\n").append(value);
      event.data = joined_data_;
    }
    event.has_data = true;
  } else if (name == "event") {
    event.event = value;
  } else if (name == "id") {
    if (value.find('\0') == std::string_view::npos) last_id_ = value;
  } else if (name == "retry") {
    if (const auto number = parse_decimal(value);
        number && *number <= std::numeric_limits<std::int32_t>::max()) {
      event.retry = std::chrono::milliseconds(*number);
    }
  }
}

Result<void> append_sse_event(std::string& out,
                              std::string_view data,
                              std::string_view event,
                              std::string_view id) {
  if (!is_one_line(event) || !is_one_line(id) || id.find('\0') != std::string_view::npos) {
    return fail(ErrorCode::kInternal, "line end in the name or id of a server-sent event");
  }
  if (!event.empty()) out.append("event: ").append(event).append("\n");
  if (!id.empty()) out.append("id: ").append(id).append("\n");
  bool ends_with_line_end = true;  // also of the empty data, which is one empty line
  while (!data.empty()) {
    const std::size_t before = data.size();
    const std::string_view line = take_line(data);
    out.append("data: ").append(line).append("\n");
    ends_with_line_end = before - data.size() > line.size();
  }
  if (ends_with_line_end) out.append("data: \n");
  out.append("\n");
  return {};
}

void append_sse_comment(std::string& out, std::string_view text) {
  do {
    out.append(": ").append(take_line(text)).append("\n");
  } while (!text.empty());
  out.append("\n");
}

}  // namespace conciergus::codec

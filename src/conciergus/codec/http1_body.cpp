#include "conciergus/codec/http1_body.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include "conciergus/base/text.hpp"

namespace conciergus::codec {
namespace {

constexpr std::uint64_t kMaxChunk = std::numeric_limits<std::int64_t>::max();

/// The value of a hexadecimal digit, or -1.
int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = ascii_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

BodyStep LengthDecoder::decode(std::string_view input) noexcept {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size()));
  left_ -= size;
  return {left_ == 0 ? BodyStatus::kComplete : BodyStatus::kNeedMore, size, input.substr(0, size)};
}

BodyStep ChunkedDecoder::decode(std::string_view input) {
  std::size_t at = 0;
  bool is_good = state_ != State::kError;
  while (is_good && at < input.size() && state_ != State::kComplete) {
    if (state_ == State::kData) {
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size() - at));
      left_ -= size;
      offset_ += size;
      if (left_ == 0) state_ = State::kDataReturn;
      return {BodyStatus::kNeedMore, at + size, input.substr(at, size)};
    }
    is_good = state_ == State::kTrailers ? take_trailer_byte(input[at]) : take(input[at]);
    if (!is_good) break;
    ++at;
    ++offset_;
  }
  if (!is_good) {
    state_ = State::kError;
    return {BodyStatus::kError, at, {}};
  }
  return {is_complete() ? BodyStatus::kComplete : BodyStatus::kNeedMore, at, {}};
}

bool ChunkedDecoder::take(char c) noexcept {
  switch (state_) {
    case State::kSize:
      if (const int digit = hex_value(c); digit >= 0) {
        if (++digits_ > 16) return refuse("chunk size of more than 16 digits");
        left_ = left_ * 16 + static_cast<unsigned>(digit);
        return true;
      }
      if (digits_ == 0) return refuse("chunk size without a digit");
      if (left_ > kMaxChunk) return refuse("chunk too large");
      if (c == ';') {
        state_ = State::kExtension;
        extension_ = 0;
        return true;
      }
      if (c != '\r') return refuse("byte that no chunk size may hold");
      state_ = State::kSizeLineFeed;
      return true;
    case State::kExtension:
      if (c == '\r') {
        state_ = State::kSizeLineFeed;
        return true;
      }
      if (!grammar::is_value_char(c)) return refuse("control byte in a chunk extension");
      if (++extension_ > limits_.extension_bytes ||
          ++all_extensions_ > limits_.all_extension_bytes) {
        return refuse("chunk extensions too long");
      }
      return true;
    case State::kSizeLineFeed:
      if (c != '\n') return refuse("carriage return without line feed");
      state_ = left_ == 0 ? State::kTrailers : State::kData;
      digits_ = 0;
      return true;
    case State::kDataReturn:
      if (c != '\r') return refuse("chunk data longer than its size");
      state_ = State::kDataLineFeed;
      return true;
    case State::kDataLineFeed:
      if (c != '\n') return refuse("carriage return without line feed");
      state_ = State::kSize;
      return true;
    default:
      return refuse("byte behind the body");
  }
}

bool ChunkedDecoder::take_trailer_byte(char c) {
  trailer_text_ += c;
  if (c != '\n') {
    // The empty line does not count.
    return trailer_text_.size() <= limits_.trailer_bytes + 1 || refuse("trailers too large");
  }
  const std::size_t size = trailer_text_.size() - trailer_line_;
  if (size < 2 || trailer_text_[trailer_text_.size() - 2] != '\r') {
    return refuse("line feed without carriage return");
  }
  trailer_line_ = trailer_text_.size();
  return size > 2 || parse_trailers();
}

bool ChunkedDecoder::parse_trailers() {
  const char* const text = trailer_text_.data();
  const char* const end = text + trailer_text_.size();
  const std::uint64_t start = offset_ + 1 - trailer_text_.size();
  for (const char* at = text; at != end - 2;) {
    Field field;
    const char* const line = at;
    at = grammar::parse_field_line(text, at, end, field, error_);
    if (at == nullptr) {
      error_.offset += start;
      return false;
    }
    offset_ = start + static_cast<std::size_t>(line - text);  // where a refusal points
    if (is_forbidden_trailer(field.name))
      return refuse("trailer that frames or routes the message");
    if (trailers_.size() == limits_.trailer_fields) return refuse("too many trailers");
    trailers_.push_back(field);
  }
  offset_ = start + trailer_text_.size() - 1;
  state_ = State::kComplete;
  return true;
}

bool ChunkedDecoder::refuse(std::string_view what) noexcept {
  error_ = {400, what, static_cast<std::size_t>(offset_)};
  return false;
}

std::string_view format_chunk_head(ChunkHeadBuffer& buffer, std::uint64_t size) noexcept {
  char* end = std::to_chars(buffer, buffer + 16, size, 16).ptr;
  *end++ = '\r';
  *end++ = '\n';
  return {buffer, end};
}

bool is_forbidden_trailer(std::string_view name) noexcept {
  static constexpr std::string_view kForbidden[] = {"authorization",
                                                    "connection",
                                                    "content-encoding",
                                                    "content-length",
                                                    "content-range",
                                                    "content-type",
                                                    "cookie",
                                                    "expect",
                                                    "forwarded",
                                                    "host",
                                                    "keep-alive",
                                                    "max-forwards",
                                                    "proxy-authorization",
                                                    "proxy-connection",
                                                    "range",
                                                    "set-cookie",
                                                    "te",
                                                    "trailer",
                                                    "transfer-encoding",
                                                    "upgrade",
                                                    "x-forwarded-for",
                                                    "x-forwarded-host",
                                                    "x-forwarded-proto"};
  return std::ranges::any_of(kForbidden,
                             [name](std::string_view other) { return iequals(name, other); });
}

}  // namespace conciergus::codec

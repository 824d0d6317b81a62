#pragma once
/// Bodies of HTTP/1 messages, RFC 9112 sections 6 and 7: decoders that hand out spans of their
/// input, and the few bytes that a chunked body is made of.
///
/// A decoder never takes a byte behind the body, so pipelined bytes stay with the caller:
///
///     while (!input.empty()) {
///       const BodyStep step = decoder.decode(input);
///       input.remove_prefix(step.consumed);
///       if (!step.data.empty()) use(step.data);
///       if (step.status != BodyStatus::kNeedMore) break;   // complete, or an error
///     }
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "conciergus/codec/http1_grammar.hpp"

namespace conciergus::codec {

enum class BodyStatus : std::uint8_t {
  kNeedMore,  ///< Something was consumed, and it was not the end. Call again with the rest or with
              ///< more.
  kComplete,  ///< The body ends with the consumed bytes.
  kError,
};

/// What one call of decode() made of its input.
struct BodyStep {
  BodyStatus status = BodyStatus::kNeedMore;
  std::size_t consumed = 0;  ///< Drop these; the decoder keeps what it needs.
  std::string_view data;     ///< A part of the consumed input; may be empty, also before the end.
};

/// A body of known length.
class LengthDecoder {
 public:
  explicit LengthDecoder(std::uint64_t length) noexcept : left_(length) {}

  BodyStep decode(std::string_view input) noexcept;
  bool is_complete() const noexcept { return left_ == 0; }
  std::uint64_t left() const noexcept { return left_; }

 private:
  std::uint64_t left_;
};

struct ChunkLimits {
  std::size_t extension_bytes = 256;         ///< In one chunk line.
  std::size_t all_extension_bytes = 16'384;  ///< In the whole body.
  std::size_t trailer_bytes = 8'192;         ///< All trailer lines together.
  std::size_t trailer_fields = 100;
};

/// A chunked body. Errors have the status 400 and an offset from the start of the body; towards an
/// origin the caller answers 502 instead.
class ChunkedDecoder {
 public:
  explicit ChunkedDecoder(const ChunkLimits& limits = {}) noexcept : limits_(limits) {}

  BodyStep decode(std::string_view input);
  bool is_complete() const noexcept { return state_ == State::kComplete; }
  const Http1Error& error() const noexcept { return error_; }
  /// After kComplete; the views live as long as the decoder, which must not move meanwhile. None of
  /// them frames or routes a message: those are refused.
  std::span<const Field> trailers() const noexcept { return trailers_; }

 private:
  enum class State : std::uint8_t {
    kSize,
    kExtension,
    kSizeLineFeed,
    kData,
    kDataReturn,
    kDataLineFeed,
    kTrailers,
    kComplete,
    kError,
  };

  /// Handles one byte outside of chunk data and trailers. False: refused.
  bool take(char c) noexcept;
  bool take_trailer_byte(char c);
  bool parse_trailers();
  bool refuse(std::string_view what) noexcept;

  ChunkLimits limits_;
  State state_ = State::kSize;
  unsigned digits_ = 0;        // of the chunk size
  std::uint64_t left_ = 0;     // the chunk size, then what is left of its data
  std::size_t extension_ = 0;  // bytes in this line
  std::size_t all_extensions_ = 0;
  std::uint64_t offset_ = 0;  // bytes consumed
  std::string trailer_text_;
  std::size_t trailer_line_ = 0;  // start of the last line in it
  std::vector<Field> trailers_;
  Http1Error error_;
};

/// Room for a chunk's size line: sixteen digits, CR, LF.
using ChunkHeadBuffer = char[18];

/// "1a3\r\n" in `buffer`, to be sent before `size` bytes and kChunkEnd. `size` is not 0: that is
/// kLastChunk.
std::string_view format_chunk_head(ChunkHeadBuffer& buffer, std::uint64_t size) noexcept;

constexpr std::string_view kChunkEnd = "\r\n";
constexpr std::string_view kLastChunk = "0\r\n\r\n";

/// True for fields that may not be sent as trailers, since they frame or route the message (RFC
/// 9110 section 6.5.1) or would change who it is from.
bool is_forbidden_trailer(std::string_view name) noexcept;

}  // namespace conciergus::codec

#pragma once
/// Content codings as streams: gzip (RFC 1952), br (RFC 7932) and zstd (RFC 8878), at the levels
/// for answers that are compressed as they are sent. Window 256 KiB, so that an open stream costs
/// at most some 2 MiB, gzip a quarter of one.
#include <memory>
#include <string>
#include <string_view>

#include "conciergus/codec/accept.hpp"

namespace conciergus::http {

enum class Flush {
  kPiece,  ///< All input so far can be decoded from the output so far.
  kEnd,    ///< The stream is over.
};

/// Used by one thread at a time.
class Encoder {
 public:
  virtual ~Encoder() = default;
  /// Appends to `out` what `input` becomes. Throws std::bad_alloc only.
  virtual void encode(std::string_view input, Flush flush, std::string& out) = 0;
  /// Ready for another stream; false if it has to be made anew.
  virtual bool reset() noexcept { return false; }
};

/// Puts an encoder back for the next stream of the same thread.
struct EncoderRelease {
  codec::ContentCoding coding = codec::ContentCoding::kIdentity;
  void operator()(Encoder* encoder) const noexcept;
};
using EncoderPtr = std::unique_ptr<Encoder, EncoderRelease>;

/// One from the thread's few idle ones, or a new one. `coding` is not identity.
EncoderPtr take_encoder(codec::ContentCoding coding);

/// A whole body at once.
std::string encode_whole(codec::ContentCoding coding, std::string_view text);

}  // namespace conciergus::http

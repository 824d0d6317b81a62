#include "conciergus/http/encoder.hpp"

#include <array>
#include <new>
#include <vector>

#include <brotli/encode.h>
#include <zlib.h>
#include <zstd.h>

namespace conciergus::http {
namespace {
using codec::ContentCoding;

constexpr int kGzipLevel = 6;
constexpr std::uint32_t kBrotliQuality = 4;
constexpr int kZstdLevel = 3;
constexpr int kWindowBits = 18;
constexpr std::size_t kStep = 16 * 1024;  // of output

class GzipEncoder final : public Encoder {
 public:
  GzipEncoder() {
    constexpr int kGzipFormat = 16;
    if (deflateInit2(
            &stream_, kGzipLevel, Z_DEFLATED, MAX_WBITS + kGzipFormat, 8, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
      throw std::bad_alloc();
    }
  }
  ~GzipEncoder() override { deflateEnd(&stream_); }

  void encode(std::string_view input, Flush flush, std::string& out) override {
    std::array<char, kStep> room;
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
    stream_.avail_in = static_cast<uInt>(input.size());
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(room.data());
      stream_.avail_out = room.size();
      deflate(&stream_, flush == Flush::kEnd ? Z_FINISH : Z_SYNC_FLUSH);
      out.append(room.data(), room.size() - stream_.avail_out);
    } while (stream_.avail_out == 0);
  }
  bool reset() noexcept override { return deflateReset(&stream_) == Z_OK; }

 private:
  z_stream stream_{};
};

class BrotliEncoder final : public Encoder {
 public:
  BrotliEncoder() : state_(BrotliEncoderCreateInstance(nullptr, nullptr, nullptr)) {
    if (!state_) throw std::bad_alloc();
    BrotliEncoderSetParameter(state_.get(), BROTLI_PARAM_QUALITY, kBrotliQuality);
    BrotliEncoderSetParameter(state_.get(), BROTLI_PARAM_LGWIN, kWindowBits);
  }

  void encode(std::string_view input, Flush flush, std::string& out) override {
    const auto operation = flush == Flush::kEnd ? BROTLI_OPERATION_FINISH : BROTLI_OPERATION_FLUSH;
    const auto* next = reinterpret_cast<const std::uint8_t*>(input.data());
    std::size_t left = input.size();
    do {
      std::size_t no_room = 0;
      if (!BrotliEncoderCompressStream(
              state_.get(), operation, &left, &next, &no_room, nullptr, nullptr)) {
        throw std::bad_alloc();  // the one way in which it fails
      }
      std::size_t size = 0;
      const auto* const made = BrotliEncoderTakeOutput(state_.get(), &size);
      out.append(reinterpret_cast<const char*>(made), size);
    } while (left > 0 || BrotliEncoderHasMoreOutput(state_.get()));
  }

 private:
  struct Delete {
    void operator()(BrotliEncoderState* state) const noexcept {
      BrotliEncoderDestroyInstance(state);
    }
  };
  std::unique_ptr<BrotliEncoderState, Delete> state_;
};

class ZstdEncoder final : public Encoder {
 public:
  ZstdEncoder() : context_(ZSTD_createCCtx()) {
    if (!context_) throw std::bad_alloc();
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, kZstdLevel);
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_windowLog, kWindowBits);
  }

  void encode(std::string_view input, Flush flush, std::string& out) override {
    std::array<char, kStep> room;
    ZSTD_inBuffer in{input.data(), input.size(), 0};
    for (std::size_t left = 1; left != 0;) {
      ZSTD_outBuffer made{room.data(), room.size(), 0};
      left = ZSTD_compressStream2(
          context_.get(), &made, &in, flush == Flush::kEnd ? ZSTD_e_end : ZSTD_e_flush);
      if (ZSTD_isError(left)) throw std::bad_alloc();  // the one way in which it fails
      out.append(room.data(), made.pos);
    }
  }
  bool reset() noexcept override {
    return !ZSTD_isError(ZSTD_CCtx_reset(context_.get(), ZSTD_reset_session_only));
  }

 private:
  struct Delete {
    void operator()(ZSTD_CCtx* context) const noexcept { ZSTD_freeCCtx(context); }
  };
  std::unique_ptr<ZSTD_CCtx, Delete> context_;
};

std::unique_ptr<Encoder> make_encoder(ContentCoding coding) {
  switch (coding) {
    case ContentCoding::kBrotli:
      return std::make_unique<BrotliEncoder>();
    case ContentCoding::kZstd:
      return std::make_unique<ZstdEncoder>();
    default:
      return std::make_unique<GzipEncoder>();
  }
}

/// Making an encoder costs more than encoding a small body: a few wait for the next one.
constexpr std::size_t kMaxIdle = 2;
using IdleEncoders = std::array<std::vector<std::unique_ptr<Encoder>>, 4>;

std::vector<std::unique_ptr<Encoder>>& idle_encoders(ContentCoding coding) {
  thread_local IdleEncoders idle;
  return idle[static_cast<std::size_t>(coding)];
}

}  // namespace

void EncoderRelease::operator()(Encoder* encoder) const noexcept {
  std::unique_ptr<Encoder> owned(encoder);
  auto& idle = idle_encoders(coding);
  if (idle.size() < kMaxIdle && owned->reset()) idle.push_back(std::move(owned));
}

EncoderPtr take_encoder(ContentCoding coding) {
  auto& idle = idle_encoders(coding);
  std::unique_ptr<Encoder> encoder;
  if (idle.empty()) {
    encoder = make_encoder(coding);
  } else {
    encoder = std::move(idle.back());
    idle.pop_back();
  }
  return {encoder.release(), EncoderRelease{coding}};
}

std::string encode_whole(ContentCoding coding, std::string_view text) {
  std::string out;
  out.reserve(text.size() / 2);
  take_encoder(coding)->encode(text, Flush::kEnd, out);
  return out;
}

}  // namespace conciergus::http

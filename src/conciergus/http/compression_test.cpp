#include "conciergus/http/compression.hpp"

#include <brotli/decode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include "conciergus/http/encoder.hpp"
#include "support/run_coro.hpp"
#include "support/test_handler.hpp"
#include "support/test_shard.hpp"

namespace conciergus::http {
namespace {
using codec::ContentCoding;

/// What the coding's own library makes of it, so far: the stream need not be over.
std::string decode(std::string_view coding, std::string_view text) {
  std::string out(8 << 20, '\0');
  if (coding == "gzip") {
    z_stream stream{};
    inflateInit2(&stream, MAX_WBITS + 16);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    inflate(&stream, Z_SYNC_FLUSH);
    out.resize(stream.total_out);
    inflateEnd(&stream);
  } else if (coding == "br") {
    auto* state = BrotliDecoderCreateInstance(nullptr, nullptr, nullptr);
    auto in_left = text.size();
    auto out_left = out.size();
    const auto* in = reinterpret_cast<const std::uint8_t*>(text.data());
    auto* at = reinterpret_cast<std::uint8_t*>(out.data());
    BrotliDecoderDecompressStream(state, &in_left, &in, &out_left, &at, nullptr);
    BrotliDecoderDestroyInstance(state);
    out.resize(out.size() - out_left);
  } else if (coding == "zstd") {
    auto* state = ZSTD_createDCtx();
    ZSTD_inBuffer in{text.data(), text.size(), 0};
    ZSTD_outBuffer made{out.data(), out.size(), 0};
    while (in.pos < in.size && !ZSTD_isError(ZSTD_decompressStream(state, &made, &in))) {
    }
    ZSTD_freeDCtx(state);
    out.resize(made.pos);
  } else {
    out = text;
  }
  return out;
}

std::string prose(std::size_t size) {
  std::string text;
  while (text.size() < size)
    text += "The quick brown fox no. " + std::to_string(text.size()) + "\n";
  text.resize(size);
  return text;
}

class CompressionTest : public testing::Test {
 protected:
  CompressionTest() : exchange_(shard_.get()) {
    exchange_.request.headers.add("accept-encoding", "gzip, deflate, br, zstd");
    response_.headers.add("content-type", "application/json; charset=utf-8");
    response_.body = prose(4'000);
  }

  /// What the middleware makes of `response_`.
  Response run(const CompressionConfig& config = {}) {
    std::vector<std::unique_ptr<Middleware>> chain;
    chain.push_back(std::make_unique<Compression>(config, shard_.metrics()));
    const TestHandler handler([&](auto&, auto&) { return std::move(response_); });
    Response response;
    shard_.run([&]() -> Task<void> {
      auto result = co_await Next(chain, handler).run(exchange_.context, exchange_.request);
      if (result) response = *std::move(result);
    });
    return response;
  }
  void accept(std::string_view codings) {
    exchange_.request.headers.set("accept-encoding", codings);
  }
  void expect_untouched() {
    const auto response = run();
    EXPECT_EQ(response.headers.get("content-encoding", "none"), "none");
    EXPECT_EQ(response.body.text(), prose(4'000));
  }

  TestShard shard_;
  TestExchange exchange_;
  Response response_;
};

TEST_F(CompressionTest, EncodesAWholeBodyInEachCodingThatTheClientAccepts) {
  for (const std::string coding : {"gzip", "br", "zstd"}) {
    accept(coding);
    response_ = make_response(200, "text/html", prose(100'000));
    const auto response = run();
    EXPECT_EQ(response.headers.get("content-encoding"), coding);
    EXPECT_EQ(response.headers.get("vary"), "accept-encoding");
    EXPECT_LT(response.body.text().size(), 30'000u);
    EXPECT_EQ(decode(coding, response.body.text()), prose(100'000));
  }
}

TEST_F(CompressionTest, PrefersZstdAmongEqualsAndHonoursQualityValues) {
  EXPECT_EQ(run().headers.get("content-encoding"), "zstd");
  accept("gzip;q=0.9, br;q=0.5, zstd;q=0, identity;q=0.1");
  response_ = make_response(200, "text/css", prose(4'000));
  EXPECT_EQ(run().headers.get("content-encoding"), "gzip");
}

TEST_F(CompressionTest, SendsIdentityWhenNothingElseIsAcceptedAndStillVaries) {
  accept("identity, gzip;q=0");
  const auto response = run();
  EXPECT_FALSE(response.headers.contains("content-encoding"));
  EXPECT_EQ(response.headers.get("vary"), "accept-encoding");
}

TEST_F(CompressionTest, SendsIdentityToAClientThatSaysNothing) {
  exchange_.request.headers.remove("accept-encoding");
  expect_untouched();
}

TEST_F(CompressionTest, LeavesAloneWhatMayNotBeTransformed) {
  response_.headers.add("cache-control", "public, no-transform");
  expect_untouched();
}

TEST_F(CompressionTest, LeavesAloneWhatTheClientWantsUntransformed) {
  exchange_.request.headers.add("cache-control", "no-transform");
  expect_untouched();
}

TEST_F(CompressionTest, LeavesAloneWhatIsEncodedAlready) {
  response_.headers.add("content-encoding", "br");
  const auto response = run();
  EXPECT_EQ(response.headers.find_all("content-encoding").size(), 1u);
  EXPECT_EQ(response.body.text(), prose(4'000));
}

TEST_F(CompressionTest, LeavesAlonePartsAndAnswersWithoutABody) {
  for (const unsigned status : {204u, 206u, 304u}) {
    response_ = make_response(status, "text/plain", prose(4'000));
    EXPECT_FALSE(run().headers.contains("content-encoding")) << status;
  }
  exchange_.request.method = "HEAD";
  response_ = make_response(200, "text/plain", prose(4'000));
  EXPECT_FALSE(run().headers.contains("content-encoding"));
}

TEST_F(CompressionTest, LeavesAloneShortBodiesAndTypesThatDoNotShrink) {
  response_ = make_response(200, "text/plain", prose(1'023));
  EXPECT_FALSE(run().headers.contains("content-encoding"));
  response_ = make_response(200, "image/png", prose(4'000));
  const auto picture = run();
  EXPECT_FALSE(picture.headers.contains("content-encoding"));
  EXPECT_FALSE(picture.headers.contains("vary"));
}

TEST_F(CompressionTest, MergesVaryWeakensTheTagAndDropsWhatDescribesOtherBytes) {
  response_.headers.add("vary", "cookie");
  response_.headers.add("vary", "origin");
  response_.headers.add("etag", "\"abc\"");
  response_.headers.add("accept-ranges", "bytes");
  response_.headers.add("content-length", "4000");
  const auto response = run();
  EXPECT_EQ(response.headers.joined("vary"), "cookie, origin, accept-encoding");
  EXPECT_EQ(response.headers.get("etag"), "W/\"abc\"");
  EXPECT_FALSE(response.headers.contains("accept-ranges"));
  EXPECT_FALSE(response.headers.contains("content-length"));
}

TEST_F(CompressionTest, DoesNotRepeatItselfInVaryNorTouchAWeakTag) {
  response_.headers.add("vary", "Accept-Encoding");
  response_.headers.add("etag", "W/\"abc\"");
  const auto response = run();
  EXPECT_EQ(response.headers.joined("vary"), "Accept-Encoding");
  EXPECT_EQ(response.headers.get("etag"), "W/\"abc\"");
}

TEST_F(CompressionTest, KeepsABodyThatDoesNotShrink) {
  Random random(7);
  std::string noise;
  for (int i = 0; i < 4'000; ++i) noise += static_cast<char>(random.below(256));
  response_.body = noise;
  const auto response = run();
  EXPECT_FALSE(response.headers.contains("content-encoding"));
  EXPECT_EQ(response.body.text(), noise);
}

TEST_F(CompressionTest, EncodesLargeBodiesOnTheOffloadPool) {
  response_.body = Body::shared(nullptr, "");
  const auto text = std::make_shared<const std::string>(prose(2'000'000));
  response_.body = Body::shared(text, *text);
  const auto response = run();
  EXPECT_EQ(response.headers.get("content-encoding"), "zstd");
  EXPECT_EQ(decode("zstd", response.body.text()), *text);
}

TEST_F(CompressionTest, NeverHoldsBackAPieceOfAStream) {
  for (const std::string coding : {"gzip", "br", "zstd"}) {
    accept(coding);
    const std::vector<std::string> pieces{"first", " second", std::string(200'000, 'x'), " last"};
    response_ = Response();
    response_.headers.add("content-type", "text/html");
    response_.body = Body(std::make_unique<PiecewiseBody>(pieces));
    auto response = run();
    EXPECT_EQ(response.headers.get("content-encoding"), coding);
    shard_.run([&]() -> Task<void> {
      std::string received;
      std::string expected;
      for (const auto& piece : pieces) {
        const auto encoded = co_await response.body.stream()->read();
        CONCIERGUS_CO_ASSERT(encoded.has_value());
        received += *encoded;
        expected += piece;
        EXPECT_EQ(decode(coding, received), expected) << coding;
      }
      const auto end = co_await response.body.stream()->read();
      EXPECT_TRUE(end.has_value() && !end->empty());
      const auto after = co_await response.body.stream()->read();
      EXPECT_TRUE(after.has_value() && after->empty());
    });
  }
}

TEST_F(CompressionTest, LeavesEventStreamsAloneUnlessTheRouteWantsThemCompressed) {
  const auto events = [&] {
    response_ = Response();
    response_.headers.add("content-type", "text/event-stream");
    response_.body = Body(std::make_unique<PiecewiseBody>(std::vector<std::string>{"data: 1\n\n"}));
  };
  events();
  EXPECT_FALSE(run().headers.contains("content-encoding"));
  events();
  EXPECT_EQ(run({.event_streams = true}).headers.get("content-encoding"), "zstd");
}

TEST_F(CompressionTest, UsesAnEncoderAgainAsIfItWereNew) {
  for (const auto coding : {ContentCoding::kGzip, ContentCoding::kBrotli, ContentCoding::kZstd}) {
    std::string cut;
    take_encoder(coding)->encode(prose(5'000), Flush::kPiece, cut);  // abandoned in mid-stream
    const auto name = codec::to_string(coding);
    EXPECT_EQ(decode(name, encode_whole(coding, prose(50'000))), prose(50'000)) << name;
  }
}

TEST(CompressibleTest, KnowsTheTypesThatShrink) {
  for (const auto* type : {"text/html; charset=utf-8",
                           "application/json",
                           "application/ld+json",
                           "image/svg+xml",
                           "application/wasm",
                           "APPLICATION/JAVASCRIPT",
                           "font/ttf",
                           "application/manifest+json"}) {
    EXPECT_TRUE(is_compressible(type)) << type;
  }
  for (const auto* type : {"",
                           "image/webp",
                           "font/woff2",
                           "video/mp4",
                           "application/zip",
                           "application/octet-stream"}) {
    EXPECT_FALSE(is_compressible(type)) << type;
  }
}

}  // namespace
}  // namespace conciergus::http

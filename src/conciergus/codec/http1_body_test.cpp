#include "conciergus/codec/http1_body.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace conciergus::codec {
namespace {

struct Decoded {
  BodyStatus status = BodyStatus::kNeedMore;
  std::string data;
  std::string rest;
};

/// Feeds `text` in pieces of `piece` bytes until the body ends.
template <class Decoder>
Decoded decode_in_pieces(Decoder& decoder, std::string_view text, std::size_t piece) {
  Decoded decoded;
  while (!text.empty() && decoded.status == BodyStatus::kNeedMore) {
    std::string_view input = text.substr(0, piece);
    while (!input.empty() && decoded.status == BodyStatus::kNeedMore) {
      const BodyStep step = decoder.decode(input);
      decoded.status = step.status;
      decoded.data += step.data;
      input.remove_prefix(step.consumed);
      text.remove_prefix(step.consumed);
      if (step.status == BodyStatus::kNeedMore) EXPECT_GT(step.consumed, 0u);
    }
  }
  decoded.rest = text;
  return decoded;
}

BodyStatus status_of(std::string_view text) {
  ChunkedDecoder decoder;
  const BodyStatus status = decode_in_pieces(decoder, text, text.size()).status;
  for (std::size_t piece = 1; piece < text.size() && piece < 20; ++piece) {
    ChunkedDecoder other;
    EXPECT_EQ(decode_in_pieces(other, text, piece).status, status) << piece;
    EXPECT_EQ(other.error().offset, decoder.error().offset) << piece;
  }
  return status;
}

TEST(LengthDecoderTest, LeavesPipelinedBytesToTheCaller) {
  for (const std::size_t piece : {1u, 3u, 100u}) {
    LengthDecoder decoder(5);
    const Decoded decoded = decode_in_pieces(decoder, "helloGET /", piece);
    EXPECT_EQ(decoded.status, BodyStatus::kComplete);
    EXPECT_EQ(decoded.data, "hello");
    EXPECT_EQ(decoded.rest, "GET /");
    EXPECT_EQ(decoder.left(), 0u);
  }
}

TEST(LengthDecoderTest, IsCompleteAtOnceWithoutABody) {
  LengthDecoder decoder(0);
  EXPECT_TRUE(decoder.is_complete());
  const BodyStep step = decoder.decode("GET /");
  EXPECT_EQ(step.status, BodyStatus::kComplete);
  EXPECT_EQ(step.consumed, 0u);
}

TEST(ChunkedDecoderTest, DecodesChunksInAnyPiecesAndLeavesTheRest) {
  const std::string text =
      "5\r\nhello\r\n0007;a=\"b c\";d\r\n, world\r\n0\r\nX-Sum: 1 \r\nY:\r\n\r\nGET /";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    ChunkedDecoder decoder;
    const Decoded decoded = decode_in_pieces(decoder, text, piece);
    ASSERT_EQ(decoded.status, BodyStatus::kComplete) << piece;
    EXPECT_EQ(decoded.data, "hello, world");
    EXPECT_EQ(decoded.rest, "GET /");
    ASSERT_EQ(decoder.trailers().size(), 2u);
    EXPECT_EQ(decoder.trailers()[0].name, "X-Sum");
    EXPECT_EQ(decoder.trailers()[0].value, "1");
    EXPECT_EQ(decoder.trailers()[1].value, "");
  }
}

TEST(ChunkedDecoderTest, HandsOutSpansOfItsInput) {
  const std::string text = "5\r\nhello\r\n0\r\n\r\n";
  ChunkedDecoder decoder;
  const BodyStep step = decoder.decode(text);
  EXPECT_EQ(step.data.data(), text.data() + 3);
  EXPECT_EQ(step.data, "hello");
}

TEST(ChunkedDecoderTest, RefusesOddChunkSizes) {
  for (const std::string size : {"0x5",
                                 "+5",
                                 "-5",
                                 "5_",
                                 "0_2e",
                                 " 5",
                                 "5 ",
                                 "5 ;a",
                                 "\t5",
                                 "g",
                                 "",
                                 ";a",
                                 "5\t",
                                 "00000000000000005",
                                 "8000000000000000",
                                 "ffffffffffffffff",
                                 "5.",
                                 "\xff"}) {
    EXPECT_EQ(status_of(size + "\r\nhello\r\n0\r\n\r\n"), BodyStatus::kError) << size;
  }
  EXPECT_EQ(status_of("0000000000000005\r\nhello\r\n0\r\n\r\n"), BodyStatus::kComplete);
  EXPECT_EQ(status_of("A\r\n0123456789\r\n000\r\n\r\n"), BodyStatus::kComplete);
}

TEST(ChunkedDecoderTest, RefusesBrokenLineEnds) {
  for (const std::string text : {"5\nhello\r\n0\r\n\r\n",
                                 "5\r\nhello\n0\r\n\r\n",
                                 "5\r\nhello0\r\n\r\n",
                                 "5\r\nhello\r0\r\n\r\n",
                                 "5\rhello\r\n0\r\n\r\n",
                                 "5;a\nhello\r\n",
                                 "5;a\r\r\nhello",
                                 "0\n\r\n",
                                 "0\r\n\n",
                                 "0\r\nX: y\n\r\n",
                                 "0\r\n\rx\r\n\r\n",
                                 "5\r\nhello!\r\n"}) {
    EXPECT_EQ(status_of(text), BodyStatus::kError) << text;
  }
}

TEST(ChunkedDecoderTest, BoundsExtensions) {
  const auto chunk = [](std::size_t extension) {
    return "1;" + std::string(extension, 'x') + "\r\na\r\n";
  };
  EXPECT_EQ(status_of(chunk(256) + "0\r\n\r\n"), BodyStatus::kComplete);
  EXPECT_EQ(status_of(chunk(257) + "0\r\n\r\n"), BodyStatus::kError);
  std::string many;
  for (int i = 0; i < 64; ++i) many += chunk(256);
  EXPECT_EQ(status_of(many + "0\r\n\r\n"), BodyStatus::kComplete);
  EXPECT_EQ(status_of(many + chunk(1)), BodyStatus::kError);
  EXPECT_EQ(status_of("1;\x01\r\na\r\n"), BodyStatus::kError);
}

TEST(ChunkedDecoderTest, BoundsTrailers) {
  const auto trailer = [](std::size_t size) {
    return "0\r\nX:" + std::string(size - 4, 'x') + "\r\n";
  };
  EXPECT_EQ(status_of(trailer(8192) + "\r\n"), BodyStatus::kComplete);
  EXPECT_EQ(status_of(trailer(8193) + "\r\n"), BodyStatus::kError);
  EXPECT_EQ(status_of("0\r\nX: " + std::string(9000, 'x')), BodyStatus::kError);
  std::string many = "0\r\n";
  for (int i = 0; i < 101; ++i) many += "a:\r\n";
  EXPECT_EQ(status_of(many + "\r\n"), BodyStatus::kError);
}

TEST(ChunkedDecoderTest, RefusesTrailersThatFrameOrRoute) {
  for (const std::string name :
       {"Content-Length", "transfer-encoding", "HOST", "Connection", "Trailer"}) {
    EXPECT_EQ(status_of("0\r\n" + name + ": 1\r\n\r\n"), BodyStatus::kError) << name;
  }
  EXPECT_EQ(status_of("0\r\nX : y\r\n\r\n"), BodyStatus::kError);
  EXPECT_EQ(status_of("0\r\n folded\r\n\r\n"), BodyStatus::kError);
}

TEST(ChunkedDecoderTest, SaysWhere) {
  ChunkedDecoder decoder;
  const std::string text = "2\r\nab\r\n0\r\nX: y\r\nHost: a\r\n\r\n";
  EXPECT_EQ(decode_in_pieces(decoder, text, 4).status, BodyStatus::kError);
  EXPECT_EQ(decoder.error().offset, text.find("Host"));
  EXPECT_EQ(decoder.decode("0\r\n").status, BodyStatus::kError) << "an error is final";
}

TEST(ChunkEncodingTest, IsReadBackByTheDecoder) {
  std::string text;
  ChunkHeadBuffer buffer;
  for (const std::size_t size : {1u, 16u, 4095u}) {
    text.append(format_chunk_head(buffer, size)).append(size, 'x').append(kChunkEnd);
  }
  text += kLastChunk;
  ChunkedDecoder decoder;
  const Decoded decoded = decode_in_pieces(decoder, text, text.size());
  EXPECT_EQ(decoded.status, BodyStatus::kComplete);
  EXPECT_EQ(decoded.data.size(), 4112u);
  EXPECT_EQ(format_chunk_head(buffer, ~std::uint64_t{0}), "ffffffffffffffff\r\n");
}

}  // namespace
}  // namespace conciergus::codec

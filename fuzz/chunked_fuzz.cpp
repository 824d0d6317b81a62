/// Oracles: pieces give what the whole gives; what was decoded, encoded again, decodes to the same.
#include <string>

#include "conciergus/codec/http1_body.hpp"
#include "fuzz.hpp"

using namespace conciergus;
using fuzz::require;

namespace {

struct Outcome {
  codec::BodyStatus status = codec::BodyStatus::kNeedMore;
  std::size_t consumed = 0;
  std::string data;
};

Outcome decode(codec::ChunkedDecoder& decoder, std::string_view text, std::size_t piece) {
  Outcome outcome;
  while (outcome.status == codec::BodyStatus::kNeedMore && outcome.consumed < text.size()) {
    const fuzz::ExactCopy input(text.substr(outcome.consumed, piece));
    const auto step = decoder.decode(input.view());
    require(step.consumed <= input.view().size());
    require(step.consumed > 0 || step.status == codec::BodyStatus::kError);
    outcome.status = step.status;
    outcome.consumed += step.consumed;
    outcome.data += step.data;
  }
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = 1 + data[0] % 32;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);

  codec::ChunkedDecoder whole;
  const Outcome outcome = decode(whole, text, text.size());
  codec::ChunkedDecoder pieces;
  const Outcome other = decode(pieces, text, piece);
  require(outcome.status == other.status && outcome.consumed == other.consumed);
  require(outcome.data == other.data && whole.error().offset == pieces.error().offset);
  require(whole.trailers().size() == pieces.trailers().size());
  if (outcome.status == codec::BodyStatus::kError) require(whole.error().offset <= text.size());

  std::string encoded;
  codec::ChunkHeadBuffer buffer;
  for (std::size_t at = 0; at < outcome.data.size(); at += piece) {
    const std::string_view part = std::string_view(outcome.data).substr(at, piece);
    encoded.append(codec::format_chunk_head(buffer, part.size()))
        .append(part)
        .append(codec::kChunkEnd);
  }
  encoded.append(codec::kLastChunk);
  codec::ChunkedDecoder again;
  const Outcome read_back = decode(again, encoded, 7);
  require(read_back.status == codec::BodyStatus::kComplete && read_back.data == outcome.data);
  return 0;
}

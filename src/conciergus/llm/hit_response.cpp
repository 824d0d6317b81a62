#include "conciergus/llm/hit_response.hpp"

#include <algorithm>

#include "conciergus/codec/sse.hpp"
#include "conciergus/llm/answer_builder.hpp"
#include "conciergus/llm/stream_decoder.hpp"

namespace conciergus::llm {
namespace {

constexpr std::size_t kTail = 4;  // usage comes with the last events, if at all

void decode_event(std::string_view bytes, StreamDecoder& decoder, std::vector<Delta>& out) {
  codec::SseParser parser;
  parser.push(bytes);
  parser.finish();
  const auto event = parser.next();
  if (event && *event && (*event)->has_data) decoder.decode((*event)->event, (*event)->data, out);
}

std::vector<Delta> deltas_of(const RecordView& record) {
  if (!record.facts().is_stream) return decode_whole(record.facts().protocol, record.whole());
  std::vector<Delta> deltas;
  const auto decoder = make_stream_decoder(record.facts().protocol);
  for (std::size_t i = 0; i < record.size(); ++i) decode_event(record[i].bytes, *decoder, deltas);
  return deltas;
}

/// The stream without the event that only tells usage.
std::string without_usage(const RecordView& record) {
  std::string out;
  out.reserve(record.stream().size());
  const std::size_t tail = record.size() - std::min(record.size(), kTail);
  for (std::size_t i = 0; i < record.size(); ++i) {
    if (i >= tail) {
      std::vector<Delta> deltas;
      const auto decoder = make_stream_decoder(record.facts().protocol);
      decode_event(record[i].bytes, *decoder, deltas);
      std::erase_if(deltas, [](const Delta& d) { return std::holds_alternative<delta::Start>(d); });
      if (is_usage_only(deltas)) continue;
    }
    out += record[i].bytes;
  }
  return out;
}

std::string encoded_stream(const std::vector<Delta>& deltas, const HitView& view) {
  std::string out;
  const auto encoder = make_stream_encoder(view.client, view.encoder);
  if (!view.signal.empty()) encoder->set_signal(view.signal);
  for (const Delta& delta : deltas) encoder->encode(delta, out);
  return out;
}

}  // namespace

http::Body render_hit(const ResponseCache::Hit& hit, const HitView& view) {
  const RecordView& record = hit.record;
  const bool is_same = record.facts().protocol == view.client;
  if (is_same && !view.is_stream && !record.whole().empty()) {
    return http::Body::shared(hit.value.owner(), record.whole());
  }
  if (is_same && view.is_stream && record.facts().is_stream) {
    if (view.strips_usage) return without_usage(record);
    return http::Body::shared(hit.value.owner(), record.stream());
  }
  const std::vector<Delta> deltas = deltas_of(record);
  if (!view.is_stream) return encode_whole(view.client, fold(deltas), view.encoder);
  if (record.facts().is_stream) return encoded_stream(deltas, view);
  return encoded_stream(replay(fold(deltas)), view);
}

}  // namespace conciergus::llm

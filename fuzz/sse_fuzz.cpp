/// Oracles: the raw bytes of all events are the stream; pieces give the events of the whole; an
/// event written by the encoder is read back.
#include "conciergus/codec/sse.hpp"

#include <string>
#include <vector>

#include "fuzz.hpp"

using namespace conciergus;
using fuzz::require;

namespace {

struct Event {
  std::string event, data, id;
  bool operator==(const Event&) const = default;
};

std::vector<Event> read_stream(std::string_view text, std::size_t piece) {
  codec::SseParser parser;
  std::vector<Event> events;
  std::string raw;
  const auto drain = [&] {
    for (;;) {
      const auto event = parser.next();
      require(event.has_value());  // no input here is as long as the limit
      if (!*event) return;
      raw += (*event)->raw;
      if ((*event)->has_data) {
        events.emplace_back(
            std::string((*event)->event), std::string((*event)->data), std::string((*event)->id));
      }
    }
  };
  for (std::size_t at = 0; at < text.size(); at += piece) {
    parser.push(text.substr(at, piece));
    drain();
  }
  parser.finish();
  drain();
  raw += parser.pending();
  require(raw == text);
  return events;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > codec::SseParser::kMaxEventBytes) return 0;
  const std::size_t piece = 1 + data[0] % 32;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto events = read_stream(text, text.size());
  require(read_stream(text, piece) == events);

  std::string encoded;
  std::vector<Event> readable;
  for (const Event& event : events) {
    require(!event.data.contains('\r'));
    require(codec::append_sse_event(encoded, event.data, event.event, event.id).has_value());
    readable.push_back(event);
    if (event.id.empty() && readable.size() > 1)
      readable.back().id = readable[readable.size() - 2].id;
  }
  require(read_stream(encoded, piece) == readable);
  return 0;
}

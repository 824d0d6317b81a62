/// Events and bodies of an upstream, and requests of clients. Oracles: whatever the upstream says,
/// each client's stream is readable in its own protocol, ends once, and fails exactly if the
/// upstream's did or the protocol cannot say it; a translated request is JSON.
#include <string>
#include <vector>

#include "conciergus/llm/answer_builder.hpp"
#include "conciergus/llm/json_document.hpp"
#include "conciergus/llm/stream_decoder.hpp"
#include "conciergus/llm/stream_encoder.hpp"
#include "conciergus/llm/testing/events.hpp"
#include "conciergus/llm/translate_request.hpp"
#include "fuzz.hpp"

using namespace conciergus::llm;
using conciergus::fuzz::require;

namespace {

constexpr Protocol kUpstreams[] = {
    Protocol::kChatCompletions, Protocol::kMessages, Protocol::kResponses};
constexpr Protocol kClients[] = {
    Protocol::kChatCompletions, Protocol::kMessages, Protocol::kResponses, Protocol::kUiMessages};
const EncoderOptions kOptions{.fallback_id = "id", .fallback_model = "model"};

/// One event a line: its name up to a tab, then its data.
std::vector<Delta> decode_lines(Protocol upstream, std::string_view text) {
  const auto decoder = make_stream_decoder(upstream);
  std::vector<Delta> deltas;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::size_t tab = line.find('\t');
    const bool has_name = tab != std::string_view::npos;
    const std::size_t before = deltas.size();
    decoder->decode(
        has_name ? line.substr(0, tab) : "", has_name ? line.substr(tab + 1) : line, deltas);
    require(deltas.size() > before);
  }
  return deltas;
}

AnswerBuilder build(const std::vector<Delta>& deltas) {
  AnswerBuilder builder;
  for (const Delta& delta : deltas) builder.add(delta);
  return builder;
}

void render(const std::vector<Delta>& deltas) {
  for (const Protocol client : kClients) {
    const auto encoder = make_stream_encoder(client, kOptions);
    std::string stream;
    for (const Delta& delta : deltas) encoder->encode(delta, stream);
    encoder->encode(delta::Done{}, stream);
    const std::size_t size = stream.size();
    encoder->encode(delta::Text{"late"}, stream);
    require(stream.size() == size);
    for (const Event& event : split_events(stream)) {
      require(event.data == "[DONE]" || JsonDocument::parse(event.data).has_value());
    }
    static_cast<void>(encode_whole(client, build(deltas).answer(), kOptions));
  }
}

void translate(std::string_view text) {
  const auto document = JsonDocument::parse(text);
  if (!document) return;
  for (const Protocol from : kClients) {
    for (const Protocol to : kUpstreams) {
      const auto translated = translate_request(from, to, document->root(), {"model", 100});
      if (translated) require(JsonDocument::parse(*translated).has_value());
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const unsigned mode = data[0] % 8;
  const conciergus::fuzz::ExactCopy copy({reinterpret_cast<const char*>(data) + 1, size - 1});
  if (mode < 3) {
    render(decode_lines(kUpstreams[mode], copy.view()));
  } else if (mode < 6) {
    const auto deltas = decode_whole(kUpstreams[mode - 3], copy.view());
    require(!deltas.empty());
    require(build(deltas).failure() || build(deltas).has_terminal_event());
    render(deltas);
    render(replay(build(deltas).answer()));
  } else if (mode == 6) {
    translate(copy.view());
  } else {
    static_cast<void>(decode_error(500, copy.view()));
  }
  return 0;
}

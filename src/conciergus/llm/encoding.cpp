#include "conciergus/llm/encoding.hpp"

#include <algorithm>
#include <cstdlib>

namespace conciergus::llm {
namespace {

/// Where to end the piece of `text` that begins at `begin`: behind a space once it has 8
/// characters, at 20 at the latest, never inside a character.
std::size_t end_of_piece(std::string_view text, std::size_t begin) noexcept {
  static constexpr std::size_t kShortest = 8;
  static constexpr std::size_t kLongest = 20;
  std::size_t characters = 0;
  std::size_t at = begin;
  while (at < text.size() && characters < kLongest) {
    const char last = text[at];
    do ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80);
    ++characters;
    if (characters >= kShortest && (last == ' ' || last == '\n')) break;
  }
  return at;
}

class Unfolder {
 public:
  Unfolder(std::vector<Delta>& out, bool cuts) : out_(out), cuts_(cuts) {}

  void operator()(const TextBlock& block) {
    pieces(block.text, [](std::string text) { return delta::Text{std::move(text)}; });
    for (const std::string& citation : block.citations) out_.push_back(delta::Citation{citation});
  }
  void operator()(const ReasoningBlock& block) {
    if (!block.redacted.empty()) {
      out_.push_back(delta::RedactedReasoning{block.redacted});
      return;
    }
    pieces(block.text, [](std::string text) { return delta::Reasoning{std::move(text)}; });
    if (!block.signature.empty()) out_.push_back(delta::Signature{block.signature});
  }
  void operator()(const RefusalBlock& block) {
    pieces(block.text, [](std::string text) { return delta::Refusal{std::move(text)}; });
  }
  void operator()(const ToolCallBlock& block) {
    const std::uint32_t index = tool_calls_++;
    out_.push_back(delta::ToolStart{index, block.id, block.name});
    pieces(block.arguments,
           [index](std::string text) { return delta::ToolArguments{index, std::move(text)}; });
  }

 private:
  void pieces(std::string_view text, auto make) {
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = cuts_ ? end_of_piece(text, begin) : text.size();
      out_.push_back(make(std::string(text.substr(begin, end - begin))));
      begin = end;
    }
  }

  std::vector<Delta>& out_;
  bool cuts_;
  std::uint32_t tool_calls_ = 0;
};

std::vector<Delta> to_deltas(const Answer& answer, bool cuts) {
  std::vector<Delta> deltas;
  deltas.push_back(delta::Start{answer.id, answer.model, answer.created});
  if (answer.usage != Usage{}) deltas.push_back(delta::UsageReport{answer.usage});
  Unfolder unfolder(deltas, cuts);
  std::string_view item;
  for (const Block& block : answer.blocks) {
    const std::string_view own =
        std::visit([](const auto& b) -> std::string_view { return b.item_id; }, block);
    if (own != item) deltas.push_back(delta::Item{std::string(own)});
    item = own;
    std::visit(unfolder, block);
    deltas.push_back(delta::BlockEnd{});
  }
  if (answer.finish.reason != FinishReason::kNone) deltas.push_back(delta::Finished{answer.finish});
  deltas.push_back(delta::Done{});
  return deltas;
}

}  // namespace

std::unique_ptr<StreamEncoder> make_stream_encoder(Protocol client, EncoderOptions options) {
  switch (client) {
    case Protocol::kChatCompletions:
      return make_chat_encoder(std::move(options));
    case Protocol::kMessages:
      return make_messages_encoder(std::move(options));
    case Protocol::kResponses:
      return make_responses_encoder(std::move(options));
    case Protocol::kUiMessages:
      return make_ui_encoder(std::move(options));
    case Protocol::kEmbeddings:
      break;
  }
  std::abort();
}

std::string encode_whole(Protocol client, const Answer& answer, const EncoderOptions& options) {
  std::string out;
  switch (client) {
    case Protocol::kChatCompletions:
      encode_whole_chat(answer, options, out);
      break;
    case Protocol::kMessages:
      encode_whole_message(answer, options, out);
      break;
    case Protocol::kResponses:
      encode_whole_response(answer, options, out);
      break;
    case Protocol::kUiMessages: {
      const auto encoder = make_ui_encoder(options);
      for (const Delta& delta : unfold(answer)) encoder->encode(delta, out);
      break;
    }
    case Protocol::kEmbeddings:
      std::abort();
  }
  return out;
}

std::vector<Delta> replay(const Answer& answer) {
  return to_deltas(answer, true);
}
std::vector<Delta> unfold(const Answer& answer) {
  return to_deltas(answer, false);
}

CitationForm citation_form(JsonValue citation) noexcept {
  const std::string_view type = citation["type"].text();
  if (citation["url_citation"]) return CitationForm::kChat;
  return type.ends_with("_location") ? CitationForm::kMessages : CitationForm::kResponses;
}

std::string arguments_value(std::string_view arguments) {
  if (arguments.empty()) return "{}";
  if (JsonDocument::parse(arguments)) return std::string(arguments);
  std::string text;
  append_json_string(text, arguments);
  return text;
}

void write_chat_usage(JsonWriter& json, const Usage& usage) {
  const std::uint64_t input = usage.input.value_or(0);
  const std::uint64_t output = usage.output.value_or(0);
  json.begin_object();
  json.member("prompt_tokens", input).member("completion_tokens", output);
  json.member("total_tokens", input + output);
  if (usage.cached_input) {
    json.name("prompt_tokens_details").begin_object();
    json.member("cached_tokens", *usage.cached_input).end_object();
  }
  if (usage.reasoning) {
    json.name("completion_tokens_details").begin_object();
    json.member("reasoning_tokens", *usage.reasoning).end_object();
  }
  json.end_object();
}

void write_messages_usage(JsonWriter& json, const Usage& usage) {
  const std::uint64_t beside = usage.cached_input.value_or(0) + usage.cache_creation.value_or(0);
  const std::uint64_t input = usage.input.value_or(0);
  json.begin_object();
  json.member("input_tokens", input - std::min(input, beside));
  if (usage.cache_creation) json.member("cache_creation_input_tokens", *usage.cache_creation);
  if (usage.cached_input) json.member("cache_read_input_tokens", *usage.cached_input);
  json.member("output_tokens", usage.output.value_or(0)).end_object();
}

void write_responses_usage(JsonWriter& json, const Usage& usage) {
  const std::uint64_t input = usage.input.value_or(0);
  const std::uint64_t output = usage.output.value_or(0);
  json.begin_object().member("input_tokens", input).name("input_tokens_details").begin_object();
  json.member("cached_tokens", usage.cached_input.value_or(0)).end_object();
  json.member("output_tokens", output).name("output_tokens_details").begin_object();
  json.member("reasoning_tokens", usage.reasoning.value_or(0)).end_object();
  json.member("total_tokens", input + output).end_object();
}

}  // namespace conciergus::llm

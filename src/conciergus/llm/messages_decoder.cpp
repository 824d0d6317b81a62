/// Anthropic messages, upstream side.
#include <optional>
#include <string>

#include "conciergus/llm/decoding.hpp"
#include "conciergus/llm/json_writer.hpp"

namespace conciergus::llm {
namespace {

using Deltas = std::vector<Delta>;

std::string json_text(JsonValue value) {
  std::string text;
  append_json(text, value);
  return text;
}

void start(JsonValue message, Deltas& out) {
  out.push_back(
      delta::Start{std::string(message["id"].text()), std::string(message["model"].text()), 0});
}

void finish(JsonValue holder, Deltas& out) {
  const JsonValue word = holder["stop_reason"];
  if (!word.is(JsonKind::kString)) return;
  out.push_back(delta::Finished{{.reason = finish_reason(Protocol::kMessages, word.text()),
                                 .raw = std::string(word.text()),
                                 .stop_sequence = std::string(holder["stop_sequence"].text())}});
}

class MessagesDecoder final : public StreamDecoder {
 public:
  void decode(std::string_view event, std::string_view data, Deltas& out) override {
    const auto document = JsonDocument::parse(data);
    if (!document) {
      out.push_back(delta::Failed{malformed(document.error().detail())});
      return;
    }
    const JsonValue root = document->root();
    const std::string_view type = root["type"].string().value_or(event);
    const std::size_t before = out.size();
    if (type == "content_block_delta") {
      read_delta(root, out);
    } else if (type == "content_block_start") {
      begin_block(root["content_block"], out);
    } else if (type == "content_block_stop") {
      out.push_back(delta::BlockEnd{});
    } else if (type == "message_start") {
      start(root["message"], out);
      report_usage(root["message"]["usage"], out);
    } else if (type == "message_delta") {
      finish(root["delta"], out);
      report_usage(root["usage"], out);
    } else if (type == "message_stop") {
      out.push_back(delta::Done{});
    } else if (type == "error") {
      out.push_back(delta::Failed{read_failure(root["error"])});
    } else if (type != "ping") {
      out.push_back(delta::Unknown{std::string(type)});
    }
    if (out.size() == before) out.push_back(delta::Ping{});
  }

 private:
  void begin_block(JsonValue block, Deltas& out) {
    const std::string_view type = block["type"].text();
    if (type == "text") {
      if (!block["text"].text().empty())
        out.push_back(delta::Text{std::string(block["text"].text())});
    } else if (type == "thinking") {
      if (!block["thinking"].text().empty()) {
        out.push_back(delta::Reasoning{std::string(block["thinking"].text())});
      }
    } else if (type == "redacted_thinking") {
      out.push_back(delta::RedactedReasoning{std::string(block["data"].text())});
    } else if (type == "tool_use") {
      out.push_back(delta::ToolStart{
          tool_calls_++, std::string(block["id"].text()), std::string(block["name"].text())});
    } else {
      out.push_back(delta::Unknown{std::string(type)});
    }
    is_tool_call_ = type == "tool_use";
  }

  void read_delta(JsonValue root, Deltas& out) {
    const JsonValue delta = root["delta"];
    const std::string_view type = delta["type"].text();
    if (type == "text_delta") {
      out.push_back(delta::Text{std::string(delta["text"].text())});
    } else if (type == "input_json_delta") {
      // Of a tool that the provider runs the block itself was unknown already.
      if (!is_tool_call_ || delta["partial_json"].text().empty()) return;
      out.push_back(
          delta::ToolArguments{tool_calls_ - 1, std::string(delta["partial_json"].text())});
    } else if (type == "thinking_delta") {
      out.push_back(delta::Reasoning{std::string(delta["thinking"].text())});
    } else if (type == "signature_delta") {
      out.push_back(delta::Signature{std::string(delta["signature"].text())});
    } else if (type == "citations_delta") {
      out.push_back(delta::Citation{json_text(delta["citation"])});
    } else {
      out.push_back(delta::Unknown{std::string(type)});
    }
  }

  /// Reports are running totals, and later ones may leave out parts of which the input is the sum.
  void report_usage(JsonValue usage, Deltas& out) {
    if (usage.is_nothing()) return;
    const auto update = [&](std::optional<std::uint64_t>& count, std::string_view name) {
      if (const auto told = usage[name].unsigned_integer()) count = told;
    };
    update(uncached_input_, "input_tokens");
    update(usage_.cached_input, "cache_read_input_tokens");
    update(usage_.cache_creation, "cache_creation_input_tokens");
    update(usage_.output, "output_tokens");
    if (uncached_input_) {
      usage_.input =
          *uncached_input_ + usage_.cached_input.value_or(0) + usage_.cache_creation.value_or(0);
    }
    out.push_back(delta::UsageReport{usage_});
  }

  Usage usage_;
  std::optional<std::uint64_t> uncached_input_;
  std::uint32_t tool_calls_ = 0;
  bool is_tool_call_ = false;
};

void read_block(JsonValue block, std::uint32_t& tool_calls, Deltas& out) {
  const std::string_view type = block["type"].text();
  if (type == "text") {
    out.push_back(delta::Text{std::string(block["text"].text())});
    for (const JsonValue citation : block["citations"]) {
      out.push_back(delta::Citation{json_text(citation)});
    }
  } else if (type == "thinking") {
    out.push_back(delta::Reasoning{std::string(block["thinking"].text())});
    out.push_back(delta::Signature{std::string(block["signature"].text())});
  } else if (type == "redacted_thinking") {
    out.push_back(delta::RedactedReasoning{std::string(block["data"].text())});
  } else if (type == "tool_use") {
    out.push_back(delta::ToolStart{
        tool_calls, std::string(block["id"].text()), std::string(block["name"].text())});
    out.push_back(delta::ToolArguments{tool_calls++, json_text(block["input"])});
  } else {
    out.push_back(delta::Unknown{std::string(type)});
  }
  out.push_back(delta::BlockEnd{});
}

}  // namespace

std::unique_ptr<StreamDecoder> make_messages_decoder() {
  return std::make_unique<MessagesDecoder>();
}

void decode_whole_message(JsonValue body, Deltas& out) {
  if (body["type"].text() != "message") {
    out.push_back(delta::Failed{malformed("an answer that is no message")});
    return;
  }
  start(body, out);
  std::uint32_t tool_calls = 0;
  for (const JsonValue block : body["content"]) read_block(block, tool_calls, out);
  finish(body, out);
  out.push_back(delta::UsageReport{read_messages_usage(body["usage"])});
  out.push_back(delta::Done{});
}

}  // namespace conciergus::llm

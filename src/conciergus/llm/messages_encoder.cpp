/// Anthropic messages, client side.
#include <optional>
#include <string>
#include <utility>

#include "conciergus/llm/decoding.hpp"
#include "conciergus/llm/encoding.hpp"
#include "conciergus/llm/error_reply.hpp"

namespace conciergus::llm {
namespace {

bool is_messages_citation(std::string_view citation) {
  const auto document = JsonDocument::parse(citation);
  return document && citation_form(document->root()) == CitationForm::kMessages;
}

void write_stop(JsonWriter& json, const Finish& finish) {
  json.name("stop_reason");
  if (finish.reason == FinishReason::kNone) {
    json.null();
  } else {
    json.string(finish_word(Protocol::kMessages, finish));
  }
  json.name("stop_sequence");
  if (finish.stop_sequence.empty()) {
    json.null();
  } else {
    json.string(finish.stop_sequence);
  }
}

class MessagesEncoder final : public StreamEncoder {
 public:
  explicit MessagesEncoder(EncoderOptions options) : options_(std::move(options)) {}

  void encode(const Delta& delta, std::string& out) override {
    if (is_ended_) return;
    out_ = &out;
    std::visit(*this, delta);
  }

  // The first event tells the tokens of the prompt, so that it waits for what comes after the
  // start.
  void operator()(const delta::Start& start) { start_ = start; }
  void operator()(const delta::UsageReport& report) { usage_.merge(report.usage); }

  void operator()(const delta::Text& text) {
    if (!text.text.empty()) write_text(text.text);
  }
  void operator()(const delta::Refusal& refusal) {
    if (!refusal.text.empty()) write_text(refusal.text);
  }
  void operator()(const delta::Citation& citation) {
    if (!is_messages_citation(citation.json)) return;
    open_text();
    delta_event([&](JsonWriter& json) {
      json.member("type", "citations_delta").name("citation").raw(citation.json);
    });
  }
  void operator()(const delta::Reasoning& reasoning) {
    if (reasoning.text.empty()) return;
    open_thinking();
    delta_event([&](JsonWriter& json) {
      json.member("type", "thinking_delta").member("thinking", reasoning.text);
    });
  }
  void operator()(const delta::Signature& signature) {
    if (signature.signature.empty()) return;
    open_thinking();
    delta_event([&](JsonWriter& json) {
      json.member("type", "signature_delta").member("signature", signature.signature);
    });
  }
  void operator()(const delta::RedactedReasoning& redacted) {
    open(Kind::kRedacted, [&](JsonWriter& json) {
      json.member("type", "redacted_thinking").member("data", redacted.data);
    });
    close();
  }
  void operator()(const delta::ToolStart& start) {
    open(Kind::kTool, [&](JsonWriter& json) {
      json.member("type", "tool_use").member("id", start.id).member("name", start.name);
      json.name("input").begin_object().end_object();
    });
    tool_ = start.index;
  }
  void operator()(const delta::ToolArguments& arguments) {
    // Blocks come one after the other here: what arrives for a closed one has no place any more.
    if (open_ != Kind::kTool || tool_ != arguments.index) {
      (*this)(delta::Failed{malformed("tool calls that are mixed")});
      return;
    }
    delta_event([&](JsonWriter& json) {
      json.member("type", "input_json_delta").member("partial_json", arguments.fragment);
    });
  }
  void operator()(const delta::BlockEnd&) { close(); }
  void operator()(const delta::Item&) { close(); }
  void operator()(const delta::Finished& finished) { finish_ = finished.finish; }
  void operator()(const delta::Ping&) {
    begin();
    EventWriter(*out_, "ping").json().raw(R"({"type":"ping"})");
  }
  void operator()(const delta::Failed& failed) {
    close();
    append_error_event(*out_, Protocol::kMessages, failed.failure, 0, options_.request_id);
    is_ended_ = true;
  }
  void operator()(const delta::Done&) {
    begin();
    close();
    {
      EventWriter event(*out_, "message_delta");
      event.json().begin_object().member("type", "message_delta").name("delta").begin_object();
      write_stop(event.json(), finish_);
      event.json().end_object().name("usage");
      write_messages_usage(event.json(), usage_);
      event.json().end_object();
    }
    EventWriter(*out_, "message_stop").json().raw(R"({"type":"message_stop"})");
    is_ended_ = true;
  }
  void operator()(const delta::Unknown&) {}

 private:
  enum class Kind : std::uint8_t { kNone, kText, kThinking, kRedacted, kTool };

  void begin() {
    if (is_started_) return;
    is_started_ = true;
    complete(start_, options_);
    EventWriter event(*out_, "message_start");
    JsonWriter& json = event.json();
    json.begin_object().member("type", "message_start").name("message").begin_object();
    json.member("id", start_.id).member("type", "message").member("role", "assistant");
    json.member("model", start_.model).name("content").begin_array().end_array();
    json.null_member("stop_reason").null_member("stop_sequence").name("usage");
    write_messages_usage(json, usage_);
    json.end_object().end_object();
  }

  void open(Kind kind, auto write_block) {
    begin();
    close();
    open_ = kind;
    EventWriter event(*out_, "content_block_start");
    event.json().begin_object().member("type", "content_block_start").member("index", index_);
    event.json().name("content_block").begin_object();
    write_block(event.json());
    event.json().end_object().end_object();
  }

  void close() {
    if (open_ == Kind::kNone) return;
    open_ = Kind::kNone;
    EventWriter event(*out_, "content_block_stop");
    event.json().begin_object().member("type", "content_block_stop").member("index", index_++);
    event.json().end_object();
  }

  void open_text() {
    if (open_ == Kind::kText) return;
    open(Kind::kText, [](JsonWriter& json) { json.member("type", "text").member("text", ""); });
  }
  void open_thinking() {
    if (open_ == Kind::kThinking) return;
    open(Kind::kThinking, [](JsonWriter& json) {
      json.member("type", "thinking").member("thinking", "").member("signature", "");
    });
  }
  void write_text(std::string_view text) {
    open_text();
    delta_event([&](JsonWriter& json) { json.member("type", "text_delta").member("text", text); });
  }

  void delta_event(auto write_delta) {
    EventWriter event(*out_, "content_block_delta");
    event.json().begin_object().member("type", "content_block_delta").member("index", index_);
    event.json().name("delta").begin_object();
    write_delta(event.json());
    event.json().end_object().end_object();
  }

  EncoderOptions options_;
  delta::Start start_;
  Usage usage_;
  Finish finish_;
  std::string* out_ = nullptr;  // of the running call
  Kind open_ = Kind::kNone;
  std::uint32_t index_ = 0;  // of the open block, else of the next one
  std::uint32_t tool_ = 0;   // of the open tool call
  bool is_started_ = false;
  bool is_ended_ = false;
};

void write_block(JsonWriter& json, const Block& block) {
  json.begin_object();
  if (const auto* text = std::get_if<TextBlock>(&block)) {
    json.member("type", "text").member("text", text->text);
    bool has_citations = false;
    for (const std::string& citation : text->citations) {
      if (!is_messages_citation(citation)) continue;
      if (!has_citations) json.name("citations").begin_array();
      has_citations = true;
      json.raw(citation);
    }
    if (has_citations) json.end_array();
  } else if (const auto* reasoning = std::get_if<ReasoningBlock>(&block)) {
    if (reasoning->redacted.empty()) {
      json.member("type", "thinking").member("thinking", reasoning->text);
      json.member("signature", reasoning->signature);
    } else {
      json.member("type", "redacted_thinking").member("data", reasoning->redacted);
    }
  } else if (const auto* refusal = std::get_if<RefusalBlock>(&block)) {
    json.member("type", "text").member("text", refusal->text);
  } else if (const auto* call = std::get_if<ToolCallBlock>(&block)) {
    json.member("type", "tool_use").member("id", call->id).member("name", call->name);
    json.name("input").raw(arguments_value(call->arguments));
  }
  json.end_object();
}

}  // namespace

std::unique_ptr<StreamEncoder> make_messages_encoder(EncoderOptions options) {
  return std::make_unique<MessagesEncoder>(std::move(options));
}

void encode_whole_message(const Answer& answer, const EncoderOptions& options, std::string& out) {
  delta::Start start{answer.id, answer.model, answer.created};
  complete(start, options);
  JsonWriter json(out);
  json.begin_object().member("id", start.id).member("type", "message").member("role", "assistant");
  json.member("model", start.model).name("content").begin_array();
  for (const Block& block : answer.blocks) write_block(json, block);
  json.end_array();
  write_stop(json, answer.finish);
  json.name("usage");
  write_messages_usage(json, answer.usage);
  json.end_object();
}

}  // namespace conciergus::llm

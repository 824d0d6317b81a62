/// OpenAI chat completions, client side.
#include <string>
#include <utility>

#include "conciergus/llm/decoding.hpp"
#include "conciergus/llm/encoding.hpp"
#include "conciergus/llm/error_reply.hpp"

namespace conciergus::llm {
namespace {

bool is_chat_citation(std::string_view citation) {
  const auto document = JsonDocument::parse(citation);
  return document && citation_form(document->root()) == CitationForm::kChat;
}

class ChatEncoder final : public StreamEncoder {
 public:
  explicit ChatEncoder(EncoderOptions options) : options_(std::move(options)) {}

  void encode(const Delta& delta, std::string& out) override {
    if (is_ended_) return;
    out_ = &out;
    std::visit(*this, delta);
  }

  void operator()(const delta::Start& start) { begin(start); }
  void operator()(const delta::Text& text) {
    if (!text.text.empty()) text_chunk("content", text.text);
  }
  void operator()(const delta::Reasoning& reasoning) {
    if (!reasoning.text.empty()) text_chunk("reasoning_content", reasoning.text);
  }
  void operator()(const delta::Refusal& refusal) {
    if (!refusal.text.empty()) text_chunk("refusal", refusal.text);
  }
  void operator()(const delta::Citation& citation) {
    if (!is_chat_citation(citation.json)) return;
    chunk([&](JsonWriter& json) {
      json.name("annotations").begin_array().raw(citation.json).end_array();
    });
  }
  void operator()(const delta::ToolStart& start) {
    chunk([&](JsonWriter& json) {
      json.name("tool_calls").begin_array().begin_object().member("index", start.index);
      json.member("id", start.id).member("type", "function").name("function").begin_object();
      json.member("name", start.name).member("arguments", "").end_object().end_object().end_array();
    });
  }
  void operator()(const delta::ToolArguments& arguments) {
    chunk([&](JsonWriter& json) {
      json.name("tool_calls").begin_array().begin_object().member("index", arguments.index);
      json.name("function").begin_object().member("arguments", arguments.fragment);
      json.end_object().end_object().end_array();
    });
  }
  void operator()(const delta::Finished& finished) {
    chunk([](JsonWriter&) {}, finish_word(Protocol::kChatCompletions, finished.finish));
  }
  void operator()(const delta::UsageReport& report) { usage_.merge(report.usage); }
  void operator()(const delta::Ping&) { *out_ += ": ping\n\n"; }
  void operator()(const delta::Failed& failed) {
    append_error_event(*out_, Protocol::kChatCompletions, failed.failure);
    is_ended_ = true;
  }
  void operator()(const delta::Done&) {
    if (options_.include_usage && !usage_.empty()) {
      begin({});
      EventWriter event(*out_);
      head(event.json());
      event.json().name("choices").begin_array().end_array().name("usage");
      write_chat_usage(event.json(), usage_);
      event.json().end_object();
    }
    append_stream_end(*out_, Protocol::kChatCompletions);
    is_ended_ = true;
  }
  // Nothing here can say these; the canonical record keeps them.
  void operator()(const delta::Signature&) {}
  void operator()(const delta::RedactedReasoning&) {}
  void operator()(const delta::BlockEnd&) {}
  void operator()(const delta::Item&) {}
  void operator()(const delta::Unknown&) {}

 private:
  void begin(const delta::Start& start) {
    if (is_started_) return;
    is_started_ = true;
    start_ = start;
    complete(start_, options_);
    chunk([](JsonWriter& json) { json.member("role", "assistant").member("content", ""); });
  }

  void head(JsonWriter& json) const {
    json.begin_object().member("id", start_.id).member("object", "chat.completion.chunk");
    json.member("created", start_.created).member("model", start_.model);
  }

  void chunk(auto write_delta, std::string_view finish = {}) {
    begin({});
    EventWriter event(*out_);
    JsonWriter& json = event.json();
    head(json);
    json.name("choices")
        .begin_array()
        .begin_object()
        .member("index", 0)
        .name("delta")
        .begin_object();
    write_delta(json);
    json.end_object().name("finish_reason");
    if (finish.empty()) {
      json.null();
    } else {
      json.string(finish);
    }
    json.end_object().end_array().end_object();
  }

  void text_chunk(std::string_view name, std::string_view text) {
    chunk([&](JsonWriter& json) { json.member(name, text); });
  }

  EncoderOptions options_;
  delta::Start start_;
  Usage usage_;
  std::string* out_ = nullptr;  // of the running call
  bool is_started_ = false;
  bool is_ended_ = false;
};

struct ChatMessage {
  std::string content;
  std::string reasoning;
  std::string refusal;
  std::vector<const ToolCallBlock*> calls;
  std::vector<std::string_view> citations;
  bool has_content = false;
};

ChatMessage gather(const Answer& answer) {
  ChatMessage message;
  for (const Block& block : answer.blocks) {
    if (const auto* text = std::get_if<TextBlock>(&block)) {
      message.content += text->text;
      message.has_content = true;
      for (const std::string& citation : text->citations) {
        if (is_chat_citation(citation)) message.citations.push_back(citation);
      }
    } else if (const auto* reasoning = std::get_if<ReasoningBlock>(&block)) {
      message.reasoning += reasoning->text;
    } else if (const auto* refusal = std::get_if<RefusalBlock>(&block)) {
      message.refusal += refusal->text;
    } else if (const auto* call = std::get_if<ToolCallBlock>(&block)) {
      message.calls.push_back(call);
    }
  }
  return message;
}

void write_message(JsonWriter& json, const ChatMessage& message) {
  json.begin_object().member("role", "assistant").name("content");
  if (message.has_content) {
    json.string(message.content);
  } else {
    json.null();
  }
  json.name("refusal");
  if (message.refusal.empty()) {
    json.null();
  } else {
    json.string(message.refusal);
  }
  if (!message.reasoning.empty()) json.member("reasoning_content", message.reasoning);
  if (!message.citations.empty()) {
    json.name("annotations").begin_array();
    for (const std::string_view citation : message.citations) json.raw(citation);
    json.end_array();
  }
  if (!message.calls.empty()) {
    json.name("tool_calls").begin_array();
    for (const ToolCallBlock* call : message.calls) {
      json.begin_object().member("id", call->id).member("type", "function");
      json.name("function").begin_object().member("name", call->name);
      json.member("arguments", call->arguments).end_object().end_object();
    }
    json.end_array();
  }
  json.end_object();
}

}  // namespace

std::unique_ptr<StreamEncoder> make_chat_encoder(EncoderOptions options) {
  return std::make_unique<ChatEncoder>(std::move(options));
}

void encode_whole_chat(const Answer& answer, const EncoderOptions& options, std::string& out) {
  delta::Start start{answer.id, answer.model, answer.created};
  complete(start, options);
  JsonWriter json(out);
  json.begin_object().member("id", start.id).member("object", "chat.completion");
  json.member("created", start.created).member("model", start.model);
  json.name("choices").begin_array().begin_object().member("index", 0).name("message");
  write_message(json, gather(answer));
  json.null_member("logprobs").name("finish_reason");
  if (answer.finish.reason == FinishReason::kNone) {
    json.null();
  } else {
    json.string(finish_word(Protocol::kChatCompletions, answer.finish));
  }
  json.end_object().end_array();
  if (!answer.usage.empty()) {
    json.name("usage");
    write_chat_usage(json, answer.usage);
  }
  json.end_object();
}

}  // namespace conciergus::llm

/// The AI SDK's UI message stream. Only documented parts go out, as clients lose the whole answer
/// on an unknown one.
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "conciergus/llm/decoding.hpp"
#include "conciergus/llm/encoding.hpp"
#include "conciergus/llm/error_reply.hpp"

namespace conciergus::llm {
namespace {

class UiEncoder final : public StreamEncoder {
 public:
  explicit UiEncoder(EncoderOptions options) : options_(std::move(options)) {}

  void encode(const Delta& delta, std::string& out) override {
    if (is_ended_) return;
    out_ = &out;
    std::visit(*this, delta);
  }
  void set_signal(std::string json) override { signal_ = std::move(json); }

  void operator()(const delta::Start&) { begin(); }
  void operator()(const delta::Text& text) { write_text(text.text); }
  void operator()(const delta::Refusal& refusal) { write_text(refusal.text); }
  void operator()(const delta::Reasoning& reasoning) {
    if (reasoning.text.empty()) return;
    open(Kind::kReasoning);
    part("reasoning-delta",
         [&](JsonWriter& json) { json.member("id", id()).member("delta", reasoning.text); });
  }
  void operator()(const delta::ToolStart& start) {
    close_part();
    begin();
    tools_.push_back({start.index, start.id, start.name, {}});
    part("tool-input-start", [&](JsonWriter& json) {
      json.member("toolCallId", start.id).member("toolName", start.name);
    });
  }
  void operator()(const delta::ToolArguments& arguments) {
    for (Tool& tool : tools_) {
      if (tool.index != arguments.index) continue;
      tool.arguments += arguments.fragment;
      part("tool-input-delta", [&](JsonWriter& json) {
        json.member("toolCallId", tool.id).member("inputTextDelta", arguments.fragment);
      });
      return;
    }
    (*this)(delta::Failed{malformed("arguments for a tool call that is over")});
  }
  void operator()(const delta::Citation& citation) {
    const auto document = JsonDocument::parse(citation.json);
    if (!document) return;
    const JsonValue nested = document->root()["url_citation"];
    const JsonValue source = nested ? nested : document->root();
    if (source["url"].text().empty()) return;
    begin();
    part("source-url", [&](JsonWriter& json) {
      json.member("sourceId", fmt::format("source-{}", sources_++)).member("url", source["url"]);
      if (!source["title"].text().empty()) json.member("title", source["title"]);
    });
  }
  void operator()(const delta::BlockEnd&) { close_all(); }
  void operator()(const delta::Item&) { close_all(); }
  void operator()(const delta::Finished& finished) { finish_ = finished.finish; }
  void operator()(const delta::Ping&) { *out_ += ": ping\n\n"; }
  void operator()(const delta::Failed& failed) {
    begin();
    is_cut_ = true;
    close_all();
    append_error_event(*out_, Protocol::kUiMessages, failed.failure);
    is_ended_ = true;
  }
  void operator()(const delta::Done&) {
    begin();
    close_all();
    part("finish-step", [](JsonWriter&) {});
    write_signal();
    part("finish", [&](JsonWriter& json) {
      if (options_.ui_finish_reason && finish_.reason != FinishReason::kNone) {
        json.member("finishReason", finish_word(Protocol::kUiMessages, finish_));
      }
    });
    append_stream_end(*out_, Protocol::kUiMessages);
    is_ended_ = true;
  }
  // Nothing here can say these, or they belong into headers.
  void operator()(const delta::Signature&) {}
  void operator()(const delta::RedactedReasoning&) {}
  void operator()(const delta::UsageReport&) {}
  void operator()(const delta::Unknown&) {}

 private:
  enum class Kind : std::uint8_t { kNone, kText, kReasoning };
  struct Tool {
    std::uint32_t index;
    std::string id;
    std::string name;
    std::string arguments;
  };

  void part(std::string_view type, auto write_fields) {
    EventWriter event(*out_);
    event.json().begin_object().member("type", type);
    write_fields(event.json());
    event.json().end_object();
  }

  void write_signal() {
    if (signal_.empty()) return;
    part("data-conciergus",
         [&](JsonWriter& json) { json.member("transient", true).name("data").raw(signal_); });
  }

  void begin() {
    if (is_started_) return;
    is_started_ = true;
    part("start", [&](JsonWriter& json) {
      if (!options_.ui_message_id.empty()) json.member("messageId", options_.ui_message_id);
    });
    write_signal();
    part("start-step", [](JsonWriter&) {});
  }

  std::string id() const { return std::to_string(part_); }

  void open(Kind kind) {
    if (open_ == kind) return;
    begin();
    close_all();
    open_ = kind;
    part(kind == Kind::kText ? "text-start" : "reasoning-start",
         [&](JsonWriter& json) { json.member("id", id()); });
  }

  void write_text(std::string_view text) {
    if (text.empty()) return;
    open(Kind::kText);
    part("text-delta", [&](JsonWriter& json) { json.member("id", id()).member("delta", text); });
  }

  void close_part() {
    if (open_ == Kind::kNone) return;
    part(open_ == Kind::kText ? "text-end" : "reasoning-end",
         [&](JsonWriter& json) { json.member("id", id()); });
    open_ = Kind::kNone;
    ++part_;
  }

  void close_all() {
    close_part();
    for (const Tool& tool : tools_) close_tool(tool);
    tools_.clear();
  }

  void close_tool(const Tool& tool) {
    const std::string input = tool.arguments.empty() && !is_cut_ ? "{}" : tool.arguments;
    const bool is_available = !is_cut_ && JsonDocument::parse(input).has_value();
    part(is_available ? "tool-input-available" : "tool-input-error", [&](JsonWriter& json) {
      json.member("toolCallId", tool.id).member("toolName", tool.name).name("input");
      if (is_available) {
        json.raw(input);
      } else {
        json.string(input).member("errorText",
                                  is_cut_ ? "The tool call was cut off."
                                          : "The model wrote arguments that are not JSON.");
      }
    });
  }

  EncoderOptions options_;
  std::string signal_;
  std::vector<Tool> tools_;  // begun and not yet ended
  Finish finish_;
  std::string* out_ = nullptr;  // of the running call
  std::uint32_t part_ = 0;
  std::uint32_t sources_ = 0;
  Kind open_ = Kind::kNone;
  bool is_cut_ = false;
  bool is_started_ = false;
  bool is_ended_ = false;
};

}  // namespace

std::unique_ptr<StreamEncoder> make_ui_encoder(EncoderOptions options) {
  return std::make_unique<UiEncoder>(std::move(options));
}

}  // namespace conciergus::llm

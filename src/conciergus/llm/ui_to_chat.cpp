/// What `useChat` of the AI SDK sends → OpenAI chat completions. Parts that exist for display alone
/// (sources, data, step marks, reasoning) are no part of what the model is told.
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "conciergus/llm/json_writer.hpp"
#include "conciergus/llm/translation.hpp"

namespace conciergus::llm {
namespace {

class UiToChat {
 public:
  UiToChat(JsonValue request, const TranslationOptions& options)
      : request_(request), options_(options), json_(out_) {}

  Result<std::string> run() && {
    const JsonValue messages = request_["messages"];
    if (!messages.is(JsonKind::kArray)) return malformed_field("messages", "an array");
    json_.begin_object().member("model", options_.model);
    if (request_["temperature"].is(JsonKind::kNumber))
      json_.member("temperature", request_["temperature"]);
    json_.name("messages").begin_array();
    if (!request_["system"].text().empty()) write_plain("system", request_["system"].text());
    for (const JsonValue message : messages) {
      CONCIERGUS_CHECK(write_message(message));
      ++index_;
    }
    json_.end_array().member("stream", true).name("stream_options").begin_object();
    json_.member("include_usage", true).end_object().end_object();
    return std::move(out_);
  }

 private:
  struct Call {
    JsonValue part;
    std::string_view name;
    std::string result;
  };

  Result<void> write_message(JsonValue message) {
    const std::string_view role = message["role"].text();
    const JsonValue parts = message["parts"];
    if (!parts.is(JsonKind::kArray)) return malformed_field(path("parts"), "an array");
    if (role == "assistant") return write_assistant(parts);
    if (role == "user") return write_user(parts);
    if (role != "system") return malformed_field(path("role"), "system, user or assistant");
    write_plain("system", joined_text(parts));
    return {};
  }

  static std::string joined_text(JsonValue parts) {
    std::string text;
    for (const JsonValue part : parts) {
      if (part["type"].text() == "text") text += part["text"].text();
    }
    return text;
  }

  Result<void> write_user(JsonValue parts) {
    bool has_files = false;
    for (const JsonValue part : parts) has_files |= part["type"].text() == "file";
    if (!has_files) {
      write_plain("user", joined_text(parts));
      return {};
    }
    json_.begin_object().member("role", "user").name("content").begin_array();
    for (const JsonValue part : parts) {
      const std::string_view type = part["type"].text();
      if (type == "text") {
        json_.begin_object().member("type", "text").member("text", part["text"]).end_object();
      } else if (type == "file") {
        if (!part["mediaType"].text().starts_with("image/")) return untranslatable(path("parts"));
        json_.begin_object().member("type", "image_url").name("image_url").begin_object();
        json_.member("url", part["url"]).end_object().end_object();
      }
    }
    json_.end_array().end_object();
    return {};
  }

  /// One UI message holds all steps of a turn: text, calls and their results, then text again. Here
  /// each step is a message, followed by its results.
  Result<void> write_assistant(JsonValue parts) {
    std::string text;
    std::vector<Call> calls;
    for (const JsonValue part : parts) {
      const std::string_view type = part["type"].text();
      if (type == "step-start" || (type == "text" && !calls.empty())) write_step(text, calls);
      if (type == "text") {
        text += part["text"].text();
      } else if (type == "dynamic-tool") {
        add_call(part, part["toolName"].text(), calls);
      } else if (type.starts_with("tool-")) {
        add_call(part, type.substr(5), calls);
      } else if (type == "file") {
        return untranslatable(path("parts"));
      }
    }
    write_step(text, calls);
    return {};
  }

  /// A call without a result, left when the user stopped the answer, would make every later
  /// request of the chat invalid; it is left out.
  static void add_call(JsonValue part, std::string_view name, std::vector<Call>& calls) {
    const std::string_view state = part["state"].text();
    std::string result;
    if (state == "output-available") {
      if (const auto text = part["output"].string()) {
        result = *text;
      } else {
        append_json(result, part["output"]);
      }
    } else if (state == "output-error") {
      result = part["errorText"].text();
    } else if (state == "output-denied") {
      result = "The user denied this tool call.";
    } else {
      return;
    }
    calls.push_back({part, name, std::move(result)});
  }

  void write_step(std::string& text, std::vector<Call>& calls) {
    if (text.empty() && calls.empty()) return;
    json_.begin_object().member("role", "assistant").name("content");
    if (text.empty()) {
      json_.null();
    } else {
      json_.string(text);
    }
    if (!calls.empty()) {
      json_.name("tool_calls").begin_array();
      for (const Call& call : calls) write_call(call);
      json_.end_array();
    }
    json_.end_object();
    for (const Call& call : calls) {
      json_.begin_object().member("role", "tool").member("tool_call_id", call.part["toolCallId"]);
      json_.member("content", call.result).end_object();
    }
    text.clear();
    calls.clear();
  }

  void write_call(const Call& call) {
    std::string arguments;
    if (call.part["input"]) {
      append_json(arguments, call.part["input"]);
    } else {
      arguments = "{}";
    }
    json_.begin_object().member("id", call.part["toolCallId"]).member("type", "function");
    json_.name("function").begin_object().member("name", call.name).member("arguments", arguments);
    json_.end_object().end_object();
  }

  void write_plain(std::string_view role, std::string_view text) {
    json_.begin_object().member("role", role).member("content", text).end_object();
  }
  std::string path(std::string_view field) const {
    return fmt::format("messages[{}].{}", index_, field);
  }

  JsonValue request_;
  const TranslationOptions& options_;
  std::string out_;
  JsonWriter json_;
  std::size_t index_ = 0;  // of the message being read
};

}  // namespace

Result<std::string> ui_to_chat(JsonValue request, const TranslationOptions& options) {
  return UiToChat(request, options).run();
}

}  // namespace conciergus::llm

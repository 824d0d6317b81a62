/// Anthropic messages → OpenAI chat completions.
#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "conciergus/llm/json_writer.hpp"
#include "conciergus/llm/translation.hpp"

namespace conciergus::llm {
namespace {

/// Said elsewhere in the request, or of no influence on the answer.
constexpr std::array<std::string_view, 15> kHandled = {"model",
                                                       "messages",
                                                       "system",
                                                       "max_tokens",
                                                       "stream",
                                                       "temperature",
                                                       "top_p",
                                                       "stop_sequences",
                                                       "tools",
                                                       "tool_choice",
                                                       "thinking",
                                                       "metadata",
                                                       "cache_control",
                                                       "service_tier",
                                                       "output_config"};

class MessagesToChat {
 public:
  MessagesToChat(JsonValue request, const TranslationOptions& options)
      : request_(request), options_(options), json_(out_) {}

  Result<std::string> run() && {
    for (const JsonValue field : request_) {
      const bool is_handled = std::ranges::find(kHandled, field.name()) != kHandled.end();
      if (!is_handled && !field.is_nothing()) return untranslatable(field.name());
    }
    json_.begin_object().member("model", options_.model);
    CONCIERGUS_CHECK(write_parameters());
    CONCIERGUS_CHECK(write_tools());
    CONCIERGUS_CHECK(write_tool_choice());
    CONCIERGUS_CHECK(write_messages());
    if (const JsonValue user = request_["metadata"]["user_id"]; !user.text().empty()) {
      json_.member("user", user);
    }
    if (request_["stream"].is_true()) {
      json_.member("stream", true).name("stream_options").begin_object();
      json_.member("include_usage", true).end_object();
    }
    json_.end_object();
    return std::move(out_);
  }

 private:
  void copy(std::string_view from, std::string_view to) {
    if (const JsonValue value = request_[from]; !value.is_nothing()) json_.member(to, value);
  }

  Result<void> write_parameters() {
    copy("max_tokens", "max_completion_tokens");
    copy("temperature", "temperature");
    copy("top_p", "top_p");
    if (request_["stop_sequences"].size() > 0) copy("stop_sequences", "stop");
    const JsonValue thinking = request_["thinking"];
    const std::string_view type = thinking["type"].text();
    for (const JsonValue setting : request_["output_config"]) {
      if (setting.name() != "effort") return untranslatable("output_config");
      json_.member("reasoning_effort", setting);
    }
    if (type == "enabled" && request_["output_config"].size() == 0) {
      const auto budget = thinking["budget_tokens"].unsigned_integer();
      if (!budget) return malformed_field("thinking.budget_tokens", "a number of tokens");
      json_.member("reasoning_effort", reasoning_effort(*budget));
    } else if (!thinking.is_nothing() && type != "enabled" && type != "disabled" &&
               type != "adaptive") {
      return untranslatable("thinking");
    }
    return {};
  }

  Result<void> write_tools() {
    const JsonValue tools = request_["tools"];
    if (tools.size() == 0) return {};
    json_.name("tools").begin_array();
    std::size_t index = 0;
    for (const JsonValue tool : tools) {
      if (!tool["type"].is_nothing() && tool["type"].text() != "custom") {
        return untranslatable(fmt::format("tools[{}]", index));
      }
      ++index;
      json_.begin_object().member("type", "function").name("function").begin_object();
      json_.member("name", tool["name"]);
      if (!tool["description"].is_nothing()) json_.member("description", tool["description"]);
      if (!tool["input_schema"].is_nothing()) json_.member("parameters", tool["input_schema"]);
      if (tool["strict"].is_true()) json_.member("strict", true);
      json_.end_object().end_object();
    }
    json_.end_array();
    return {};
  }

  Result<void> write_tool_choice() {
    const JsonValue choice = request_["tool_choice"];
    if (choice.is_nothing() || request_["tools"].size() == 0) return {};
    const std::string_view type = choice["type"].text();
    json_.name("tool_choice");
    if (type == "auto" || type == "none") {
      json_.string(type);
    } else if (type == "any") {
      json_.string("required");
    } else if (type == "tool") {
      json_.begin_object().member("type", "function").name("function").begin_object();
      json_.member("name", choice["name"]).end_object().end_object();
    } else {
      return untranslatable("tool_choice");
    }
    if (choice["disable_parallel_tool_use"].is_true()) json_.member("parallel_tool_calls", false);
    return {};
  }

  Result<void> write_messages() {
    const JsonValue messages = request_["messages"];
    if (!messages.is(JsonKind::kArray)) return malformed_field("messages", "an array");
    json_.name("messages").begin_array();
    CONCIERGUS_CHECK(write_system());
    for (const JsonValue message : messages) {
      const std::string_view role = message["role"].text();
      if (role == "user") {
        CONCIERGUS_CHECK(write_user(message["content"]));
      } else if (role == "assistant") {
        CONCIERGUS_CHECK(write_assistant(message["content"]));
      } else {
        return untranslatable(path("role"));
      }
      ++index_;
    }
    json_.end_array();
    return {};
  }

  Result<void> write_system() {
    const JsonValue system = request_["system"];
    if (system.is(JsonKind::kString)) {
      if (!system.text().empty()) write_plain("system", system);
      return {};
    }
    for (const JsonValue block : system) {
      if (block["type"].text() != "text") return untranslatable("system");
      write_plain("system", block["text"]);
    }
    return {};
  }

  void write_plain(std::string_view role, JsonValue text) {
    json_.begin_object().member("role", role).member("content", text).end_object();
  }

  /// Results of tools are messages of their own here, which come before what the user adds.
  Result<void> write_user(JsonValue content) {
    if (content.is(JsonKind::kString)) {
      write_plain("user", content);
      return {};
    }
    std::size_t others = 0;
    for (const JsonValue block : content) {
      if (block["type"].text() == "tool_result") {
        CONCIERGUS_CHECK(write_tool_result(block));
      } else {
        ++others;
      }
    }
    if (others == 0) return {};
    json_.begin_object().member("role", "user").name("content").begin_array();
    for (const JsonValue block : content) {
      if (block["type"].text() != "tool_result") CONCIERGUS_CHECK(write_part(block));
    }
    json_.end_array().end_object();
    return {};
  }

  Result<void> write_part(JsonValue block) {
    const std::string_view type = block["type"].text();
    if (type == "text") {
      json_.begin_object().member("type", "text").member("text", block["text"]).end_object();
      return {};
    }
    const JsonValue source = block["source"];
    const std::string_view form = source["type"].text();
    if (type != "image" || (form != "base64" && form != "url"))
      return untranslatable(path("content"));
    const std::string url =
        form == "url"
            ? std::string(source["url"].text())
            : fmt::format("data:{};base64,{}", source["media_type"].text(), source["data"].text());
    json_.begin_object().member("type", "image_url").name("image_url").begin_object();
    json_.member("url", url).end_object().end_object();
    return {};
  }

  Result<void> write_tool_result(JsonValue block) {
    json_.begin_object().member("role", "tool").member("tool_call_id", block["tool_use_id"]);
    const JsonValue content = block["content"];
    std::string text(content.text());
    for (const JsonValue part : content) {
      if (part["type"].text() != "text") return untranslatable(path("content"));
      text += part["text"].text();
    }
    json_.member("content", text).end_object();
    return {};
  }

  Result<void> write_assistant(JsonValue content) {
    if (content.is(JsonKind::kString)) {
      write_plain("assistant", content);
      return {};
    }
    std::string text;
    std::string calls;
    JsonWriter call_json(calls);
    call_json.begin_array();
    bool has_calls = false;
    for (const JsonValue block : content) {
      const std::string_view type = block["type"].text();
      if (type == "text") {
        text += block["text"].text();
      } else if (type == "tool_use") {
        has_calls = true;
        std::string arguments;
        append_json(arguments, block["input"]);
        call_json.begin_object().member("id", block["id"]).member("type", "function");
        call_json.name("function").begin_object().member("name", block["name"]);
        call_json.member("arguments", arguments).end_object().end_object();
      } else if (type != "thinking" && type != "redacted_thinking") {
        // Reasoning is proof to the model that wrote it and to no other; it stays out.
        return untranslatable(path("content"));
      }
    }
    call_json.end_array();
    json_.begin_object().member("role", "assistant").name("content");
    if (text.empty() && has_calls) {
      json_.null();
    } else {
      json_.string(text);
    }
    if (has_calls) json_.name("tool_calls").raw(calls);
    json_.end_object();
    return {};
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

Result<std::string> messages_to_chat(JsonValue request, const TranslationOptions& options) {
  return MessagesToChat(request, options).run();
}

}  // namespace conciergus::llm

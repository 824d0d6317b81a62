/// OpenAI chat completions → Anthropic messages.
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "conciergus/llm/json_writer.hpp"
#include "conciergus/llm/translation.hpp"

namespace conciergus::llm {
namespace {

/// Said elsewhere in the request, or of no influence on the answer.
constexpr std::array<std::string_view, 22> kHandled = {"model",
                                                       "messages",
                                                       "max_tokens",
                                                       "max_completion_tokens",
                                                       "stream",
                                                       "temperature",
                                                       "top_p",
                                                       "top_k",
                                                       "stop",
                                                       "tools",
                                                       "tool_choice",
                                                       "user",
                                                       "safety_identifier",
                                                       "parallel_tool_calls",
                                                       "reasoning_effort",
                                                       "metadata",
                                                       "prediction",
                                                       "stream_options",
                                                       "prompt_cache_key",
                                                       "prompt_cache_retention",
                                                       "n",
                                                       "service_tier"};

/// A field that has no counterpart, given with the value that means the same as leaving it out.
bool says_nothing(JsonValue field) {
  const std::string_view name = field.name();
  if (field.is_nothing() || field.is(JsonKind::kFalse)) return true;
  if (name == "frequency_penalty" || name == "presence_penalty") return field.number() == 0.0;
  if (name == "logit_bias") return field.size() == 0 && field.is(JsonKind::kObject);
  if (name == "response_format") return field["type"].text() == "text";
  if (name == "modalities") return field.size() == 1 && (*field.begin()).text() == "text";
  return false;
}

class ChatToMessages {
 public:
  ChatToMessages(JsonValue request, const TranslationOptions& options)
      : request_(request), options_(options), json_(out_) {}

  Result<std::string> run() && {
    CONCIERGUS_CHECK(check_fields());
    json_.begin_object().member("model", options_.model);
    CONCIERGUS_CHECK(write_limits());
    CONCIERGUS_CHECK(write_sampling());
    CONCIERGUS_CHECK(write_tools());
    CONCIERGUS_CHECK(write_tool_choice());
    CONCIERGUS_CHECK(write_messages());
    write_user();
    if (request_["stream"].is_true()) json_.member("stream", true);
    json_.end_object();
    return std::move(out_);
  }

 private:
  Result<void> check_fields() const {
    for (const JsonValue field : request_) {
      if (std::ranges::find(kHandled, field.name()) != kHandled.end() || says_nothing(field))
        continue;
      return untranslatable(field.name());
    }
    if (const JsonValue n = request_["n"]; !n.is_nothing() && n.unsigned_integer() != 1) {
      return untranslatable("n");
    }
    return {};
  }

  Result<void> write_limits() {
    const JsonValue newer = request_["max_completion_tokens"];
    const JsonValue given = newer.is_nothing() ? request_["max_tokens"] : newer;
    std::uint64_t limit = options_.default_max_tokens;
    if (!given.is_nothing()) {
      const auto number = given.unsigned_integer();
      if (!number) return malformed_field(given.name(), "a number of tokens");
      limit = *number;
    }
    if (const JsonValue effort = request_["reasoning_effort"]; !effort.is_nothing()) {
      const auto budget = thinking_budget(effort.text());
      if (!budget) return untranslatable("reasoning_effort");
      if (given.is_nothing()) limit += *budget;
      if (*budget > 0) {
        if (*budget >= limit)
          return malformed_field(given.name(), "above the budget for reasoning");
        json_.name("thinking").begin_object().member("type", "enabled");
        json_.member("budget_tokens", *budget).end_object();
      }
    }
    json_.member("max_tokens", limit);
    return {};
  }

  Result<void> write_sampling() {
    if (const JsonValue temperature = request_["temperature"]; !temperature.is_nothing()) {
      if (temperature.number().value_or(2.0) > 1.0) return untranslatable("temperature");
      json_.member("temperature", temperature);
    }
    for (const std::string_view name : {"top_p", "top_k"}) {
      if (const JsonValue value = request_[name]; !value.is_nothing()) json_.member(name, value);
    }
    const JsonValue stop = request_["stop"];
    if (stop.is(JsonKind::kString)) {
      json_.name("stop_sequences").begin_array().value(stop).end_array();
    } else if (stop.size() > 0) {
      json_.member("stop_sequences", stop);
    }
    return {};
  }

  Result<void> write_tools() {
    const JsonValue tools = request_["tools"];
    if (tools.size() == 0) return {};
    json_.name("tools").begin_array();
    std::size_t index = 0;
    for (const JsonValue tool : tools) {
      const JsonValue function = tool["function"];
      if (tool["type"].text() != "function" || !function["name"].string()) {
        return untranslatable(fmt::format("tools[{}]", index));
      }
      ++index;
      json_.begin_object().member("name", function["name"]);
      if (!function["description"].is_nothing())
        json_.member("description", function["description"]);
      json_.name("input_schema");
      if (function["parameters"].is_nothing()) {
        json_.raw(R"({"type":"object","properties":{}})");
      } else {
        json_.value(function["parameters"]);
      }
      if (function["strict"].is_true()) json_.member("strict", true);
      json_.end_object();
    }
    json_.end_array();
    return {};
  }

  Result<void> write_tool_choice() {
    const JsonValue choice = request_["tool_choice"];
    const bool is_serial = request_["parallel_tool_calls"].is(JsonKind::kFalse);
    if (request_["tools"].size() == 0 || (choice.is_nothing() && !is_serial)) return {};
    const std::string_view word = choice.is_nothing() ? "auto" : choice.text();
    json_.name("tool_choice").begin_object();
    if (word == "auto" || word == "none") {
      json_.member("type", word);
    } else if (word == "required") {
      json_.member("type", "any");
    } else if (choice["type"].text() == "function") {
      json_.member("type", "tool").member("name", choice["function"]["name"]);
    } else {
      return untranslatable("tool_choice");
    }
    if (is_serial && word != "none") json_.member("disable_parallel_tool_use", true);
    json_.end_object();
    return {};
  }

  void write_user() {
    const JsonValue newer = request_["safety_identifier"];
    const JsonValue user = newer.is_nothing() ? request_["user"] : newer;
    if (user.text().empty()) return;
    json_.name("metadata").begin_object().member("user_id", user).end_object();
  }

  /// Instructions stand before the conversation, or they have no place.
  Result<void> write_messages() {
    const JsonValue messages = request_["messages"];
    if (!messages.is(JsonKind::kArray)) return malformed_field("messages", "an array");
    auto it = messages.begin();
    std::vector<std::string_view> system;
    for (; it != messages.end() && is_system(*it); ++it, ++index_) {
      CONCIERGUS_CHECK(read_system(*it, system));
    }
    if (system.size() == 1) {
      json_.member("system", system.front());
    } else if (!system.empty()) {
      json_.name("system").begin_array();
      for (const std::string_view text : system) write_text(text);
      json_.end_array();
    }
    json_.name("messages").begin_array();
    for (; it != messages.end(); ++it, ++index_) CONCIERGUS_CHECK(write_message(*it));
    end_tool_results();
    json_.end_array();
    return {};
  }

  static bool is_system(JsonValue message) noexcept {
    return message["role"].text() == "system" || message["role"].text() == "developer";
  }

  Result<void> read_system(JsonValue message, std::vector<std::string_view>& texts) const {
    const JsonValue content = message["content"];
    if (content.is(JsonKind::kString)) texts.push_back(content.text());
    for (const JsonValue part : content) {
      if (part["type"].text() != "text") return untranslatable(path("content"));
      texts.push_back(part["text"].text());
    }
    std::erase(texts, std::string_view{});
    return {};
  }

  Result<void> write_message(JsonValue message) {
    const std::string_view role = message["role"].text();
    if (role == "tool") return write_tool_result(message);
    end_tool_results();
    if (!message["name"].is_nothing()) return untranslatable(path("name"));
    json_.begin_object();
    if (role == "user") {
      json_.member("role", "user").name("content");
      CONCIERGUS_CHECK(write_content(message["content"]));
    } else if (role == "assistant") {
      json_.member("role", "assistant").name("content");
      CONCIERGUS_CHECK(write_assistant(message));
    } else {
      return untranslatable(path("role"));
    }
    json_.end_object();
    return {};
  }

  Result<void> write_content(JsonValue content) {
    if (content.is(JsonKind::kString)) {
      json_.value(content);
      return {};
    }
    if (!content.is(JsonKind::kArray))
      return malformed_field(path("content"), "a string or an array");
    json_.begin_array();
    for (const JsonValue part : content) CONCIERGUS_CHECK(write_part(part));
    json_.end_array();
    return {};
  }

  Result<void> write_part(JsonValue part) {
    const std::string_view type = part["type"].text();
    if (type == "text" || type == "refusal") {
      if (!part[type].text().empty()) write_text(part[type].text());
      return {};
    }
    if (type != "image_url") return untranslatable(path("content"));
    const std::string_view url = part["image_url"]["url"].text();
    json_.begin_object().member("type", "image").name("source").begin_object();
    if (const auto data = parse_data_url(url)) {
      json_.member("type", "base64").member("media_type", data->media_type);
      json_.member("data", data->data);
    } else if (url.starts_with("https://") || url.starts_with("http://")) {
      json_.member("type", "url").member("url", url);
    } else {
      return untranslatable(path("content"));
    }
    json_.end_object().end_object();
    return {};
  }

  Result<void> write_assistant(JsonValue message) {
    const JsonValue content = message["content"];
    const JsonValue calls = message["tool_calls"];
    if (calls.size() == 0 && content.is(JsonKind::kString)) {
      json_.value(content);
      return {};
    }
    if (!message["function_call"].is_nothing()) return untranslatable(path("function_call"));
    json_.begin_array();
    if (!content.text().empty()) write_text(content.text());
    for (const JsonValue part : content) CONCIERGUS_CHECK(write_part(part));
    for (const JsonValue call : calls) {
      const std::string_view arguments = call["function"]["arguments"].text();
      const auto document = JsonDocument::parse(arguments.empty() ? "{}" : arguments);
      if (!document || !document->root().is(JsonKind::kObject)) {
        return untranslatable(path("tool_calls"));
      }
      json_.begin_object().member("type", "tool_use").member("id", call["id"]);
      json_.member("name", call["function"]["name"]).member("input", document->root()).end_object();
    }
    json_.end_array();
    return {};
  }

  /// The results of one turn go into one message of the user.
  Result<void> write_tool_result(JsonValue message) {
    if (!is_in_results_) json_.begin_object().member("role", "user").name("content").begin_array();
    is_in_results_ = true;
    json_.begin_object().member("type", "tool_result");
    json_.member("tool_use_id", message["tool_call_id"]).name("content");
    CONCIERGUS_CHECK(write_content(message["content"]));
    json_.end_object();
    return {};
  }
  void end_tool_results() {
    if (is_in_results_) json_.end_array().end_object();
    is_in_results_ = false;
  }

  void write_text(std::string_view text) {
    json_.begin_object().member("type", "text").member("text", text).end_object();
  }
  std::string path(std::string_view field) const {
    return fmt::format("messages[{}].{}", index_, field);
  }

  JsonValue request_;
  const TranslationOptions& options_;
  std::string out_;
  JsonWriter json_;
  std::size_t index_ = 0;  // of the message being read
  bool is_in_results_ = false;
};

}  // namespace

Result<std::string> chat_to_messages(JsonValue request, const TranslationOptions& options) {
  return ChatToMessages(request, options).run();
}

}  // namespace conciergus::llm

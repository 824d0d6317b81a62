#include "conciergus/llm/request_fields.hpp"

#include <algorithm>
#include <array>

namespace conciergus::llm {
namespace {

using enum FieldClass;

constexpr std::array kChatFields = {
    RequestField{"audio", kKeyed},
    RequestField{"frequency_penalty", kKeyed},
    RequestField{"function_call", kKeyed},
    RequestField{"functions", kPolicy},
    RequestField{"logit_bias", kKeyed},
    RequestField{"logprobs", kKeyed},
    RequestField{"max_completion_tokens", kKeyed},
    RequestField{"max_tokens", kKeyed},
    RequestField{"messages", kKeyed},
    RequestField{"metadata", kIgnored},
    RequestField{"modalities", kKeyed},
    RequestField{"model", kKeyed},
    RequestField{"n", kPolicy},
    RequestField{"parallel_tool_calls", kKeyed},
    RequestField{"plugins", kForbids},
    RequestField{"prediction", kKeyed},
    RequestField{"presence_penalty", kKeyed},
    RequestField{"prompt_cache_key", kIgnored},
    RequestField{"prompt_cache_retention", kKeyed},
    RequestField{"reasoning_effort", kKeyed},
    RequestField{"response_format", kKeyed},
    RequestField{"safety_identifier", kIgnored},
    RequestField{"search_parameters", kForbids},
    RequestField{"seed", kPolicy},
    RequestField{"service_tier", kKeyed},
    RequestField{"stop", kKeyed},
    RequestField{"store", kForbids},
    RequestField{"stream", kIgnored},
    RequestField{"stream_options", kIgnored},
    RequestField{"temperature", kPolicy},
    RequestField{"tool_choice", kKeyed},
    RequestField{"tools", kForbids},
    RequestField{"top_k", kKeyed},
    RequestField{"top_logprobs", kKeyed},
    RequestField{"top_p", kPolicy},
    RequestField{"user", kIgnored},
    RequestField{"verbosity", kKeyed},
    RequestField{"web_search_options", kForbids},
};

constexpr std::array kMessagesFields = {
    RequestField{"cache_control", kKeyed},
    RequestField{"container", kForbids},
    RequestField{"context_management", kKeyed},
    RequestField{"inference_geo", kKeyed},
    RequestField{"max_tokens", kKeyed},
    RequestField{"mcp_servers", kForbids},
    RequestField{"messages", kKeyed},
    RequestField{"metadata", kIgnored},
    RequestField{"model", kKeyed},
    RequestField{"output_config", kKeyed},
    RequestField{"output_format", kKeyed},
    RequestField{"service_tier", kKeyed},
    RequestField{"speed", kKeyed},
    RequestField{"stop_sequences", kKeyed},
    RequestField{"stream", kIgnored},
    RequestField{"system", kKeyed},
    RequestField{"temperature", kPolicy},
    RequestField{"thinking", kKeyed},
    RequestField{"tool_choice", kKeyed},
    RequestField{"tools", kForbids},
    RequestField{"top_k", kKeyed},
    RequestField{"top_p", kPolicy},
};

constexpr std::array kResponsesFields = {
    RequestField{"background", kForbids},
    RequestField{"context_management", kKeyed},
    RequestField{"conversation", kForbids},
    RequestField{"include", kKeyed},
    RequestField{"input", kKeyed},
    RequestField{"instructions", kKeyed},
    RequestField{"max_output_tokens", kKeyed},
    RequestField{"max_tool_calls", kKeyed},
    RequestField{"metadata", kIgnored},
    RequestField{"model", kKeyed},
    RequestField{"parallel_tool_calls", kKeyed},
    RequestField{"previous_response_id", kForbids},
    RequestField{"prompt", kKeyed},
    RequestField{"prompt_cache_key", kIgnored},
    RequestField{"prompt_cache_retention", kKeyed},
    RequestField{"reasoning", kKeyed},
    RequestField{"safety_identifier", kIgnored},
    RequestField{"service_tier", kKeyed},
    RequestField{"store", kForbids},
    RequestField{"stream", kIgnored},
    RequestField{"stream_options", kIgnored},
    RequestField{"temperature", kPolicy},
    RequestField{"text", kKeyed},
    RequestField{"tool_choice", kKeyed},
    RequestField{"tools", kForbids},
    RequestField{"top_logprobs", kKeyed},
    RequestField{"top_p", kPolicy},
    RequestField{"truncation", kKeyed},
    RequestField{"user", kIgnored},
};

constexpr std::array kEmbeddingsFields = {
    RequestField{"dimensions", kKeyed},
    RequestField{"encoding_format", kKeyed},
    RequestField{"input", kKeyed},
    RequestField{"model", kKeyed},
    RequestField{"user", kIgnored},
};

// useChat's own fields. What else an application adds reaches no upstream and so no key: the key is
// made of the translated request.
constexpr std::array kUiFields = {
    RequestField{"id", kIgnored},
    RequestField{"messageId", kIgnored},
    RequestField{"messages", kKeyed},
    RequestField{"model", kKeyed},
    RequestField{"system", kKeyed},
    RequestField{"temperature", kPolicy},
    RequestField{"trigger", kIgnored},
};

template <std::size_t size>
constexpr bool is_sorted(const std::array<RequestField, size>& fields) {
  return std::ranges::is_sorted(fields, {}, &RequestField::name);
}
static_assert(is_sorted(kChatFields) && is_sorted(kMessagesFields) && is_sorted(kResponsesFields) &&
              is_sorted(kEmbeddingsFields) && is_sorted(kUiFields));

bool runs_at_provider(JsonValue tool) noexcept {
  const JsonValue type = tool["type"];
  return !type.is_nothing() && type.text() != "function" && type.text() != "custom";
}

/// Present and neither null, false, empty text, nor an empty array.
bool asks_for_something(JsonValue value) noexcept {
  if (value.is_nothing() || value.is(JsonKind::kFalse)) return false;
  if (value.is(JsonKind::kArray)) return value.size() > 0;
  return !value.is(JsonKind::kString) || !value.text().empty();
}

}  // namespace

std::span<const RequestField> request_fields(Protocol protocol) noexcept {
  switch (protocol) {
    case Protocol::kChatCompletions:
      return kChatFields;
    case Protocol::kMessages:
      return kMessagesFields;
    case Protocol::kResponses:
      return kResponsesFields;
    case Protocol::kEmbeddings:
      return kEmbeddingsFields;
    case Protocol::kUiMessages:
      return kUiFields;
  }
  return {};
}

FieldClass classify(Protocol protocol, std::string_view name) noexcept {
  const auto fields = request_fields(protocol);
  const auto found = std::ranges::lower_bound(fields, name, {}, &RequestField::name);
  return found != fields.end() && found->name == name ? found->field_class : kKeyed;
}

std::string_view forbidding_reason(Protocol protocol, JsonValue request) noexcept {
  for (const JsonValue member : request) {
    const std::string_view name = member.name();
    if (classify(protocol, name) != kForbids || !asks_for_something(member)) continue;
    if (name == "store") return "store";
    if (name == "background") return "background";
    if (name == "previous_response_id" || name == "conversation" || name == "container")
      return "state";
    const bool is_tool_list = name == "tools" && member.is(JsonKind::kArray);
    if (is_tool_list && std::ranges::none_of(member, runs_at_provider)) continue;
    return "provider-tools";
  }
  return {};
}

}  // namespace conciergus::llm

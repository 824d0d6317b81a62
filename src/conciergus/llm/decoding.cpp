#include "conciergus/llm/decoding.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace conciergus::llm {
namespace {

constexpr std::array<std::pair<std::string_view, unsigned>, 22> kErrorStatus = {{
    {"api_error", 500},
    {"authentication_error", 401},
    {"billing_error", 402},
    {"content_policy_violation", 400},
    {"context_length_exceeded", 400},
    {"insufficient_quota", 429},
    {"internal_server_error", 500},
    {"invalid_api_key", 401},
    {"invalid_prompt", 400},
    {"invalid_request_error", 400},
    {"model_not_found", 404},
    {"not_found_error", 404},
    {"overloaded", 503},
    {"overloaded_error", 529},
    {"permission_error", 403},
    {"rate_limit_error", 429},
    {"rate_limit_exceeded", 429},
    {"request_too_large", 413},
    {"server_error", 500},
    {"service_unavailable", 503},
    {"timeout_error", 504},
    {"tokens", 429},
}};

std::optional<unsigned> status_of(std::string_view word) noexcept {
  for (const auto& [name, status] : kErrorStatus) {
    if (name == word) return status;
  }
  return std::nullopt;
}

std::optional<unsigned> status_number(JsonValue value) noexcept {
  const auto number = value.unsigned_integer();
  if (!number || *number < 400 || *number > 599) return std::nullopt;
  return static_cast<unsigned>(*number);
}

struct Word {
  std::string_view word;
  FinishReason reason;
};
using enum FinishReason;
// Of several words for one reason the first is the one to write.
constexpr std::array kChatWords = {Word{"stop", kStop},
                                   Word{"length", kLength},
                                   Word{"tool_calls", kToolCalls},
                                   Word{"function_call", kToolCalls},
                                   Word{"content_filter", kContentFilter}};
constexpr std::array kMessagesWords = {Word{"end_turn", kStop},
                                       Word{"stop_sequence", kStop},
                                       Word{"max_tokens", kLength},
                                       Word{"model_context_window_exceeded", kLength},
                                       Word{"tool_use", kToolCalls},
                                       Word{"refusal", kRefusal},
                                       Word{"pause_turn", kPause}};
constexpr std::array kResponsesWords = {Word{"completed", kStop},
                                        Word{"max_output_tokens", kLength},
                                        Word{"content_filter", kContentFilter}};
// The AI SDK's words are the ones that to_string() writes for these.
constexpr std::array kUiWords = {Word{"stop", kStop},
                                 Word{"length", kLength},
                                 Word{"tool-calls", kToolCalls},
                                 Word{"content-filter", kContentFilter},
                                 Word{"content-filter", kRefusal},
                                 Word{"other", kPause}};

std::span<const Word> words(Protocol protocol) noexcept {
  switch (protocol) {
    case Protocol::kMessages:
      return kMessagesWords;
    case Protocol::kResponses:
      return kResponsesWords;
    case Protocol::kUiMessages:
      return kUiWords;
    default:
      return kChatWords;
  }
}

}  // namespace

Failure read_failure(JsonValue error) {
  Failure failure;
  if (error.is(JsonKind::kString)) {
    failure.status = 500;
    failure.message = error.text();
    return failure;
  }
  failure.type = error["type"].text();
  failure.code = error["code"].text();
  failure.message = error["message"].text();
  if (failure.message.empty())
    failure.message = "The provider reported an error without a message.";
  const auto status = status_number(error["status"])
                          .or_else([&] { return status_number(error["code"]); })
                          .or_else([&] { return status_of(failure.code); })
                          .or_else([&] { return status_of(failure.type); });
  failure.status = status.value_or(500);
  return failure;
}

Failure malformed(std::string_view what) {
  return {.status = 502,
          .type = "server_error",
          .code = "upstream_error",
          .message = "The provider sent something that is not its protocol: " + std::string(what)};
}

FinishReason finish_reason(Protocol protocol, std::string_view word) noexcept {
  const auto known = words(protocol);
  const auto found = std::ranges::find(known, word, &Word::word);
  return found == known.end() ? kOther : found->reason;
}

std::string_view finish_word(Protocol protocol, const Finish& finish) noexcept {
  const auto known = words(protocol);
  for (const Word& word : known) {
    if (word.word == finish.raw && word.reason == finish.reason) return word.word;
  }
  const auto found = std::ranges::find(known, finish.reason, &Word::reason);
  if (found != known.end()) return found->word;
  if (protocol == Protocol::kUiMessages) return "other";
  if (finish.reason == kContentFilter) return "refusal";
  if (finish.reason == kRefusal) return "content_filter";
  return finish.raw.empty() ? words(protocol).front().word : std::string_view(finish.raw);
}

Usage read_chat_usage(JsonValue usage) {
  return {.input = usage["prompt_tokens"].unsigned_integer(),
          .output = usage["completion_tokens"].unsigned_integer(),
          .cached_input = usage["prompt_tokens_details"]["cached_tokens"].unsigned_integer(),
          .cache_creation = std::nullopt,
          .reasoning = usage["completion_tokens_details"]["reasoning_tokens"].unsigned_integer()};
}

Usage read_responses_usage(JsonValue usage) {
  return {.input = usage["input_tokens"].unsigned_integer(),
          .output = usage["output_tokens"].unsigned_integer(),
          .cached_input = usage["input_tokens_details"]["cached_tokens"].unsigned_integer(),
          .cache_creation = std::nullopt,
          .reasoning = usage["output_tokens_details"]["reasoning_tokens"].unsigned_integer()};
}

Usage read_messages_usage(JsonValue usage) {
  Usage read{.input = usage["input_tokens"].unsigned_integer(),
             .output = usage["output_tokens"].unsigned_integer(),
             .cached_input = usage["cache_read_input_tokens"].unsigned_integer(),
             .cache_creation = usage["cache_creation_input_tokens"].unsigned_integer(),
             .reasoning = std::nullopt};
  if (read.input) *read.input += read.cached_input.value_or(0) + read.cache_creation.value_or(0);
  return read;
}

}  // namespace conciergus::llm

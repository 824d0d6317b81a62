#include "conciergus/llm/answer.hpp"

namespace conciergus::llm {

std::string_view to_string(FinishReason reason) noexcept {
  switch (reason) {
    case FinishReason::kNone:
      return "";
    case FinishReason::kStop:
      return "stop";
    case FinishReason::kLength:
      return "length";
    case FinishReason::kToolCalls:
      return "tool-calls";
    case FinishReason::kContentFilter:
      return "content-filter";
    case FinishReason::kRefusal:
      return "refusal";
    case FinishReason::kPause:
      return "pause";
    case FinishReason::kOther:
      return "other";
  }
  return "other";
}

void Usage::merge(const Usage& later) {
  for (const auto field : {&Usage::input,
                           &Usage::output,
                           &Usage::cached_input,
                           &Usage::cache_creation,
                           &Usage::reasoning}) {
    if (later.*field) this->*field = later.*field;
  }
}

bool is_content(const Delta& delta) noexcept {
  if (const auto* text = std::get_if<delta::Text>(&delta)) return !text->text.empty();
  if (const auto* text = std::get_if<delta::Reasoning>(&delta)) return !text->text.empty();
  if (const auto* text = std::get_if<delta::Refusal>(&delta)) return !text->text.empty();
  return std::holds_alternative<delta::RedactedReasoning>(delta) ||
         std::holds_alternative<delta::ToolStart>(delta) ||
         std::holds_alternative<delta::ToolArguments>(delta);
}

}  // namespace conciergus::llm

#include "conciergus/llm/responses_output.hpp"

#include <fmt/format.h>

#include "conciergus/llm/encoding.hpp"

namespace conciergus::llm {
namespace {

bool is_reasoning(const Block& block) noexcept {
  return std::holds_alternative<ReasoningBlock>(block);
}
bool is_call(const Block& block) noexcept {
  return std::holds_alternative<ToolCallBlock>(block);
}
std::string_view own_id(const Block& block) noexcept {
  return std::visit([](const auto& b) -> std::string_view { return b.item_id; }, block);
}
/// What the provider needs to take the reasoning back.
std::string_view seal(const ReasoningBlock& block) noexcept {
  return block.redacted.empty() ? std::string_view(block.signature)
                                : std::string_view(block.redacted);
}

void write_reasoning(JsonWriter& json, std::span<const Block> blocks, std::string_view id) {
  json.begin_object().member("id", id).member("type", "reasoning").name("summary").begin_array();
  std::string_view encrypted;
  for (const Block& block : blocks) {
    const auto& reasoning = std::get<ReasoningBlock>(block);
    if (!seal(reasoning).empty()) encrypted = seal(reasoning);
    if (reasoning.text.empty()) continue;
    json.begin_object().member("type", "summary_text").member("text", reasoning.text).end_object();
  }
  json.end_array();
  if (!encrypted.empty()) json.member("encrypted_content", encrypted);
  json.end_object();
}

/// The provider's word for why an answer is incomplete; empty for one that is complete.
std::string_view incomplete_reason(const Finish& finish) noexcept {
  switch (finish.reason) {
    case FinishReason::kStop:
    case FinishReason::kToolCalls:
      return {};
    case FinishReason::kLength:
      return "max_output_tokens";
    case FinishReason::kContentFilter:
    case FinishReason::kRefusal:
      return "content_filter";
    default:
      return finish.raw.empty() ? std::string_view("unfinished") : std::string_view(finish.raw);
  }
}

void write_outcome(JsonWriter& json, const Answer& answer, std::string_view answer_id) {
  const std::string_view reason = incomplete_reason(answer.finish);
  json.member("status", reason.empty() ? "completed" : "incomplete").null_member("error");
  json.name("incomplete_details");
  if (reason.empty()) {
    json.null();
  } else {
    json.begin_object().member("reason", reason).end_object();
  }
  json.name("output").begin_array();
  std::span<const Block> rest(answer.blocks);
  for (std::size_t index = 0; !rest.empty(); ++index) {
    const auto item = rest.first(blocks_of_item(rest));
    write_item(json, item, item_id(item.front(), answer_id, index));
    rest = rest.subspan(item.size());
  }
  json.end_array().name("usage");
  write_responses_usage(json, answer.usage);
}

}  // namespace

std::size_t blocks_of_item(std::span<const Block> blocks) noexcept {
  if (blocks.empty() || is_call(blocks.front())) return blocks.empty() ? 0 : 1;
  std::size_t count = 0;
  for (const Block& block : blocks) {
    if (is_call(block) || is_reasoning(block) != is_reasoning(blocks.front()) ||
        own_id(block) != own_id(blocks.front())) {
      break;
    }
    ++count;
    const auto* reasoning = std::get_if<ReasoningBlock>(&block);
    if (reasoning != nullptr && !seal(*reasoning).empty()) break;
  }
  return count;
}

std::string item_id(const Block& block, std::string_view answer_id, std::size_t output_index) {
  if (!own_id(block).empty()) return std::string(own_id(block));
  const std::string_view prefix = is_call(block) ? "fc" : is_reasoning(block) ? "rs" : "msg";
  return fmt::format("{}_{}_{}", prefix, answer_id, output_index);
}

void write_item(JsonWriter& json, std::span<const Block> blocks, std::string_view id) {
  if (is_reasoning(blocks.front())) {
    write_reasoning(json, blocks, id);
    return;
  }
  json.begin_object().member("id", id);
  if (const auto* call = std::get_if<ToolCallBlock>(&blocks.front())) {
    json.member("type", "function_call").member("status", "completed").member("call_id", call->id);
    json.member("name", call->name).member("arguments", call->arguments).end_object();
    return;
  }
  json.member("type", "message").member("status", "completed").member("role", "assistant");
  json.name("content").begin_array();
  for (const Block& block : blocks) write_content_part(json, block);
  json.end_array().end_object();
}

void write_content_part(JsonWriter& json, const Block& block) {
  json.begin_object();
  if (const auto* refusal = std::get_if<RefusalBlock>(&block)) {
    json.member("type", "refusal").member("refusal", refusal->text);
  } else if (const auto* text = std::get_if<TextBlock>(&block)) {
    json.member("type", "output_text").member("text", text->text).name("annotations").begin_array();
    for (const std::string& citation : text->citations) {
      const auto document = JsonDocument::parse(citation);
      if (document && citation_form(document->root()) == CitationForm::kResponses)
        json.raw(citation);
    }
    json.end_array();
  }
  json.end_object();
}

void write_response(JsonWriter& json, const delta::Start& start, const Answer* answer) {
  json.begin_object().member("id", start.id).member("object", "response");
  json.member("created_at", start.created).member("model", start.model);
  if (answer != nullptr) {
    write_outcome(json, *answer, start.id);
  } else {
    json.member("status", "in_progress").null_member("error").null_member("incomplete_details");
    json.name("output").begin_array().end_array().null_member("usage");
  }
  json.null_member("instructions").name("metadata").begin_object().end_object();
  json.member("parallel_tool_calls", true).null_member("temperature").null_member("top_p");
  json.member("tool_choice", "auto").name("tools").begin_array().end_array().end_object();
}

}  // namespace conciergus::llm

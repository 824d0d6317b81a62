#include "conciergus/llm/answer_builder.hpp"

#include <algorithm>

#include "conciergus/llm/json_document.hpp"

namespace conciergus::llm {

template <class T>
T& AnswerBuilder::open_block() {
  if (is_block_open_ && !answer_.blocks.empty()) {
    if (T* const open = std::get_if<T>(&answer_.blocks.back())) return *open;
  }
  is_block_open_ = true;
  T block;
  block.item_id = item_id_;
  return std::get<T>(answer_.blocks.emplace_back(std::move(block)));
}

struct AnswerBuilder::Visitor {
  AnswerBuilder& self;

  void operator()(const delta::Start& start) {
    if (!start.id.empty()) self.answer_.id = start.id;
    if (!start.model.empty()) self.answer_.model = start.model;
    if (start.created != 0) self.answer_.created = start.created;
  }
  void operator()(const delta::Text& text) {
    if (!text.text.empty()) self.open_block<TextBlock>().text += text.text;
  }
  void operator()(const delta::Citation& citation) {
    self.open_block<TextBlock>().citations.push_back(citation.json);
  }
  void operator()(const delta::Reasoning& reasoning) {
    if (!reasoning.text.empty()) self.open_block<ReasoningBlock>().text += reasoning.text;
  }
  void operator()(const delta::Signature& signature) {
    self.open_block<ReasoningBlock>().signature += signature.signature;
  }
  void operator()(const delta::RedactedReasoning& redacted) {
    self.is_block_open_ = false;
    self.open_block<ReasoningBlock>().redacted = redacted.data;
    self.is_block_open_ = false;
  }
  void operator()(const delta::Refusal& refusal) {
    if (!refusal.text.empty()) self.open_block<RefusalBlock>().text += refusal.text;
  }
  void operator()(const delta::ToolStart& start) {
    if (start.index != self.tool_calls_.size()) self.has_unknown_ = true;
    self.tool_calls_.push_back(self.answer_.blocks.size());
    self.answer_.blocks.emplace_back(ToolCallBlock{start.id, start.name, {}, self.item_id_});
    self.is_block_open_ = false;
  }
  void operator()(const delta::ToolArguments& arguments) {
    if (arguments.index >= self.tool_calls_.size()) {
      self.has_unknown_ = true;
      return;
    }
    Block& block = self.answer_.blocks[self.tool_calls_[arguments.index]];
    std::get<ToolCallBlock>(block).arguments += arguments.fragment;
  }
  void operator()(const delta::BlockEnd&) { self.is_block_open_ = false; }
  void operator()(const delta::Item& item) {
    self.item_id_ = item.id;
    self.is_block_open_ = false;
  }
  void operator()(const delta::Finished& finished) { self.answer_.finish = finished.finish; }
  void operator()(const delta::UsageReport& report) { self.answer_.usage.merge(report.usage); }
  void operator()(const delta::Ping&) {}
  void operator()(const delta::Failed& failed) {
    if (!self.failure_) self.failure_ = failed.failure;
  }
  void operator()(const delta::Done&) { self.is_done_ = true; }
  void operator()(const delta::Unknown&) { self.has_unknown_ = true; }
};

void AnswerBuilder::add(const Delta& delta) {
  has_content_ = has_content_ || is_content(delta);
  std::visit(Visitor{*this}, delta);
}

bool AnswerBuilder::is_complete() const noexcept {
  return is_done_ && !failure_ && answer_.finish.reason != FinishReason::kNone;
}

std::string_view AnswerBuilder::storage_obstacle(const Rules& rules) const {
  if (failure_) return "error";
  if (has_unknown_) return "unrepresentable";
  const FinishReason reason = answer_.finish.reason;
  if (!is_done_ && !rules.finish_reason_is_terminal) return "truncated";
  if (reason == FinishReason::kNone) return "unfinished";
  if (reason != FinishReason::kStop && reason != FinishReason::kToolCalls) return to_string(reason);
  bool has_substance = false;
  for (const Block& block : answer_.blocks) {
    if (std::holds_alternative<RefusalBlock>(block)) return "refusal";
    if (const auto* text = std::get_if<TextBlock>(&block)) has_substance |= !text->text.empty();
    if (const auto* call = std::get_if<ToolCallBlock>(&block)) {
      if (!rules.allow_tool_calls) return "tool-calls";
      if (!JsonDocument::parse(call->arguments.empty() ? "{}" : call->arguments)) {
        return "tool-arguments";
      }
      has_substance = true;
    }
  }
  return has_substance ? "" : "empty";
}

Answer fold(std::span<const Delta> deltas) {
  AnswerBuilder builder;
  for (const Delta& delta : deltas) builder.add(delta);
  return std::move(builder).take();
}

}  // namespace conciergus::llm

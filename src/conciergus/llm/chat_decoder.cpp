/// OpenAI chat completions, upstream side.
#include <algorithm>
#include <optional>
#include <string>

#include "conciergus/llm/decoding.hpp"
#include "conciergus/llm/json_writer.hpp"

namespace conciergus::llm {
namespace {

using Deltas = std::vector<Delta>;

std::string json_text(JsonValue value) {
  std::string text;
  append_json(text, value);
  return text;
}

void start(JsonValue body, Deltas& out) {
  out.push_back(
      delta::Start{std::string(body["id"].text()),
                   std::string(body["model"].text()),
                   static_cast<std::int64_t>(body["created"].unsigned_integer().value_or(0))});
}

void finish(JsonValue word, Deltas& out) {
  if (!word.is(JsonKind::kString)) return;
  out.push_back(delta::Finished{{.reason = finish_reason(Protocol::kChatCompletions, word.text()),
                                 .raw = std::string(word.text())}});
}

/// What a whole message and the delta of a chunk have in common. Servers name the reasoning one
/// way or the other; some send both with the same text.
void read_content(JsonValue message, Deltas& out) {
  const JsonValue named = message["reasoning_content"];
  const std::string_view reasoning =
      named.is_nothing() ? message["reasoning"].text() : named.text();
  if (!reasoning.empty()) out.push_back(delta::Reasoning{std::string(reasoning)});
  if (const JsonValue content = message["content"]; content.is(JsonKind::kString)) {
    if (!content.text().empty()) out.push_back(delta::Text{std::string(content.text())});
  } else if (!content.is_nothing()) {
    out.push_back(delta::Unknown{"content"});
  }
  for (const JsonValue annotation : message["annotations"]) {
    out.push_back(delta::Citation{json_text(annotation)});
  }
  if (!message["refusal"].text().empty()) {
    out.push_back(delta::Refusal{std::string(message["refusal"].text())});
  }
  for (const std::string_view name : {"audio", "function_call", "reasoning_details", "images"}) {
    if (!message[name].is_nothing()) out.push_back(delta::Unknown{std::string(name)});
  }
}

class ChatDecoder final : public StreamDecoder {
 public:
  void decode(std::string_view event, std::string_view data, Deltas& out) override {
    if (data == "[DONE]") {
      out.push_back(delta::Done{});
      return;
    }
    const auto document = JsonDocument::parse(data);
    if (!document) {
      out.push_back(delta::Failed{malformed(document.error().detail())});
      return;
    }
    const JsonValue chunk = document->root();
    const JsonValue error = chunk["error"];
    const bool has_error = !error.is_nothing() && !error.is(JsonKind::kFalse);
    if (has_error || event == "error") {
      out.push_back(delta::Failed{read_failure(has_error ? error : chunk)});
      return;
    }
    if (!chunk.is(JsonKind::kObject)) {
      out.push_back(delta::Failed{malformed("a chunk that is no object")});
      return;
    }
    const std::size_t before = out.size();
    read_chunk(chunk, out);
    if (out.size() == before) out.push_back(delta::Ping{});
  }

 private:
  void read_chunk(JsonValue chunk, Deltas& out) {
    if (!is_started_ && !chunk["id"].is_nothing()) {
      is_started_ = true;
      start(chunk, out);
    }
    for (const JsonValue choice : chunk["choices"]) {
      if (choice["index"].unsigned_integer().value_or(0) != 0) {
        out.push_back(delta::Unknown{"choice"});
        continue;
      }
      if (!choice["logprobs"].is_nothing()) out.push_back(delta::Unknown{"logprobs"});
      read_content(choice["delta"], out);
      for (const JsonValue call : choice["delta"]["tool_calls"]) read_call(call, out);
      finish(choice["finish_reason"], out);
    }
    if (const JsonValue usage = chunk["usage"]; !usage.is_nothing()) {
      out.push_back(delta::UsageReport{read_chat_usage(usage)});
    }
  }

  void read_call(JsonValue call, Deltas& out) {
    if (call["type"].text() == "custom") {
      out.push_back(delta::Unknown{"custom tool call"});
      return;
    }
    const JsonValue function = call["function"];
    const std::string_view id = call["id"].text();
    // Some servers leave the index out; then an id says that a new call begins.
    const auto given = call["index"].unsigned_integer();
    auto known = given ? std::ranges::find(indexes_, *given)
                       : (id.empty() && !indexes_.empty() ? indexes_.end() - 1 : indexes_.end());
    if (known == indexes_.end()) {
      if (id.empty() && function["name"].text().empty()) {
        out.push_back(delta::Unknown{"tool call without a beginning"});
        return;
      }
      out.push_back(delta::ToolStart{static_cast<std::uint32_t>(indexes_.size()),
                                     std::string(id),
                                     std::string(function["name"].text())});
      indexes_.push_back(given.value_or(indexes_.size()));
      known = indexes_.end() - 1;
    }
    if (function["arguments"].text().empty()) return;
    out.push_back(delta::ToolArguments{static_cast<std::uint32_t>(known - indexes_.begin()),
                                       std::string(function["arguments"].text())});
  }

  bool is_started_ = false;
  std::vector<std::uint64_t> indexes_;  // the upstream's, in the order of ours
};

}  // namespace

std::unique_ptr<StreamDecoder> make_chat_decoder() {
  return std::make_unique<ChatDecoder>();
}

void decode_whole_chat(JsonValue body, Deltas& out) {
  const JsonValue choices = body["choices"];
  if (choices.size() == 0) {
    out.push_back(delta::Failed{malformed("an answer without choices")});
    return;
  }
  start(body, out);
  if (choices.size() > 1) out.push_back(delta::Unknown{"choice"});
  const JsonValue choice = *choices.begin();
  if (!choice["logprobs"].is_nothing()) out.push_back(delta::Unknown{"logprobs"});
  const JsonValue message = choice["message"];
  read_content(message, out);
  std::uint32_t index = 0;
  for (const JsonValue call : message["tool_calls"]) {
    if (call["type"].text() == "custom") {
      out.push_back(delta::Unknown{"custom tool call"});
      continue;
    }
    const JsonValue function = call["function"];
    out.push_back(delta::ToolStart{
        index, std::string(call["id"].text()), std::string(function["name"].text())});
    out.push_back(delta::ToolArguments{index++, std::string(function["arguments"].text())});
  }
  finish(choice["finish_reason"], out);
  out.push_back(delta::UsageReport{read_chat_usage(body["usage"])});
  out.push_back(delta::Done{});
}

}  // namespace conciergus::llm

/// OpenAI responses, upstream side.
#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>

#include "conciergus/llm/decoding.hpp"
#include "conciergus/llm/json_writer.hpp"

namespace conciergus::llm {
namespace {

using Deltas = std::vector<Delta>;

/// Events that repeat what the deltas have said, or only say that work goes on.
constexpr std::array<std::string_view, 10> kRepetitions = {"response.in_progress",
                                                           "response.queued",
                                                           "response.content_part.done",
                                                           "response.output_text.done",
                                                           "response.refusal.done",
                                                           "response.function_call_arguments.done",
                                                           "response.reasoning_summary_text.done",
                                                           "response.reasoning_summary_part.done",
                                                           "response.content_part.added",
                                                           "keepalive"};

std::string json_text(JsonValue value) {
  std::string text;
  append_json(text, value);
  return text;
}

void start(JsonValue response, Deltas& out) {
  const auto created = response["created_at"].number().value_or(0);
  out.push_back(
      delta::Start{std::string(response["id"].text()),
                   std::string(response["model"].text()),
                   created > 0 && created < 1e15 ? static_cast<std::int64_t>(created) : 0});
}

/// The end of a response by its status.
void finish(JsonValue response, bool has_tool_calls, Deltas& out) {
  const std::string_view status = response["status"].text();
  if (status == "failed" || !response["error"].is_nothing()) {
    out.push_back(delta::Failed{read_failure(response["error"])});
    return;
  }
  if (status == "completed") {
    const auto reason = has_tool_calls ? FinishReason::kToolCalls : FinishReason::kStop;
    out.push_back(delta::Finished{{.reason = reason, .raw = "completed"}});
  } else if (status == "incomplete") {
    const std::string_view why = response["incomplete_details"]["reason"].text();
    out.push_back(delta::Finished{
        {.reason = finish_reason(Protocol::kResponses, why), .raw = std::string(why)}});
  } else {
    out.push_back(delta::Finished{{.reason = FinishReason::kOther, .raw = std::string(status)}});
  }
  if (const JsonValue usage = response["usage"]; !usage.is_nothing()) {
    out.push_back(delta::UsageReport{read_responses_usage(usage)});
  }
  out.push_back(delta::Done{});
}

class ResponsesDecoder final : public StreamDecoder {
 public:
  void decode(std::string_view event, std::string_view data, Deltas& out) override {
    const auto document = JsonDocument::parse(data);
    if (!document) {
      out.push_back(delta::Failed{malformed(document.error().detail())});
      return;
    }
    const JsonValue root = document->root();
    const std::size_t before = out.size();
    check_sequence(root["sequence_number"], out);
    read_event(root["type"].string().value_or(event), root, out);
    if (out.size() == before) out.push_back(delta::Ping{});
  }

  std::uint64_t next_sequence_number() const noexcept override { return next_sequence_; }

 private:
  struct Call {
    std::uint32_t index;
    bool has_arguments;
  };

  void check_sequence(JsonValue number, Deltas& out) {
    const auto sequence = number.unsigned_integer();
    if (!sequence) return;
    if (*sequence != next_sequence_) out.push_back(delta::Unknown{"sequence number"});
    next_sequence_ = *sequence + 1;
  }

  void read_event(std::string_view type, JsonValue root, Deltas& out) {
    const std::string_view text = root["delta"].text();
    if (type == "response.output_text.delta") {
      if (root["logprobs"].size() > 0) out.push_back(delta::Unknown{"logprobs"});
      out.push_back(delta::Text{std::string(text)});
    } else if (type == "response.function_call_arguments.delta") {
      add_arguments(root, text, out);
    } else if (type == "response.reasoning_summary_text.delta") {
      out.push_back(delta::Reasoning{std::string(text)});
    } else if (type == "response.reasoning_summary_part.added") {
      if (root["summary_index"].unsigned_integer().value_or(0) > 0)
        out.push_back(delta::BlockEnd{});
    } else if (type == "response.refusal.delta") {
      out.push_back(delta::Refusal{std::string(text)});
    } else if (type == "response.output_text.annotation.added") {
      out.push_back(delta::Citation{json_text(root["annotation"])});
    } else if (type == "response.output_item.added") {
      begin_item(root, out);
    } else if (type == "response.output_item.done") {
      end_item(root, out);
    } else if (type == "response.created") {
      start(root["response"], out);
    } else if (type == "response.completed" || type == "response.incomplete" ||
               type == "response.failed") {
      finish(root["response"], !calls_.empty(), out);
    } else if (type == "error") {
      out.push_back(delta::Failed{read_failure(root["error"].is_nothing() ? root : root["error"])});
    } else if (std::ranges::find(kRepetitions, type) == kRepetitions.end()) {
      out.push_back(delta::Unknown{std::string(type)});
    } else if (type == "response.content_part.added" &&
               root["content_index"].unsigned_integer().value_or(0) > 0) {
      out.push_back(delta::BlockEnd{});
    }
  }

  void begin_item(JsonValue root, Deltas& out) {
    const JsonValue item = root["item"];
    const std::string_view type = item["type"].text();
    out.push_back(delta::Item{std::string(item["id"].text())});
    if (type == "function_call") {
      const auto index = static_cast<std::uint32_t>(calls_.size());
      calls_.insert_or_assign(root["output_index"].unsigned_integer().value_or(index),
                              Call{index, false});
      out.push_back(delta::ToolStart{
          index, std::string(item["call_id"].text()), std::string(item["name"].text())});
    } else if (type != "message" && type != "reasoning") {
      out.push_back(delta::Unknown{std::string(type)});
    }
  }

  void end_item(JsonValue root, Deltas& out) {
    const JsonValue item = root["item"];
    if (item["type"].text() == "function_call") {
      // A server may leave the deltas out when it has the arguments at once.
      const auto call = calls_.find(root["output_index"].unsigned_integer().value_or(0));
      if (call != calls_.end() && !call->second.has_arguments) {
        add_arguments(root, item["arguments"].text(), out);
      }
    }
    if (!item["encrypted_content"].text().empty()) {
      out.push_back(delta::Signature{std::string(item["encrypted_content"].text())});
    }
    out.push_back(delta::BlockEnd{});
  }

  void add_arguments(JsonValue root, std::string_view fragment, Deltas& out) {
    const auto call = calls_.find(root["output_index"].unsigned_integer().value_or(0));
    if (call == calls_.end()) {
      out.push_back(delta::Unknown{"arguments without a call"});
      return;
    }
    if (fragment.empty()) return;
    call->second.has_arguments = true;
    out.push_back(delta::ToolArguments{call->second.index, std::string(fragment)});
  }

  std::map<std::uint64_t, Call> calls_;  // by the upstream's output_index
  std::uint64_t next_sequence_ = 0;
};

void read_message(JsonValue item, Deltas& out) {
  for (const JsonValue part : item["content"]) {
    if (part["type"].text() == "output_text") {
      if (part["logprobs"].size() > 0) out.push_back(delta::Unknown{"logprobs"});
      out.push_back(delta::Text{std::string(part["text"].text())});
      for (const JsonValue annotation : part["annotations"]) {
        out.push_back(delta::Citation{json_text(annotation)});
      }
    } else if (part["type"].text() == "refusal") {
      out.push_back(delta::Refusal{std::string(part["refusal"].text())});
    } else {
      out.push_back(delta::Unknown{std::string(part["type"].text())});
    }
    out.push_back(delta::BlockEnd{});
  }
}

void read_reasoning(JsonValue item, Deltas& out) {
  bool is_first = true;
  for (const JsonValue part : item["summary"]) {
    if (!is_first) out.push_back(delta::BlockEnd{});
    is_first = false;
    out.push_back(delta::Reasoning{std::string(part["text"].text())});
  }
  if (item["content"].size() > 0) out.push_back(delta::Unknown{"reasoning_text"});
  if (!item["encrypted_content"].text().empty()) {
    out.push_back(delta::Signature{std::string(item["encrypted_content"].text())});
  }
  out.push_back(delta::BlockEnd{});
}

}  // namespace

std::unique_ptr<StreamDecoder> make_responses_decoder() {
  return std::make_unique<ResponsesDecoder>();
}

void decode_whole_response(JsonValue body, Deltas& out) {
  if (!body["output"].is(JsonKind::kArray)) {
    out.push_back(delta::Failed{malformed("an answer without output")});
    return;
  }
  start(body, out);
  std::uint32_t tool_calls = 0;
  for (const JsonValue item : body["output"]) {
    const std::string_view type = item["type"].text();
    out.push_back(delta::Item{std::string(item["id"].text())});
    if (type == "message") {
      read_message(item, out);
    } else if (type == "reasoning") {
      read_reasoning(item, out);
    } else if (type == "function_call") {
      out.push_back(delta::ToolStart{
          tool_calls, std::string(item["call_id"].text()), std::string(item["name"].text())});
      out.push_back(delta::ToolArguments{tool_calls++, std::string(item["arguments"].text())});
    } else {
      out.push_back(delta::Unknown{std::string(type)});
    }
  }
  finish(body, tool_calls > 0, out);
}

}  // namespace conciergus::llm

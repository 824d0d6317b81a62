/// OpenAI responses, client side. Its closing events repeat all that was said, so that the encoder
/// folds the answer as it goes.
#include <string>
#include <utility>

#include "conciergus/llm/answer_builder.hpp"
#include "conciergus/llm/decoding.hpp"
#include "conciergus/llm/encoding.hpp"
#include "conciergus/llm/error_reply.hpp"
#include "conciergus/llm/responses_output.hpp"

namespace conciergus::llm {
namespace {

class ResponsesEncoder final : public StreamEncoder {
 public:
  explicit ResponsesEncoder(EncoderOptions options) : options_(std::move(options)) {}

  void encode(const Delta& delta, std::string& out) override {
    if (is_ended_) return;
    out_ = &out;
    std::visit(*this, delta);
    builder_.add(delta);  // afterwards: what the delta closes ends with the block before it
  }

  void operator()(const delta::Start& start) {
    start_ = start;
    begin();
  }
  void operator()(const delta::Text& text) {
    if (text.text.empty()) return;
    open_part(TextBlock{});
    part_event("response.output_text.delta", "content_index", [&](JsonWriter& json) {
      json.member("delta", text.text).name("logprobs").begin_array().end_array();
    });
  }
  void operator()(const delta::Refusal& refusal) {
    if (refusal.text.empty()) return;
    open_part(RefusalBlock{});
    part_event("response.refusal.delta", "content_index", [&](JsonWriter& json) {
      json.member("delta", refusal.text);
    });
  }
  void operator()(const delta::Citation& citation) {
    const auto document = JsonDocument::parse(citation.json);
    if (!document || citation_form(document->root()) != CitationForm::kResponses) return;
    open_part(TextBlock{});
    part_event("response.output_text.annotation.added", "content_index", [&](JsonWriter& json) {
      json.member("annotation_index", annotations_++).name("annotation").raw(citation.json);
    });
  }
  void operator()(const delta::Reasoning& reasoning) {
    if (reasoning.text.empty()) return;
    open_part(ReasoningBlock{});
    part_event("response.reasoning_summary_text.delta", "summary_index", [&](JsonWriter& json) {
      json.member("delta", reasoning.text);
    });
  }
  void operator()(const delta::Signature& signature) {
    if (!signature.signature.empty()) open_item(ReasoningBlock{});
  }
  void operator()(const delta::RedactedReasoning&) {
    close_item();
    open_item(ReasoningBlock{});
  }
  void operator()(const delta::ToolStart& start) {
    close_item();
    open_item(ToolCallBlock{start.id, start.name});
    tool_ = start.index;
  }
  void operator()(const delta::ToolArguments& arguments) {
    if (kind_ != Kind::kCall || arguments.index != tool_) {
      (*this)(delta::Failed{malformed("tool calls that are mixed")});
      return;
    }
    event("response.function_call_arguments.delta", [&](JsonWriter& json) {
      json.member("item_id", id_).member("output_index", output_index_);
      json.member("delta", arguments.fragment);
    });
  }
  void operator()(const delta::BlockEnd&) {
    close_part();
    if (kind_ == Kind::kReasoning && is_sealed()) close_item();
  }
  void operator()(const delta::Item& item) {
    close_item();
    next_id_ = item.id;
  }
  void operator()(const delta::Ping&) { *out_ += ": ping\n\n"; }
  void operator()(const delta::Failed& failed) {
    append_error_event(*out_, Protocol::kResponses, failed.failure, sequence_++);
    is_ended_ = true;
  }
  void operator()(const delta::Done&) {
    begin();
    close_item();
    const Answer& answer = builder_.answer();
    const bool is_complete = answer.finish.reason == FinishReason::kStop ||
                             answer.finish.reason == FinishReason::kToolCalls;
    event(is_complete ? "response.completed" : "response.incomplete", [&](JsonWriter& json) {
      json.name("response");
      write_response(json, start_, &answer);
    });
    is_ended_ = true;
  }
  // Folded into the answer, told at its end.
  void operator()(const delta::Finished&) {}
  void operator()(const delta::UsageReport&) {}
  void operator()(const delta::Unknown&) {}

 private:
  enum class Kind : std::uint8_t { kNone, kMessage, kReasoning, kCall };
  static Kind kind_of(const Block& block) noexcept {
    if (std::holds_alternative<ReasoningBlock>(block)) return Kind::kReasoning;
    return std::holds_alternative<ToolCallBlock>(block) ? Kind::kCall : Kind::kMessage;
  }

  void event(std::string_view type, auto write_fields) {
    EventWriter event(*out_, type);
    event.json().begin_object().member("type", type).member("sequence_number", sequence_++);
    write_fields(event.json());
    event.json().end_object();
  }
  void part_event(std::string_view type, std::string_view index_name, auto write_fields) {
    event(type, [&](JsonWriter& json) {
      json.member("item_id", id_)
          .member("output_index", output_index_)
          .member(index_name, part_index_);
      write_fields(json);
    });
  }

  void begin() {
    if (is_started_) return;
    is_started_ = true;
    complete(start_, options_);
    for (const std::string_view type : {"response.created", "response.in_progress"}) {
      event(type, [&](JsonWriter& json) {
        json.name("response");
        write_response(json, start_, nullptr);
      });
    }
  }

  const std::vector<Block>& blocks() const noexcept { return builder_.answer().blocks; }
  bool is_sealed() const noexcept {
    const auto* reasoning =
        blocks().empty() ? nullptr : std::get_if<ReasoningBlock>(&blocks().back());
    return reasoning != nullptr && !(reasoning->signature.empty() && reasoning->redacted.empty());
  }

  /// Opens an item of the kind of `empty`, unless one is open.
  void open_item(Block empty) {
    if (kind_ == kind_of(empty)) return;
    begin();
    close_item();
    kind_ = kind_of(empty);
    first_block_ = blocks().size();
    part_index_ = 0;
    std::visit([&](auto& block) { block.item_id = next_id_; }, empty);
    id_ = item_id(empty, start_.id, output_index_);
    event("response.output_item.added", [&](JsonWriter& json) {
      json.member("output_index", output_index_).name("item");
      if (kind_ == Kind::kMessage) {
        json.begin_object().member("id", id_).member("type", "message").member("role", "assistant");
        json.member("status", "in_progress").name("content").begin_array().end_array().end_object();
      } else {
        write_item(json, {&empty, 1}, id_);
      }
    });
  }

  /// Opens a part of the kind of `empty` in an item that holds such parts, unless one is open.
  void open_part(const Block& empty) {
    if (is_part_open_ && part_type_ == empty.index()) return;
    close_part();
    open_item(empty);
    is_part_open_ = true;
    part_type_ = empty.index();
    annotations_ = 0;
    write_part("added", empty);
  }

  void write_part(std::string_view what, const Block& block) {
    const auto* reasoning = std::get_if<ReasoningBlock>(&block);
    const std::string_view type =
        reasoning ? "response.reasoning_summary_part." : "response.content_part.";
    part_event(
        std::string(type) + std::string(what),
        reasoning ? "summary_index" : "content_index",
        [&](JsonWriter& json) {
          json.name("part");
          if (reasoning == nullptr) {
            write_content_part(json, block);
          } else {
            json.begin_object().member("type", "summary_text").member("text", reasoning->text);
            json.end_object();
          }
        });
  }

  void close_part() {
    if (!is_part_open_) return;
    is_part_open_ = false;
    const Block& block = blocks().back();
    if (const auto* text = std::get_if<TextBlock>(&block)) {
      part_event("response.output_text.done", "content_index", [&](JsonWriter& json) {
        json.member("text", text->text).name("logprobs").begin_array().end_array();
      });
    } else if (const auto* refusal = std::get_if<RefusalBlock>(&block)) {
      part_event("response.refusal.done", "content_index", [&](JsonWriter& json) {
        json.member("refusal", refusal->text);
      });
    } else if (const auto* reasoning = std::get_if<ReasoningBlock>(&block)) {
      part_event("response.reasoning_summary_text.done", "summary_index", [&](JsonWriter& json) {
        json.member("text", reasoning->text);
      });
    }
    write_part("done", block);
    ++part_index_;
  }

  void close_item() {
    close_part();
    if (kind_ == Kind::kNone) return;
    const auto item = std::span(blocks()).subspan(first_block_);
    if (kind_ == Kind::kCall) {
      event("response.function_call_arguments.done", [&](JsonWriter& json) {
        json.member("item_id", id_).member("output_index", output_index_);
        json.member("arguments", std::get<ToolCallBlock>(item.front()).arguments);
      });
    }
    event("response.output_item.done", [&](JsonWriter& json) {
      json.member("output_index", output_index_).name("item");
      write_item(json, item, id_);
    });
    kind_ = Kind::kNone;
    ++output_index_;
  }

  EncoderOptions options_;
  AnswerBuilder builder_;
  delta::Start start_;
  std::string next_id_;         // the provider's, for the items to come
  std::string id_;              // of the open item
  std::string* out_ = nullptr;  // of the running call
  std::uint64_t sequence_ = 0;
  std::size_t first_block_ = 0;  // of the open item
  std::size_t output_index_ = 0;
  std::size_t part_index_ = 0;
  std::size_t part_type_ = 0;
  std::uint32_t annotations_ = 0;
  std::uint32_t tool_ = 0;
  Kind kind_ = Kind::kNone;
  bool is_part_open_ = false;
  bool is_started_ = false;
  bool is_ended_ = false;
};

}  // namespace

std::unique_ptr<StreamEncoder> make_responses_encoder(EncoderOptions options) {
  return std::make_unique<ResponsesEncoder>(std::move(options));
}

void encode_whole_response(const Answer& answer, const EncoderOptions& options, std::string& out) {
  delta::Start start{answer.id, answer.model, answer.created};
  complete(start, options);
  JsonWriter json(out);
  write_response(json, start, &answer);
}

}  // namespace conciergus::llm

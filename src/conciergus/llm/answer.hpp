#pragma once
/// The one form of an answer between all protocols: what an upstream said, block by block, and the
/// steps (deltas) in which it said so. Decoders make deltas, encoders render them, the cache keeps
/// them.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace conciergus::llm {

enum class FinishReason : std::uint8_t {
  kNone,           ///< None was given.
  kStop,           ///< The model was done, or met a stop sequence.
  kLength,         ///< Token limit.
  kToolCalls,      ///< It waits for the results of tools.
  kContentFilter,  ///< Cut by a filter.
  kRefusal,        ///< The model declined.
  kPause,          ///< A long turn to be continued by the client.
  kOther,
};
/// "stop", "length", "tool-calls", "content-filter", "refusal", "pause", "other"; "" for kNone.
std::string_view to_string(FinishReason reason) noexcept;

/// Tokens as far as the provider told them.
struct Usage {
  std::optional<std::uint64_t> input{};           ///< All of the prompt, cached parts included.
  std::optional<std::uint64_t> output{};          ///< All that was produced, reasoning included.
  std::optional<std::uint64_t> cached_input{};    ///< Of `input`, read from the provider's cache.
  std::optional<std::uint64_t> cache_creation{};  ///< Of `input`, written to it.
  std::optional<std::uint64_t> reasoning{};       ///< Of `output`.

  /// Takes over what `later` knows: providers report running totals.
  void merge(const Usage& later);
  bool empty() const noexcept { return !input && !output; }
  bool operator==(const Usage&) const = default;
};

struct TextBlock {
  std::string text{};
  std::vector<std::string> citations{};  ///< JSON objects as the provider wrote them.
  std::string item_id{};                 ///< As delta::Item.
  bool operator==(const TextBlock&) const = default;
};
struct ReasoningBlock {
  std::string text{};
  std::string signature{};  ///< The provider's proof that the text is its own; may be empty.
  std::string redacted{};   ///< Encrypted reasoning in place of text.
  std::string item_id{};    ///< As delta::Item.
  bool operator==(const ReasoningBlock&) const = default;
};
struct RefusalBlock {
  std::string text;
  std::string item_id{};  ///< As delta::Item.
  bool operator==(const RefusalBlock&) const = default;
};
struct ToolCallBlock {
  std::string id;
  std::string name;
  std::string arguments{};  ///< JSON text as the model wrote it: not always valid.
  std::string item_id{};    ///< As delta::Item.
  bool operator==(const ToolCallBlock&) const = default;
};
using Block = std::variant<TextBlock, ReasoningBlock, RefusalBlock, ToolCallBlock>;

struct Finish {
  FinishReason reason = FinishReason::kNone;
  std::string raw{};            ///< In the upstream's own word.
  std::string stop_sequence{};  ///< The one that was met, where the protocol says so.
  bool operator==(const Finish&) const = default;
};

struct Answer {
  std::string id{};
  std::string model{};
  std::int64_t created = 0;  ///< Unix seconds; 0 when the protocol does not tell.
  std::vector<Block> blocks{};
  Finish finish{};
  Usage usage{};
  bool operator==(const Answer&) const = default;
};

/// What went wrong, in words that may be shown to a client.
struct Failure {
  unsigned status = 502;  ///< The HTTP status it would have had before the first byte.
  std::string type{};     ///< Provider's class, such as "rate_limit_error"; may be empty.
  std::string code{};     ///< Finer name, such as "context_length_exceeded"; may be empty.
  std::string message{};
  bool operator==(const Failure&) const = default;
};

namespace delta {
struct Start {
  std::string id;
  std::string model;
  std::int64_t created = 0;
  bool operator==(const Start&) const = default;
};
struct Text {
  std::string text;
  bool operator==(const Text&) const = default;
};
struct Citation {  ///< Belongs to the text before it.
  std::string json;
  bool operator==(const Citation&) const = default;
};
struct Reasoning {
  std::string text;
  bool operator==(const Reasoning&) const = default;
};
struct Signature {  ///< Of the reasoning before it.
  std::string signature;
  bool operator==(const Signature&) const = default;
};
struct RedactedReasoning {
  std::string data;
  bool operator==(const RedactedReasoning&) const = default;
};
struct Refusal {
  std::string text;
  bool operator==(const Refusal&) const = default;
};
struct ToolStart {
  std::uint32_t index = 0;  ///< Counts the tool calls of one answer from 0.
  std::string id;
  std::string name;
  bool operator==(const ToolStart&) const = default;
};
struct ToolArguments {
  std::uint32_t index = 0;
  std::string fragment;
  bool operator==(const ToolArguments&) const = default;
};
/// The block that was open ends, so that two texts in a row stay two.
struct BlockEnd {
  bool operator==(const BlockEnd&) const = default;
};
/// The provider's id for the output item to which the next blocks belong. The responses protocol
/// has clients refer back to items by id, so a replay must not invent others. Ends the open block.
struct Item {
  std::string id;
  bool operator==(const Item&) const = default;
};
struct Finished {
  Finish finish;
  bool operator==(const Finished&) const = default;
};
struct UsageReport {
  Usage usage;
  bool operator==(const UsageReport&) const = default;
};
struct Ping {  ///< Alive, nothing said.
  bool operator==(const Ping&) const = default;
};
struct Failed {
  Failure failure;
  bool operator==(const Failed&) const = default;
};
struct Done {  ///< The protocol's terminal event.
  bool operator==(const Done&) const = default;
};
/// Something this model has no place for: log probabilities, audio, a second choice, a new event.
/// It can be passed on as bytes, but not recorded.
struct Unknown {
  std::string what;
  bool operator==(const Unknown&) const = default;
};
}  // namespace delta

using Delta = std::variant<delta::Start,
                           delta::Text,
                           delta::Citation,
                           delta::Reasoning,
                           delta::Signature,
                           delta::RedactedReasoning,
                           delta::Refusal,
                           delta::ToolStart,
                           delta::ToolArguments,
                           delta::BlockEnd,
                           delta::Item,
                           delta::Finished,
                           delta::UsageReport,
                           delta::Ping,
                           delta::Failed,
                           delta::Done,
                           delta::Unknown>;

/// Text, reasoning, a refusal or a tool call: what commits an answer to its upstream. Lifecycle
/// events, pings and empty texts do not, so that an error after them can still fail over.
bool is_content(const Delta& delta) noexcept;

}  // namespace conciergus::llm

#pragma once
/// What the simulated model says: text made from the question by rule, always the same for the same
/// question, and honest about being no model at all.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conciergus/llm/json_document.hpp"
#include "conciergus/llm/protocol.hpp"

namespace conciergus::llm {

/// A request as far as the simulation looks at it.
struct SimulatedQuestion {
  std::string text;         ///< Of the last turn of the user.
  std::string tool_result;  ///< What a tool has answered since; empty: nothing.
  std::size_t turns = 0;    ///< Messages so far.
  std::size_t bytes = 0;    ///< Of all text, for counting tokens.
  bool wants_reasoning = false;
  bool must_call_tool = false;
  std::optional<std::uint64_t> max_tokens;
  struct Tool {
    std::string_view name;
    JsonValue parameters;  ///< JSON Schema.
  };
  std::vector<Tool> tools;
};

/// Views borrow from `request`. Never fails: what is not there is empty.
SimulatedQuestion read_question(Protocol protocol, JsonValue request);

struct SimulatedAnswer {
  struct ToolCall {
    std::string id;
    std::string name;
    std::string arguments;
  };
  std::string id;
  std::string model;
  std::int64_t created = 0;
  std::vector<std::string> reasoning;  ///< Token by token.
  std::vector<std::string> text;       ///< Token by token.
  std::optional<ToolCall> tool_call;
  bool is_cut_short = false;  ///< By max_tokens.
  bool is_filtered = false;
  std::uint64_t input_tokens = 0;
  std::uint64_t output_tokens = 0;
  std::uint64_t reasoning_tokens = 0;

  std::string whole_text() const;
  std::string whole_reasoning() const;
};

/// `seed` decides the choice of words; the time is the caller's.
SimulatedAnswer compose_answer(const SimulatedQuestion& question,
                               std::string_view model,
                               std::uint64_t seed,
                               std::int64_t created);

/// Cuts text into what stands for tokens: a word with the space behind it, or a line break.
std::vector<std::string> split_tokens(std::string_view text);

/// The same on every machine and in every run: FNV-1a.
std::uint64_t stable_hash(std::string_view text, std::uint64_t seed) noexcept;

}  // namespace conciergus::llm

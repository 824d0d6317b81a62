#pragma once
/// Folds deltas into the answer they tell, and says whether that answer is whole.
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "conciergus/llm/answer.hpp"

namespace conciergus::llm {

/// One answer; not thread-safe. Never fails: what is wrong shows in storage_obstacle().
class AnswerBuilder {
 public:
  void add(const Delta& delta);

  const Answer& answer() const noexcept { return answer_; }
  Answer take() && { return std::move(answer_); }
  /// The first failure that was told.
  const std::optional<Failure>& failure() const noexcept { return failure_; }
  bool has_content() const noexcept { return has_content_; }
  bool has_terminal_event() const noexcept { return is_done_; }
  /// The upstream told its proper end: the terminal event and a reason, and no failure.
  bool is_complete() const noexcept;

  struct Rules {
    bool allow_tool_calls = false;           ///< The route replays tool calls.
    bool finish_reason_is_terminal = false;  ///< A server known to leave its terminal event out.
  };
  /// Why this answer must not be stored, as a token for `Cache-Status`: "error", "unrepresentable",
  /// "truncated", "unfinished", "length", "content-filter", "refusal", "pause", "other", "empty",
  /// "tool-calls", "tool-arguments"; empty when it may be.
  std::string_view storage_obstacle(const Rules& rules) const;

 private:
  struct Visitor;
  /// The last block when it is a T still being written, else a new one.
  template <class T>
  T& open_block();

  Answer answer_;
  std::optional<Failure> failure_;
  std::vector<std::size_t> tool_calls_;  // places in answer_.blocks
  std::string item_id_;
  bool is_block_open_ = false;  // the last block may be written on
  bool has_content_ = false;
  bool is_done_ = false;
  bool has_unknown_ = false;
};

/// The answer that the deltas tell, whole or not.
Answer fold(std::span<const Delta> deltas);

}  // namespace conciergus::llm

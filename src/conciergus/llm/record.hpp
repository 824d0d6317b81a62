#pragma once
/// The canonical recorded answer, from which a stream or a whole answer is replayed in any of the
/// protocols: the upstream's own bytes with their event boundaries and times. A compact binary form
/// with a version and a checksum, read in place.
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "conciergus/base/clock.hpp"
#include "conciergus/base/result.hpp"
#include "conciergus/llm/flight_types.hpp"

namespace conciergus::llm {

inline constexpr std::size_t kMaxRecordBytes = std::size_t{1} << 20;

/// What is told of an answer without decoding it.
struct RecordFacts {
  Protocol protocol = Protocol::kChatCompletions;
  bool is_stream = true;  ///< The pieces are events; else there is only the whole body.
  std::string_view id;
  std::string_view model;
  std::string_view provider;
  FinishReason finish = FinishReason::kNone;
  Usage usage;
  double cost = 0;
  Clock::WallTime created{};  ///< To the millisecond.
};

/// The record of a stream's `pieces`, or of a whole body, with its pieces empty. `whole` is the
/// answer as one body of the same protocol, so that a hit need not render it; a stream's may be
/// left out. kTooLarge beyond `limit`.
Result<std::string> make_record(const RecordFacts& facts,
                                std::span<const PiecePtr> pieces,
                                std::string_view whole,
                                std::size_t limit = kMaxRecordBytes);

/// A record read in place: everything borrows from the bytes it was parsed from.
class RecordView {
 public:
  /// kProtocol for bytes that are damaged, or of another format version.
  static Result<RecordView> parse(std::string_view bytes);

  const RecordFacts& facts() const noexcept { return facts_; }
  /// Empty when it has to be rendered from the events.
  std::string_view whole() const noexcept { return whole_; }

  struct Event {
    std::string_view bytes;
    std::chrono::milliseconds at;  ///< Since the upstream call began.
  };
  /// 0 unless facts().is_stream.
  std::size_t size() const noexcept { return count_; }
  Event operator[](std::size_t index) const noexcept;
  /// All events, one behind the other.
  std::string_view stream() const noexcept { return stream_; }

 private:
  RecordFacts facts_;
  std::string_view index_;  // per event: end offset in stream_, milliseconds
  std::string_view stream_;
  std::string_view whole_;
  std::size_t count_ = 0;
};

}  // namespace conciergus::llm

#pragma once
/// What flights are made of, and how they are bounded.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "conciergus/http/headers.hpp"
#include "conciergus/llm/answer.hpp"
#include "conciergus/llm/protocol.hpp"

namespace conciergus::llm {

/// An event of the upstream's stream, or a whole body. Immutable once appended; pieces of a flight
/// are numbered from 0; their number is the sequence number of resumable streams.
struct Piece {
  std::string bytes;                ///< As they came, an event's blank line included.
  std::vector<Delta> deltas;        ///< What they say.
  std::chrono::milliseconds at{0};  ///< Since the flight began; set by append().
};
using PiecePtr = std::shared_ptr<const Piece>;

/// What is known once the flight has committed to an upstream.
struct FlightHead {
  Protocol protocol = Protocol::kChatCompletions;  ///< Of the pieces.
  bool is_stream = true;  ///< Pieces are events; else the one piece is the whole body.
  unsigned status = 200;
  http::Headers headers{};  ///< To be passed on to clients.
  std::string provider{};
  std::string model{};         ///< As the upstream calls it.
  std::uint32_t attempts = 1;  ///< Calls made, this one included.
  std::uint32_t fallback = 0;  ///< Place of the target in its chain.
};

/// What a completed flight amounts to.
struct FlightResult {
  std::shared_ptr<const Answer> answer{};
  double cost = 0;
};

/// Why a flight, or one subscriber's part in it, went wrong.
struct FlightFailure {
  Failure failure{};
  http::Headers headers{};  ///< Such as Retry-After.
  std::string body{};       ///< The provider's own, to be passed on; empty: render `failure`.
};

enum class FlightState : std::uint8_t { kOpening, kStreaming, kDone, kFailed };

struct FlightConfig {
  /// What becomes of the call when nobody listens any more.
  enum class WhenLeft : std::uint8_t {
    kCancel,  ///< The leader is told to stop, at once.
    kDrain,   ///< It goes on to the end, for the cache and the bill, within the bounds below.
  };
  WhenLeft when_left = WhenLeft::kCancel;
  std::size_t drain_bytes = std::size_t{4} << 20;   ///< Of events after the last one has left.
  std::chrono::seconds drain_time{60};              ///< Likewise.
  std::size_t prefix_bytes = std::size_t{1} << 20;  ///< Kept for late joiners and the record.
  std::size_t lag_bytes = 256 * 1024;  ///< How far a subscriber may fall behind a trimmed log.
  bool keeps_prefix = true;  ///< Off: pieces go once read; nobody can join and nothing is recorded.
};

/// Marks the subscriptions that carry one client's stream, one after the other when it resumes.
struct StreamTicket {
  std::atomic<bool> is_delivered{false};  ///< The end of the answer has been handed out.
};

/// What next() gives: pieces, the end, both, or neither when the deadline passed.
struct Batch {
  enum class End : std::uint8_t {
    kNone,     ///< More may come.
    kDone,     ///< The answer is whole; see Flight::result().
    kFailed,   ///< See Flight::failure().
    kStopped,  ///< The client's own explicit stop.
    kOverrun,  ///< This reader was too slow for a log that had to be trimmed.
  };
  std::uint64_t first = 0;  ///< Number of the first piece.
  std::vector<PiecePtr> pieces;
  End end = End::kNone;
};

}  // namespace conciergus::llm

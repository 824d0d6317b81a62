#pragma once
/// One upstream call and everybody who waits for its answer: an append-only log of pieces that one
/// leader writes and any number of subscribers read, each at its own pace and on its own shard.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "conciergus/base/deadline.hpp"
#include "conciergus/http/headers.hpp"
#include "conciergus/llm/answer.hpp"
#include "conciergus/llm/protocol.hpp"
#include "conciergus/runtime/notifier.hpp"
#include "conciergus/runtime/shard.hpp"

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
  http::Headers headers;  ///< To be passed on to clients.
  std::string provider;
  std::string model;           ///< As the upstream calls it.
  std::uint32_t attempts = 1;  ///< Calls made, this one included.
  std::uint32_t fallback = 0;  ///< Place of the target in its chain.
};

/// What a completed flight amounts to.
struct FlightResult {
  std::shared_ptr<const Answer> answer;
  double cost = 0;
};

/// Why a flight, or one subscriber's part in it, went wrong.
struct FlightFailure {
  Failure failure;
  http::Headers headers;  ///< Such as Retry-After.
  std::string body;       ///< The provider's own, to be passed on; empty: render `failure`.
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

class Flight;
class FlightLeader;

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

/// A reader of a flight, and its interest in it: destroying it is leaving. Belongs to its shard and
/// is destroyed there.
class Subscription {
 public:
  ~Subscription();
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;

  /// Waits until the flight has a head or has failed; false if `deadline` passed before. Cancelled:
  /// throws, and may be called again.
  Task<bool> opened(Deadline deadline);
  /// The next pieces as soon as there are any, up to some 64 KiB; after an end only that end again.
  /// Cancelled: throws; nothing is lost.
  Task<Batch> next(Deadline deadline);

  const std::shared_ptr<Flight>& flight() const noexcept { return flight_; }

 private:
  friend class Flight;
  Subscription(std::shared_ptr<Flight> flight, runtime::Shard& shard, std::uint64_t from);

  const std::shared_ptr<Flight> flight_;
  runtime::Shard& shard_;
  runtime::Notifier changed_;
  // guarded by the flight's mutex:
  std::shared_ptr<StreamTicket> ticket_;
  std::uint64_t cursor_;
  bool is_waiting_ = false;
  Batch::End cut_ = Batch::End::kNone;  // kStopped or kOverrun: out of the flight
};

/// Thread-safe; no callback runs and nothing is posted under its lock.
class Flight : public std::enable_shared_from_this<Flight> {
 public:
  Flight(runtime::Shard& leader, const FlightConfig& config);
  ~Flight();

  FlightState state() const;
  /// Valid, and the same for ever, once opened.
  const FlightHead& head() const noexcept { return head_; }
  /// Valid once done.
  const FlightResult& result() const noexcept { return result_; }
  /// Valid once failed.
  const FlightFailure& failure() const noexcept { return failure_; }

  /// A reader that begins with piece `from`. Null when that piece is no longer kept, and when the
  /// flight has been abandoned or has failed.
  std::unique_ptr<Subscription> subscribe(runtime::Shard& shard, std::uint64_t from = 0);
  /// All pieces so far; nothing when the first ones are gone.
  std::optional<std::vector<PiecePtr>> pieces() const;

  /// Makes `subscription` carry the client's stream of that ticket.
  void attach(Subscription& subscription, std::shared_ptr<StreamTicket> ticket);
  /// Ends the subscriptions with that ticket; the call too if they were the last, whatever the
  /// policy.
  void stop(const StreamTicket& ticket);

  /// Keeps the call going with nobody there, as a resumable stream does; pairs with release().
  void hold();
  void release();

  struct Standing {
    bool is_ended = false;
    std::size_t subscribers = 0;
    std::size_t bytes = 0;         ///< Of the pieces kept.
    Clock::Instant quiet_since{};  ///< End of the flight, or when the last subscriber left.
  };
  Standing standing() const;

 private:
  friend class FlightLeader;
  friend class Subscription;

  /// Subscribers of one shard, woken by one post. Never removed, so that an index stays good.
  struct Group {
    runtime::Shard* shard;
    std::vector<Subscription*> members;
    bool is_posted = false;
  };
  /// What is touched on the leader's shard only.
  struct LeaderSide {
    explicit LeaderSide(runtime::Shard& on) : shard(on), room(on.executor()) {}
    runtime::Shard& shard;
    runtime::Notifier room;
    std::function<void()> on_abandoned;
  };
  using Wakeups = std::vector<std::pair<runtime::Shard*, std::size_t>>;

  void open(FlightHead head);
  bool append(Piece piece);
  void finish(FlightResult result);
  void fail(FlightFailure failure);
  bool is_crowded();

  bool take(Subscription& reader, Batch& into);
  bool is_open_for(Subscription& reader);
  void leave(Subscription& reader);
  void wake(std::size_t group);
  void post(const Wakeups& wakeups);

  bool is_ended() const noexcept { return state_ >= FlightState::kDone; }
  std::uint64_t end_number() const noexcept { return first_ + log_.size(); }
  Wakeups collect_wakeups();
  void make_room();
  void trim();
  void drop_slowest();
  void remove(Subscription& reader);
  bool lost_interest(bool at_once);
  void tell_leader(void (*what)(LeaderSide&));

  const FlightConfig config_;
  const Clock& clock_;
  const Clock::Instant began_;
  FlightHead head_;        // written once, before the state tells so
  FlightResult result_;    // likewise
  FlightFailure failure_;  // likewise
  std::shared_ptr<LeaderSide> leader_;

  mutable std::mutex mutex_;
  FlightState state_ = FlightState::kOpening;
  std::deque<PiecePtr> log_;
  std::uint64_t first_ = 0;  // number of log_.front()
  std::size_t bytes_ = 0;    // of log_
  std::vector<Group> groups_;
  std::size_t readers_ = 0;
  std::size_t holds_ = 0;
  bool is_abandoned_ = false;
  bool leader_waits_ = false;
  std::size_t drained_bytes_ = 0;  // since quiet_since_
  Clock::Instant quiet_since_;
};

}  // namespace conciergus::llm

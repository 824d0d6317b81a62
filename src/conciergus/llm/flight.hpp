#pragma once
/// One upstream call and everybody who waits for its answer: an append-only log of pieces that one
/// leader writes and any number of subscribers read, each at its own pace and on its own shard.
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "conciergus/base/deadline.hpp"
#include "conciergus/llm/flight_types.hpp"
#include "conciergus/runtime/notifier.hpp"
#include "conciergus/runtime/shard.hpp"

namespace conciergus::llm {

class Flight;
class FlightLeader;

/// A reader of a flight, and its interest in it: destroying it is leaving. Belongs to its shard and
/// is destroyed there.
class Subscription {
 public:
  ~Subscription();
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;

  /// Waits until the flight has a head, has failed without one, or this reader was stopped; false
  /// if `deadline` passed before. Cancelled: throws, and may be called again.
  Task<bool> opened(Deadline deadline);
  /// The next pieces as soon as there are any, up to some 64 KiB; after an end only that end again.
  /// Cancelled: throws; nothing is lost.
  Task<Batch> next(Deadline deadline);

  /// From now on opened() and next() wait no more, as if their deadline had passed. On its shard.
  void interrupt() {
    is_interrupted_ = true;
    changed_.notify_all();
  }
  bool is_interrupted() const noexcept { return is_interrupted_; }

  const std::shared_ptr<Flight>& flight() const noexcept { return flight_; }

 private:
  friend class Flight;
  Subscription(std::shared_ptr<Flight> flight, runtime::Shard& shard, std::uint64_t from);

  const std::shared_ptr<Flight> flight_;
  runtime::Shard& shard_;
  runtime::Notifier changed_;
  bool is_interrupted_ = false;
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
  /// It has committed to an upstream: what goes wrong now goes wrong inside the answer.
  bool is_committed() const;
  /// Valid, and the same for ever, once committed.
  const FlightHead& head() const noexcept { return head_; }
  /// Valid once done.
  const FlightResult& result() const noexcept { return result_; }
  /// Valid once failed.
  const FlightFailure& failure() const noexcept { return failure_; }

  /// A reader that begins with piece `from`. Null when the flight was abandoned, does not keep that
  /// piece, or has outgrown its prefix and `from` is 0.
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
    std::uint64_t pieces = 0;
    std::size_t bytes = 0;         ///< Of the pieces kept.
    Clock::Instant quiet_since{};  ///< End of the flight, or when the last subscriber left.
  };
  Standing standing() const;

 private:
  friend class FlightLeader;
  friend class Subscription;

  struct Entry {
    PiecePtr piece;
    std::uint64_t end;  // bytes of all pieces up to and with this one
  };
  /// Subscribers of one shard, woken by one post. Never removed, so that an index stays good.
  struct Group {
    explicit Group(runtime::Shard* on) : shard(on) {}
    runtime::Shard* shard;
    std::vector<Subscription*> members;
    std::size_t waiting = 0;
    bool is_posted = false;
  };
  /// What happens on the leader's shard only; owned by the FlightLeader.
  struct LeaderSide {
    explicit LeaderSide(runtime::Shard& shard) : room(shard.executor()) {}
    runtime::Notifier room;
    std::function<void()> on_abandoned;
  };
  /// What to do once the lock is released.
  struct Todo {
    std::vector<std::pair<runtime::Shard*, std::size_t>> wake;
    bool abandon = false;
    bool room = false;
  };

  void open(FlightHead head);
  bool append(Piece piece);
  void finish(FlightResult result);
  void fail(FlightFailure failure);
  /// A single reader is too far behind; if so, the leader is told when that is over.
  bool is_crowded();

  bool take(Subscription& reader, Batch& into);
  bool is_opened(Subscription& reader);
  void leave(Subscription& reader);
  void wake(std::size_t group);

  // under the lock:
  bool is_ended() const noexcept { return state_ >= FlightState::kDone; }
  std::uint64_t end_number() const noexcept { return first_ + log_.size(); }
  std::uint64_t end_offset() const noexcept { return log_.empty() ? base_ : log_.back().end; }
  std::size_t unread(const Subscription& reader) const;
  Subscription* slowest() const;
  void trim();
  void wait_in_group(Subscription& reader);
  void cut(Subscription& reader, Batch::End why);
  void check_interest(bool at_once, Todo& todo);
  void collect_wakeups(Todo& todo);
  void check_room(Todo& todo);
  // without it:
  void carry_out(const Todo& todo);

  const FlightConfig config_;
  runtime::Shard& leader_shard_;
  const Clock::Instant began_;
  FlightHead head_;  // these three are written once, before the state tells so
  FlightResult result_;
  FlightFailure failure_;
  std::weak_ptr<LeaderSide> leader_;

  mutable std::mutex mutex_;
  FlightState state_ = FlightState::kOpening;
  bool is_committed_ = false;
  std::deque<Entry> log_;
  std::uint64_t first_ = 0;  // number of log_.front()
  std::uint64_t base_ = 0;   // bytes of the pieces before it
  std::vector<Group> groups_;
  std::size_t readers_ = 0;  // that have not been cut
  std::size_t holds_ = 0;
  bool is_closed_ = false;  // has outgrown its prefix
  bool is_abandoned_ = false;
  bool leader_waits_ = false;
  std::uint64_t drained_from_ = 0;  // offset at which the last reader left
  Clock::Instant quiet_since_;
};

}  // namespace conciergus::llm

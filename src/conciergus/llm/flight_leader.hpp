#pragma once
/// The writing end of a flight.
#include <functional>
#include <memory>

#include "conciergus/llm/flight.hpp"

namespace conciergus::llm {

/// Held by the coroutine that makes the upstream call, and used on its shard only. Destroyed before
/// finish() or fail(), as when that coroutine is cancelled, it fails the flight with a 499. The
/// flight can be joined until the handle goes, so that an answer can be stored in between: no
/// request falls into the gap between flight and cache.
class FlightLeader {
 public:
  /// `on_gone` is called once, when the flight can no longer be joined.
  FlightLeader(std::shared_ptr<Flight> flight, std::function<void()> on_gone);
  ~FlightLeader();
  FlightLeader(FlightLeader&& other) noexcept = default;
  FlightLeader& operator=(FlightLeader&&) = delete;

  /// The commit: from here on nothing can be taken back. Once, before any piece.
  void open(FlightHead head);
  /// False when nobody wants more: stop the call. Earlier pieces stay.
  bool append(Piece piece);
  /// The upstream's proper end.
  void finish(FlightResult result);
  /// The same failure for all subscribers, behind the pieces they have; also without open(). The
  /// next request for the same key begins anew.
  void fail(FlightFailure failure);

  /// Returns at once unless there is a single reader that is too far behind; then waits for it, so
  /// that back-pressure reaches the upstream. False if `deadline` passed before.
  Task<bool> room(Deadline deadline);

  const std::shared_ptr<Flight>& flight() const noexcept { return flight_; }

  /// `callback` runs once on the leader's shard, from its loop, when the last listener has left and
  /// the call shall be given up: cancel the coroutine that holds the leader. Pieces are refused
  /// from then on. To be set on the leader's shard, while the caller subscribes.
  static void on_abandoned(Flight& flight, std::function<void()> callback);

 private:
  void let_go();

  std::shared_ptr<Flight> flight_;
  std::shared_ptr<Flight::LeaderSide> side_;
  std::function<void()> on_gone_;
};

}  // namespace conciergus::llm

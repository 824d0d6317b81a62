#include "conciergus/llm/flight.hpp"

#include <algorithm>
#include <utility>

namespace conciergus::llm {
namespace {

constexpr std::size_t kBatchBytes = 64 * 1024;

}  // namespace

Flight::Flight(runtime::Shard& leader, const FlightConfig& config)
    : config_(config), leader_shard_(leader), began_(leader.now()), quiet_since_(began_) {}

Flight::~Flight() = default;

FlightState Flight::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

bool Flight::is_committed() const {
  const std::lock_guard lock(mutex_);
  return is_committed_;
}

Flight::Standing Flight::standing() const {
  const std::lock_guard lock(mutex_);
  return {.is_ended = is_ended(),
          .subscribers = readers_,
          .pieces = end_number(),
          .bytes = static_cast<std::size_t>(end_offset() - base_),
          .quiet_since = quiet_since_};
}

std::optional<std::vector<PiecePtr>> Flight::pieces() const {
  const std::lock_guard lock(mutex_);
  if (first_ > 0) return std::nullopt;
  std::vector<PiecePtr> all;
  all.reserve(log_.size());
  for (const Entry& entry : log_) all.push_back(entry.piece);
  return all;
}

// --- the leader's side -------------------------------------------------------------------------

void Flight::open(FlightHead head) {
  Todo todo;
  {
    const std::lock_guard lock(mutex_);
    if (state_ != FlightState::kOpening) return;
    head_ = std::move(head);
    state_ = FlightState::kStreaming;
    is_committed_ = true;
    collect_wakeups(todo);
  }
  carry_out(todo);
}

bool Flight::append(Piece piece) {
  const auto now = leader_shard_.now();
  piece.at = std::chrono::duration_cast<std::chrono::milliseconds>(now - began_);
  const std::size_t size = piece.bytes.size();
  auto shared = std::make_shared<const Piece>(std::move(piece));
  Todo todo;
  {
    const std::lock_guard lock(mutex_);
    if (state_ != FlightState::kStreaming || is_abandoned_) return false;
    if (readers_ == 0 && holds_ == 0) {
      const bool is_over = end_offset() - drained_from_ + size > config_.drain_bytes ||
                           now - quiet_since_ > config_.drain_time;
      if (is_over) return is_abandoned_ = true, false;
    }
    trim();
    log_.push_back({std::move(shared), end_offset() + size});
    if (end_offset() > config_.prefix_bytes) is_closed_ = true;
    collect_wakeups(todo);
  }
  carry_out(todo);
  return true;
}

void Flight::finish(FlightResult result) {
  Todo todo;
  {
    const std::lock_guard lock(mutex_);
    if (is_ended()) return;
    result_ = std::move(result);
    state_ = FlightState::kDone;
    quiet_since_ = leader_shard_.now();
    collect_wakeups(todo);
  }
  carry_out(todo);
}

void Flight::fail(FlightFailure failure) {
  Todo todo;
  {
    const std::lock_guard lock(mutex_);
    if (is_ended()) return;
    failure_ = std::move(failure);
    state_ = FlightState::kFailed;
    quiet_since_ = leader_shard_.now();
    collect_wakeups(todo);
  }
  carry_out(todo);
}

bool Flight::is_crowded() {
  const std::lock_guard lock(mutex_);
  if (readers_ != 1) return false;
  const Subscription* reader = slowest();
  return leader_waits_ = reader != nullptr && unread(*reader) > config_.lag_bytes / 2;
}

// --- the readers' side -------------------------------------------------------------------------

std::unique_ptr<Subscription> Flight::subscribe(runtime::Shard& shard, std::uint64_t from) {
  Todo todo;
  std::unique_ptr<Subscription> reader;
  {
    const std::lock_guard lock(mutex_);
    const bool is_kept = from >= first_ && from <= end_number() && !(from == 0 && is_closed_);
    if (!is_kept || is_abandoned_) return nullptr;
    reader.reset(new Subscription(shared_from_this(), shard, from));
    auto group = std::ranges::find(groups_, &shard, &Group::shard);
    if (group == groups_.end()) group = groups_.emplace(group, &shard);
    group->members.push_back(reader.get());
    ++readers_;
    check_room(todo);
  }
  carry_out(todo);
  return reader;
}

bool Flight::take(Subscription& reader, Batch& into) {
  Todo todo;
  bool has_something = false;
  {
    const std::lock_guard lock(mutex_);
    if (reader.cut_ != Batch::End::kNone) return into.end = reader.cut_, true;
    into.first = reader.cursor_;
    const std::uint64_t end = end_number();
    for (std::size_t bytes = 0; reader.cursor_ < end && bytes < kBatchBytes; ++reader.cursor_) {
      into.pieces.push_back(log_[reader.cursor_ - first_].piece);
      bytes += into.pieces.back()->bytes.size();
    }
    if (reader.cursor_ == end && is_ended()) {
      const bool is_done = state_ == FlightState::kDone;
      into.end = is_done ? Batch::End::kDone : Batch::End::kFailed;
      if (reader.ticket_) reader.ticket_->is_delivered = true;
    }
    has_something = !into.pieces.empty() || into.end != Batch::End::kNone;
    if (!has_something) wait_in_group(reader);
    if (!config_.keeps_prefix) trim();
    check_room(todo);
  }
  carry_out(todo);
  return has_something;
}

bool Flight::is_opened(Subscription& reader) {
  const std::lock_guard lock(mutex_);
  const bool is_known = state_ != FlightState::kOpening || reader.cut_ != Batch::End::kNone;
  if (!is_known) wait_in_group(reader);
  return is_known;
}

void Flight::leave(Subscription& reader) {
  Todo todo;
  {
    const std::lock_guard lock(mutex_);
    auto& group = *std::ranges::find(groups_, &reader.shard_, &Group::shard);
    std::erase(group.members, &reader);
    if (reader.is_waiting_) --group.waiting;
    if (reader.cut_ == Batch::End::kNone) {
      --readers_;
      check_interest(false, todo);
    }
    check_room(todo);
  }
  carry_out(todo);
}

void Flight::attach(Subscription& subscription, std::shared_ptr<StreamTicket> ticket) {
  const std::lock_guard lock(mutex_);
  subscription.ticket_ = std::move(ticket);
}

void Flight::stop(const StreamTicket& ticket) {
  Todo todo;
  {
    const std::lock_guard lock(mutex_);
    for (Group& group : groups_) {
      for (Subscription* reader : group.members) {
        if (reader->ticket_.get() == &ticket) cut(*reader, Batch::End::kStopped);
      }
    }
    check_interest(true, todo);
    collect_wakeups(todo);
    check_room(todo);
  }
  carry_out(todo);
}

void Flight::hold() {
  const std::lock_guard lock(mutex_);
  ++holds_;
}

void Flight::release() {
  Todo todo;
  {
    const std::lock_guard lock(mutex_);
    --holds_;
    check_interest(false, todo);
  }
  carry_out(todo);
}

/// On the group's shard: its readers can only come and go on this thread.
void Flight::wake(std::size_t index) {
  std::vector<runtime::Notifier*> woken;
  {
    const std::lock_guard lock(mutex_);
    Group& group = groups_[index];
    group.is_posted = false;
    group.waiting = 0;
    for (Subscription* reader : group.members) {
      if (std::exchange(reader->is_waiting_, false)) woken.push_back(&reader->changed_);
    }
  }
  for (runtime::Notifier* notifier : woken) notifier->notify_all();
}

// --- under the lock ----------------------------------------------------------------------------

std::size_t Flight::unread(const Subscription& reader) const {
  const std::uint64_t begin =
      reader.cursor_ == first_ ? base_ : log_[reader.cursor_ - first_ - 1].end;
  return static_cast<std::size_t>(end_offset() - begin);
}

Subscription* Flight::slowest() const {
  Subscription* found = nullptr;
  for (const Group& group : groups_) {
    for (Subscription* reader : group.members) {
      if (reader->cut_ != Batch::End::kNone) continue;
      if (found == nullptr || reader->cursor_ < found->cursor_) found = reader;
    }
  }
  return found;
}

/// Drops the oldest pieces that are beyond the prefix and that everybody has read. Of several
/// readers, those that would hold the log more than the lag beyond it are cut; a single one is
/// waited for (is_crowded).
void Flight::trim() {
  const std::size_t keep = config_.keeps_prefix ? config_.prefix_bytes : 0;
  while (end_offset() - base_ > keep && !log_.empty()) {
    Subscription* const last = slowest();
    if (last != nullptr && last->cursor_ == first_) {
      if (readers_ == 1 || end_offset() - base_ <= keep + config_.lag_bytes) return;
      cut(*last, Batch::End::kOverrun);
      continue;
    }
    const std::uint64_t until = last != nullptr ? last->cursor_ : end_number();
    while (first_ < until && end_offset() - base_ > keep) {
      base_ = log_.front().end;
      log_.pop_front();
      ++first_;
    }
  }
}

void Flight::wait_in_group(Subscription& reader) {
  if (std::exchange(reader.is_waiting_, true)) return;
  ++std::ranges::find(groups_, &reader.shard_, &Group::shard)->waiting;
}

void Flight::cut(Subscription& reader, Batch::End why) {
  if (reader.cut_ != Batch::End::kNone) return;
  reader.cut_ = why;
  --readers_;
}

void Flight::check_interest(bool at_once, Todo& todo) {
  if (readers_ > 0 || is_ended() || is_abandoned_) return;
  quiet_since_ = leader_shard_.now();
  drained_from_ = end_offset();
  const bool is_left = at_once || config_.when_left == FlightConfig::WhenLeft::kCancel;
  if (holds_ == 0 && is_left) is_abandoned_ = todo.abandon = true;
}

void Flight::collect_wakeups(Todo& todo) {
  for (std::size_t index = 0; index < groups_.size(); ++index) {
    Group& group = groups_[index];
    if (group.waiting == 0 || std::exchange(group.is_posted, true)) continue;
    todo.wake.emplace_back(group.shard, index);
  }
}

void Flight::check_room(Todo& todo) {
  if (!leader_waits_) return;
  const Subscription* reader = readers_ == 1 ? slowest() : nullptr;
  if (reader != nullptr && unread(*reader) > config_.lag_bytes / 2) return;
  leader_waits_ = false;
  todo.room = true;
}

// --- without the lock --------------------------------------------------------------------------

void Flight::carry_out(const Todo& todo) {
  for (const auto& [shard, index] : todo.wake) {
    shard->post([flight = shared_from_this(), index] { flight->wake(index); });
  }
  if (!todo.abandon && !todo.room) return;
  leader_shard_.post([side = leader_, abandon = todo.abandon, room = todo.room] {
    const auto leader = side.lock();
    if (!leader) return;
    if (room) leader->room.notify_all();
    if (abandon && leader->on_abandoned) std::exchange(leader->on_abandoned, nullptr)();
  });
}

}  // namespace conciergus::llm

#include "conciergus/llm/flight.hpp"

namespace conciergus::llm {

Subscription::Subscription(std::shared_ptr<Flight> flight,
                           runtime::Shard& shard,
                           std::uint64_t from)
    : flight_(std::move(flight)), shard_(shard), changed_(shard.executor()), cursor_(from) {}

Subscription::~Subscription() {
  flight_->leave(*this);
}

// In both loops nothing is lost between the look and the wait: the wake-up is a post to this shard,
// and runs when this coroutine has suspended.

Task<bool> Subscription::opened(Deadline deadline) {
  while (!flight_->is_opened(*this)) {
    if (is_interrupted_ || deadline.has_passed(shard_.now())) co_return false;
    co_await changed_.wait(deadline);
  }
  co_return true;
}

Task<Batch> Subscription::next(Deadline deadline) {
  Batch batch;
  while (!flight_->take(*this, batch)) {
    if (is_interrupted_ || deadline.has_passed(shard_.now())) break;
    co_await changed_.wait(deadline);
  }
  co_return batch;
}

}  // namespace conciergus::llm

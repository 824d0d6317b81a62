#include "conciergus/llm/flight_leader.hpp"

#include <utility>

namespace conciergus::llm {

FlightLeader::FlightLeader(std::shared_ptr<Flight> flight, std::function<void()> on_gone)
    : flight_(std::move(flight)),
      side_(std::make_shared<Flight::LeaderSide>(flight_->leader_shard_)),
      on_gone_(std::move(on_gone)) {
  flight_->leader_ = side_;
}

FlightLeader::~FlightLeader() {
  if (!flight_) return;  // moved from
  let_go();
  FlightFailure given_up;
  given_up.failure.status = 499;
  given_up.failure.message = "The answer was given up.";
  flight_->fail(std::move(given_up));
}

void FlightLeader::open(FlightHead head) {
  flight_->open(std::move(head));
}

bool FlightLeader::append(Piece piece) {
  return flight_->append(std::move(piece));
}

void FlightLeader::finish(FlightResult result) {
  flight_->finish(std::move(result));
}

void FlightLeader::fail(FlightFailure failure) {
  let_go();  // first: whoever hears of the failure and asks again must not find this flight
  flight_->fail(std::move(failure));
}

Task<bool> FlightLeader::room(Deadline deadline) {
  while (flight_->is_crowded()) {
    if (deadline.has_passed(flight_->leader_shard_.now())) co_return false;
    co_await side_->room.wait(deadline);
  }
  co_return true;
}

void FlightLeader::on_abandoned(Flight& flight, std::function<void()> callback) {
  if (const auto side = flight.leader_.lock()) side->on_abandoned = std::move(callback);
}

void FlightLeader::let_go() {
  if (auto on_gone = std::exchange(on_gone_, nullptr)) on_gone();
}

}  // namespace conciergus::llm

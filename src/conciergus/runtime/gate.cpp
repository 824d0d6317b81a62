#include "conciergus/runtime/gate.hpp"

#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

namespace conciergus::runtime {

bool is_cancellation(const std::exception_ptr& escaped) noexcept {
  try {
    std::rethrow_exception(escaped);
  } catch (const boost::system::system_error& error) {
    return error.code() == asio::error::operation_aborted;
  } catch (...) {
    return false;
  }
}

Gate::Gate(const asio::any_io_executor& shard, OnEscape on_escape)
    : shard_(shard), on_escape_(std::move(on_escape)), last_left_(shard) {}

std::optional<Gate::Member> Gate::spawn(std::string_view name, Task<void> task) {
  if (stopping_) return std::nullopt;
  const auto place =
      members_.emplace(members_.end(), std::make_shared<asio::cancellation_signal>());
  Member member;
  member.signal_ = *place;
  auto on_end = [this, place, name](const std::exception_ptr& escaped) {
    members_.erase(place);
    if (escaped && !is_cancellation(escaped)) on_escape_(name, escaped);
    if (members_.empty()) last_left_.notify_all();
  };
  asio::co_spawn(
      shard_, std::move(task), asio::bind_cancellation_slot((*place)->slot(), std::move(on_end)));
  return member;
}

void Gate::cancel(const Member& member) {
  if (const auto signal = member.signal_.lock()) signal->emit(asio::cancellation_type::terminal);
}

Task<void> Gate::stop() {
  stopping_ = true;
  // a copy: a member that ends within emit() leaves the list
  const std::vector<std::shared_ptr<asio::cancellation_signal>> members(members_.begin(),
                                                                        members_.end());
  for (const auto& signal : members) signal->emit(asio::cancellation_type::terminal);
  // whoever cancels the caller meanwhile must not leave members behind without their gate
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  while (!members_.empty()) co_await last_left_.wait();
  co_await asio::this_coro::throw_if_cancelled(throws);
}

Task<bool> Gate::drain(Deadline deadline) {
  stopping_ = true;
  while (!members_.empty() && !deadline.has_passed(Clock::Instant::clock::now())) {
    co_await last_left_.wait(deadline);
  }
  co_return members_.empty();
}

}  // namespace conciergus::runtime

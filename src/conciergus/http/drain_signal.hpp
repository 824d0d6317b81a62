#pragma once
/// How a server that shuts down tells what is still running on its shard.
#include <functional>
#include <utility>

#include <boost/intrusive/list.hpp>

namespace conciergus::http {

/// Belongs to one shard. Draining comes first: no further requests are taken, what runs may finish.
/// Ending comes when the time for that is over: streams that never end by themselves say good-bye
/// within a second (ServerConfig::farewell), before their coroutines are cancelled.
class DrainSignal {
 public:
  /// Held by whoever wants to hear of the end, such as the reader of a stream that sends a last
  /// event. `on_ending` is called once, on the shard, and may destroy its subscription.
  class Subscription : public boost::intrusive::list_base_hook<
                           boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
   public:
    Subscription(DrainSignal& signal, std::function<void()> on_ending)
        : on_ending_(std::move(on_ending)) {
      signal.subscriptions_.push_back(*this);
    }
    Subscription(const Subscription&) = delete;
    Subscription& operator=(const Subscription&) = delete;

   private:
    friend class DrainSignal;
    std::function<void()> on_ending_;
  };

  bool is_draining() const noexcept { return draining_; }
  /// Once true, new subscriptions are not called any more.
  bool is_ending() const noexcept { return ending_; }

  /// For the server.
  void begin() noexcept { draining_ = true; }
  void end() {
    draining_ = ending_ = true;
    while (!subscriptions_.empty()) {
      auto& next = subscriptions_.front();
      subscriptions_.pop_front();
      const auto on_ending = std::move(next.on_ending_);
      on_ending();
    }
  }

 private:
  boost::intrusive::list<Subscription, boost::intrusive::constant_time_size<false>> subscriptions_;
  bool draining_ = false;
  bool ending_ = false;
};

}  // namespace conciergus::http

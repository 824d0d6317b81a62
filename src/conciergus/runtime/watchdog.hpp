#pragma once
/// Byte-level deadlines of many connections with one timer a shard: storing an instant costs
/// nothing, and a sweep some twelve times a second looks for those that have passed.
#include <chrono>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>

#include "conciergus/base/clock.hpp"
#include "conciergus/runtime/task.hpp"

namespace conciergus::runtime {

/// Belongs to one shard; outlives its watches.
class Watchdog {
 public:
  static constexpr std::chrono::milliseconds kSweepEvery{80};

  explicit Watchdog(const asio::any_io_executor& shard) : timer_(shard) {}

  /// One connection's entry. Not movable; removed from the watchdog when destroyed.
  class Watch : public boost::intrusive::list_base_hook<
                    boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
   public:
    explicit Watch(Watchdog& watchdog) { watchdog.watches_.push_back(*this); }
    virtual ~Watch() = default;  // the hook unlinks itself
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    /// on_expired() is called once, up to kSweepEvery late, unless the instant is moved before.
    void expires_at(Clock::Instant at) noexcept { at_ = at; }
    void never_expires() noexcept { at_ = Clock::Instant::max(); }

   protected:
    /// Closes whatever is being watched. May destroy this watch, and no other.
    virtual void on_expired() = 0;

   private:
    friend class Watchdog;
    Clock::Instant at_ = Clock::Instant::max();
  };

  /// Sweeps until cancelled; spawned into the shard's gate.
  Task<void> run();
  /// Calls on_expired() of every watch whose instant lies at or before `now`.
  void sweep(Clock::Instant now);

 private:
  boost::intrusive::list<Watch, boost::intrusive::constant_time_size<false>> watches_;
  asio::steady_timer timer_;
};

}  // namespace conciergus::runtime

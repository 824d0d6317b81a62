#pragma once
/// Owns the coroutines that nobody awaits, so that stop() can end them and wait for the last.
/// After Seastar's gate; the only home of co_spawn.
#include <cstdint>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include "conciergus/runtime/notifier.hpp"
#include "conciergus/runtime/task.hpp"

namespace conciergus::runtime {

/// Belongs to one shard and is used on its thread only. Await stop() before destroying it.
class Gate {
 public:
  /// Hears of every exception that leaves a member, cancellation apart: log and count.
  using OnEscape = std::function<void(std::string_view name, const std::exception_ptr& what)>;

  Gate(const asio::any_io_executor& shard, OnEscape on_escape);
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  /// A member, for cancel(). Stays harmless after the member has ended.
  class Member {
   public:
    Member() = default;

   private:
    friend class Gate;
    std::weak_ptr<asio::cancellation_signal> signal_;
  };

  /// Starts `task`, which must own what it uses: by-value parameters. `name` is a literal. Returns
  /// no value once stopping; `task` is then dropped without having run.
  std::optional<Member> spawn(std::string_view name, Task<void> task);

  /// Cancels one member (terminal). It is not to be called from within that member.
  static void cancel(const Member& member);

  std::size_t size() const noexcept { return members_.size(); }
  bool is_stopping() const noexcept { return stopping_; }

  /// Cancels every member and returns when none is left. Not to be awaited by a member. A caller
  /// that is cancelled meanwhile hears of it at its next await after this.
  Task<void> stop();
  /// Refuses new members and returns when none is left or `deadline` has passed; true in the former
  /// case.
  Task<bool> drain(Deadline deadline);

 private:
  asio::any_io_executor shard_;
  OnEscape on_escape_;
  Notifier last_left_;
  std::list<std::shared_ptr<asio::cancellation_signal>> members_;
  bool stopping_ = false;
};

/// True for the exception with which Asio ends a cancelled coroutine.
bool is_cancellation(const std::exception_ptr& escaped) noexcept;

}  // namespace conciergus::runtime

#pragma once
/// Where blocking work goes: DNS by libc, files, images, anything in C that waits.
#include <atomic>
#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "conciergus/base/result.hpp"
#include "conciergus/runtime/task.hpp"

namespace conciergus::runtime {

/// Shared by all shards. An accepted job cannot be abandoned, so the pool bounds how many it holds,
/// queued and running together, and refuses the rest.
class OffloadPool {
 public:
  OffloadPool(std::size_t threads, std::size_t max_jobs) : max_jobs_(max_jobs), pool_(threads) {}

  /// Runs `job` on a pool thread and resumes on the caller's shard with what it returned. The job
  /// owns its input and touches nothing of the shard. kOverloaded at once when the pool is full.
  /// Does not react to cancellation: the caller is held up until the job has ended.
  template <std::invocable Job>
  Task<Result<std::invoke_result_t<Job>>> run(Job job) {
    using Outcome = Result<std::invoke_result_t<Job>>;
    if (jobs_.fetch_add(1, std::memory_order_relaxed) >= max_jobs_) {
      jobs_.fetch_sub(1, std::memory_order_relaxed);
      co_return fail(ErrorCode::kOverloaded, "offload queue is full");
    }
    auto start = [this](auto resume, Job work) {
      auto home = asio::make_work_guard(asio::get_associated_executor(resume));
      auto on_pool = [this, home, resume = std::move(resume), work = std::move(work)]() mutable {
        auto at_home = [resume = std::move(resume), outcome = call(work)]() mutable {
          std::move(resume)(std::move(outcome));
        };
        jobs_.fetch_sub(1, std::memory_order_relaxed);
        asio::post(home.get_executor(), std::move(at_home));
      };
      asio::post(pool_, std::move(on_pool));
    };
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Outcome)>(
        std::move(start), asio::use_awaitable, std::move(job));
  }

  std::size_t jobs() const noexcept { return jobs_.load(std::memory_order_relaxed); }
  /// Waits for accepted jobs. Call it when no shard asks any more and none is destroyed yet.
  void join() { pool_.join(); }

 private:
  template <class Job>
  static Result<std::invoke_result_t<Job&>> call(Job& job) try {
    if constexpr (std::is_void_v<std::invoke_result_t<Job&>>) {
      job();
      return {};
    } else {
      return job();
    }
  } catch (const std::exception& error) {
    return fail(ErrorCode::kInternal, error.what());
  }

  const std::size_t max_jobs_;
  std::atomic<std::size_t> jobs_{0};
  asio::thread_pool pool_;
};

}  // namespace conciergus::runtime

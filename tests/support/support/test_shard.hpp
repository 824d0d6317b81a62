#pragma once
/// A shard with everything around it, run on the test's own thread.
#include <chrono>
#include <exception>
#include <optional>

#include <boost/asio/co_spawn.hpp>
#include <gtest/gtest.h>

#include "conciergus/runtime/shard.hpp"

namespace conciergus {

class TestShard {
 public:
  ~TestShard() {
    run([this]() -> Task<void> { co_await shard_.stop(); });
    shard_.io().restart();
    shard_.io().run();
    offload_.join();
  }

  runtime::Shard& get() noexcept { return shard_; }
  observe::Registry& metrics() noexcept { return metrics_; }

  /// Runs the coroutine `body()` to its end, and fails the test if that takes longer than `limit`:
  /// a lost wake-up is a failure, not a hang. `body` outlives the coroutine, so it may capture.
  template <class Body>
  void run(Body body, std::chrono::seconds limit = std::chrono::seconds(10)) {
    std::optional<std::exception_ptr> ended;
    asio::co_spawn(shard_.io(), body(), [&](const std::exception_ptr& escaped) {
      ended = escaped;
      shard_.io().stop();
    });
    shard_.io().restart();
    shard_.io().run_for(limit);
    ASSERT_TRUE(ended.has_value()) << "still waiting after " << limit.count() << " s";
    if (*ended) std::rethrow_exception(*ended);
  }

 private:
  SystemClock clock_;
  observe::Registry metrics_;
  runtime::OffloadPool offload_{2, 64};
  runtime::Shard shard_{0, {clock_, observe::Log::none(), metrics_, offload_}};
};

}  // namespace conciergus

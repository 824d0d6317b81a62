#pragma once
/// The shards of the process and their threads.
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "conciergus/runtime/shard.hpp"

namespace conciergus::runtime {

/// Owned by main. start() and stop() are called on one thread that is none of the shards'.
class Runtime {
 public:
  /// Creates `shards` shards (at least one); no thread runs yet, so that parts can be built on
  /// them.
  Runtime(std::size_t shards, const Environment& environment);
  ~Runtime();

  std::size_t size() const noexcept { return shards_.size(); }
  Shard& shard(std::size_t index) noexcept { return *shards_[index]; }
  std::vector<std::unique_ptr<Shard>>& shards() noexcept { return shards_; }

  void start();
  /// Runs `work(shard)` on every shard at once and returns when each has ended. Not from a shard.
  void on_every_shard(const std::function<Task<void>(Shard&)>& work);
  /// Stops the shards' own gates, lets the loops run dry and joins the threads. Everything else
  /// that runs on them must have been stopped before.
  void stop();

 private:
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<asio::executor_work_guard<asio::io_context::executor_type>> keep_running_;
  std::vector<std::jthread> threads_;
};

}  // namespace conciergus::runtime

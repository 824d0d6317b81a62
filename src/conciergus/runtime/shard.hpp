#pragma once
/// One core's share of the process: a thread, its event loop, and what belongs to that loop alone.
#include <memory>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "conciergus/base/clock.hpp"
#include "conciergus/base/random.hpp"
#include "conciergus/observe/log.hpp"
#include "conciergus/observe/metrics.hpp"
#include "conciergus/runtime/gate.hpp"
#include "conciergus/runtime/offload_pool.hpp"
#include "conciergus/runtime/watchdog.hpp"

namespace conciergus::runtime {

/// What all shards share; outlives them.
struct Environment {
  const Clock& clock;
  observe::Log& log;
  observe::Registry& metrics;
  OffloadPool& offload;
};

/// Used on its own thread only, but for post(). Outlives everything that runs on it.
class Shard {
 public:
  Shard(std::size_t index, const Environment& environment);
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  std::size_t index() const noexcept { return index_; }
  asio::io_context& io() noexcept { return io_; }
  asio::any_io_executor executor() noexcept { return io_.get_executor(); }
  const Environment& environment() const noexcept { return environment_; }
  const Clock& clock() const noexcept { return environment_.clock; }
  Clock::Instant now() const noexcept { return environment_.clock.now(); }
  observe::Log& log() const noexcept { return environment_.log; }
  observe::Registry& metrics() const noexcept { return environment_.metrics; }
  OffloadPool& offload() const noexcept { return environment_.offload; }
  Random& random() noexcept { return random_; }
  Watchdog& watchdog() noexcept { return watchdog_; }
  /// Members that live as long as the shard. Servers and clients have gates of their own.
  Gate& gate() noexcept { return gate_; }
  /// For a Gate of somebody on this shard: logs and counts the escape as a bug.
  Gate::OnEscape on_escape();

  /// From any thread: runs `work` on the shard's thread, soon.
  template <class Work>
  void post(Work work) {
    asio::post(io_, std::move(work));
  }

  /// Runs the loop on the calling thread until there is no more work.
  void run();
  /// Ends the shard's own gate.
  Task<void> stop() { return gate_.stop(); }

 private:
  const std::size_t index_;
  const Environment environment_;
  asio::io_context io_{1};
  observe::Counter& escapes_;
  Random random_;
  Watchdog watchdog_;
  Gate gate_;
};

}  // namespace conciergus::runtime

#pragma once
/// A shard whose loop runs on the test's own thread, under a clock that the test moves.
#include <optional>

#include <boost/asio/co_spawn.hpp>
#include <gtest/gtest.h>

#include "conciergus/llm/flight_leader.hpp"
#include "support/manual_clock.hpp"
#include "support/run_coro.hpp"

namespace conciergus::llm::testing {

class OneShard {
 public:
  /// Runs `body()` to its end; a lost wake-up is a failure, not a hang.
  template <class Body>
  void run(Body body) {
    std::optional<std::exception_ptr> ended;
    shard.io().restart();
    asio::co_spawn(shard.io(), body(), [&](const std::exception_ptr& what) { ended = what; });
    const auto limit = Clock::Instant::clock::now() + std::chrono::seconds(5);
    while (!ended && Clock::Instant::clock::now() < limit) {
      shard.io().run_one_for(std::chrono::milliseconds(100));
    }
    ASSERT_TRUE(ended.has_value()) << "still waiting";
    if (*ended) std::rethrow_exception(*ended);
  }
  /// What is posted, nothing more.
  void settle() {
    shard.io().restart();
    shard.io().poll();
  }

  ManualClock clock;
  observe::Registry metrics;
  runtime::OffloadPool offload{1, 1};
  runtime::Shard shard{0, {clock, observe::Log::none(), metrics, offload}};
};

inline Piece piece(std::string bytes) {
  Piece made;
  made.bytes = std::move(bytes);
  return made;
}

/// All bytes until the end, and that end.
struct Heard {
  std::string bytes;
  Batch::End end = Batch::End::kNone;
  bool operator==(const Heard&) const = default;
};
inline Task<Heard> listen(Subscription& subscription) {
  Heard heard;
  while (heard.end == Batch::End::kNone) {
    const Batch batch = co_await subscription.next(Deadline());
    for (const PiecePtr& part : batch.pieces) heard.bytes += part->bytes;
    heard.end = batch.end;
  }
  co_return heard;
}

}  // namespace conciergus::llm::testing

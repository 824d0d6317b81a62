#include "conciergus/runtime/runtime.hpp"

#include <algorithm>
#include <latch>

#include <boost/asio/co_spawn.hpp>

namespace conciergus::runtime {

Runtime::Runtime(std::size_t shards, const Environment& environment) {
  for (std::size_t i = 0; i < std::max<std::size_t>(shards, 1); ++i) {
    shards_.push_back(std::make_unique<Shard>(i, environment));
  }
}

Runtime::~Runtime() {
  stop();
}

void Runtime::start() {
  for (auto& shard : shards_) {
    keep_running_.push_back(asio::make_work_guard(shard->io()));
    threads_.emplace_back([&shard = *shard] { shard.run(); });
  }
}

void Runtime::on_every_shard(const std::function<Task<void>(Shard&)>& work) {
  std::latch done(static_cast<std::ptrdiff_t>(shards_.size()));
  for (auto& shard : shards_) {
    auto on_end = [&done, &shard = *shard](const std::exception_ptr& escaped) {
      if (escaped && !is_cancellation(escaped)) shard.on_escape()("on_every_shard", escaped);
      done.count_down();
    };
    asio::co_spawn(
        shard->io(), [&work, &shard = *shard] { return work(shard); }, std::move(on_end));
  }
  done.wait();
}

void Runtime::stop() {
  if (threads_.empty()) return;
  on_every_shard([](Shard& shard) { return shard.stop(); });
  keep_running_.clear();
  threads_.clear();  // joins
}

}  // namespace conciergus::runtime

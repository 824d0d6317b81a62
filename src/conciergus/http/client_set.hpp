#pragma once
/// One client for each shard, for handlers that all shards share.
#include <memory>
#include <vector>

#include "conciergus/http/client.hpp"
#include "conciergus/runtime/runtime.hpp"

namespace conciergus::http {

/// Built before the shards run and destroyed after they have stopped.
class ClientSet {
 public:
  ClientSet(runtime::Runtime& runtime, const ClientConfig& config) {
    for (auto& shard : runtime.shards()) add(*shard, config);
  }
  /// For a single shard, the first: tests and tools.
  ClientSet(runtime::Shard& shard, const ClientConfig& config) { add(shard, config); }

  /// That shard's client; on its thread only.
  Client& on(const runtime::Shard& shard) const noexcept { return *clients_[shard.index()]; }
  /// On each shard, once nothing uses its client any more.
  Task<void> stop(const runtime::Shard& shard) { return on(shard).stop(); }

 private:
  void add(runtime::Shard& shard, const ClientConfig& config) {
    clients_.push_back(std::make_unique<Client>(shard, config));
  }
  std::vector<std::unique_ptr<Client>> clients_;
};

}  // namespace conciergus::http

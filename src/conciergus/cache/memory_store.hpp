#pragma once
/// The store in this process's memory: sharded, S3-FIFO, with a hard limit of bytes that is kept in
/// the writing call itself. No buffers, no maintenance thread.
#include <memory>
#include <vector>

#include "conciergus/base/clock.hpp"
#include "conciergus/cache/metrics.hpp"
#include "conciergus/cache/store.hpp"

namespace conciergus::cache {

struct MemoryStoreConfig {
  std::size_t max_bytes = std::size_t{256} << 20;  ///< All that it keeps and takes to keep it.
  std::size_t max_items = 0;                       ///< 0: as many as fit.
  std::size_t max_item_bytes = std::size_t{2}
                               << 20;  ///< A larger one is refused, as is half a shard.
  std::size_t shards =
      0;  ///< A power of two; 0: by cores, with room for items of the largest size.
};

/// Thread-safe; never waits but for a lock that is held for some hundred nanoseconds. Expiry is
/// exact on reading; what has expired unread is reclaimed as it comes to the end of its queue.
class MemoryStore final : public Store {
 public:
  MemoryStore(const Clock& clock, CacheMetrics metrics, MemoryStoreConfig config = {});
  ~MemoryStore() override;

  Task<Result<std::optional<Entry>>> get(std::string_view key, Deadline deadline) override;
  Task<Result<void>> put(std::string_view key,
                         std::string_view value,
                         Ttl ttl,
                         Deadline deadline) override;
  Task<Result<bool>> erase(std::string_view key, Deadline deadline) override;
  Task<Result<void>> clear(Deadline deadline) override;
  StoreStats stats() const override;

  // The same without a coroutine, for callers that know that their store is in memory.
  std::optional<Entry> find(std::string_view key);
  Result<void> put_now(std::string_view key, std::string_view value, Ttl ttl);
  bool erase_now(std::string_view key);
  void clear_now();

  std::size_t shards() const noexcept { return shards_.size(); }

 private:
  class Shard;
  struct Place {
    Shard& shard;
    std::uint32_t tag;
  };
  Place place(std::string_view key) const;
  template <class Totals>
  void count(const Totals& change) const;

  const Clock& clock_;
  CacheMetrics metrics_;
  std::array<std::uint64_t, 24> secret_;  // of the hash, so that nobody can aim at a shard
  std::vector<std::unique_ptr<Shard>> shards_;
  const MemoryStoreConfig config_;
};

}  // namespace conciergus::cache

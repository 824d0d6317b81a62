#include "conciergus/cache/memory_store.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <mutex>
#include <thread>

#include <xxhash.h>

#include "conciergus/base/random.hpp"
#include "conciergus/cache/s3_fifo.hpp"

namespace conciergus::cache {
namespace {

/// Enough shards that threads seldom meet, few enough that the largest item is a small part of one.
std::size_t shards_for(const MemoryStoreConfig& config) {
  static constexpr std::size_t kMostShards = 64;
  static constexpr std::size_t kLeastBytes = std::size_t{1} << 20;
  if (config.shards > 0) return std::bit_floor(config.shards);
  const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
  const std::size_t room = config.max_bytes / std::max(kLeastBytes, 4 * config.max_item_bytes);
  return std::bit_floor(
      std::clamp<std::size_t>(std::min(4 * std::bit_ceil(cores), room), 1, kMostShards));
}

std::array<std::uint64_t, 24> make_secret() {
  Random random = Random::from_entropy();
  std::array<std::uint64_t, 24> secret;
  std::ranges::generate(secret, [&] { return random(); });
  return secret;
}
static_assert(sizeof(std::array<std::uint64_t, 24>) >= XXH3_SECRET_SIZE_MIN);

}  // namespace

/// Values that leave are handed to the caller, who drops them once the lock is released.
class alignas(64) MemoryStore::Shard {
 public:
  using Garbage = std::vector<Value>;

  Shard(std::size_t max_bytes, std::size_t max_items)
      : max_bytes_(max_bytes), max_items_(max_items) {}

  /// Sums over the entries, and what a call did to them.
  struct Totals {
    std::int64_t entries = 0;
    std::int64_t payload = 0;
    std::int64_t charged = 0;
    std::size_t evicted = 0;
    Totals operator-(const Totals& before) const noexcept {
      return {
          entries - before.entries, payload - before.payload, charged - before.charged, evicted};
    }
  };
  struct Found {
    std::optional<Entry> entry;
    bool is_expired = false;
    Totals change;
  };
  Found get(std::uint32_t tag, std::string_view key, Clock::Instant now) {
    Value expired;  // dropped after the lock
    const std::lock_guard lock(mutex_);
    const auto slot = find(tag, key);
    if (slot == SlotTable::kNone) return {};
    const Entry& entry = entries_[slot].entry;
    if (now >= entry.expires) {
      const Totals before = totals();
      expired = remove(slot);
      return {.entry = std::nullopt, .is_expired = true, .change = totals() - before};
    }
    policy_.hit(slot);
    return {.entry = entry, .change = {}};
  }

  Totals put(std::uint32_t tag, Entry entry) {
    const auto charge = static_cast<std::uint32_t>(entry.value.allocated());
    Garbage garbage;
    const std::lock_guard lock(mutex_);
    const Totals before = totals();
    std::size_t evicted = 0;
    if (const auto slot = find(tag, entry.value.key()); slot != SlotTable::kNone) {
      policy_.reweigh(slot, charge);
      evicted += make_room(0, 0, garbage);
    }
    // The old value may just have made room for the new one: look again.
    if (const auto slot = find(tag, entry.value.key()); slot != SlotTable::kNone) {
      Entry& place = entries_[slot].entry;
      payload_ += payload(entry.value);
      payload_ -= payload(place.value);
      std::swap(place, entry);
      garbage.push_back(std::move(entry.value));
      return totals(evicted) - before;
    }
    policy_.reserve_one();
    index_.reserve_one();
    if (entries_.size() == entries_.capacity())
      entries_.reserve(std::max<std::size_t>(16, 2 * entries_.size()));
    evicted += make_room(charge, 1, garbage);
    payload_ += payload(entry.value);
    const auto slot = policy_.insert(tag, charge);
    if (slot == entries_.size()) entries_.emplace_back();
    entries_[slot] = {std::move(entry), tag};
    index_.insert(tag, slot);
    return totals(evicted) - before;
  }

  /// As get(), but takes it out.
  Found erase(std::uint32_t tag, std::string_view key, Clock::Instant now) {
    Value erased;  // dropped after the lock
    const std::lock_guard lock(mutex_);
    const auto slot = find(tag, key);
    if (slot == SlotTable::kNone) return {};
    Found found{.entry = entries_[slot].entry, .change = {}};
    if (now >= found.entry->expires)
      found = {.entry = std::nullopt, .is_expired = true, .change = {}};
    const Totals before = totals();
    erased = remove(slot);
    found.change = totals() - before;
    return found;
  }

  Totals clear() {
    std::vector<Item> entries;  // dropped after the lock
    const std::lock_guard lock(mutex_);
    const Totals before = totals();
    entries.swap(entries_);
    index_ = {};
    policy_ = {};
    payload_ = 0;
    return totals() - before;
  }

  void add_to(StoreStats& stats) const {
    const std::lock_guard lock(mutex_);
    stats.entries += index_.size();
    stats.payload_bytes += payload_;
    stats.charged_bytes += policy_.weight() + overhead();
    stats.limit_bytes += max_bytes_;
  }

 private:
  struct Item {
    Entry entry;
    std::uint32_t tag = 0;
  };

  static std::size_t payload(const Value& value) noexcept {
    return value.key().size() + value.bytes().size();
  }

  std::uint32_t find(std::uint32_t tag, std::string_view key) const {
    return index_.find(tag, [&](auto slot) { return entries_[slot].entry.value.key() == key; });
  }

  Totals totals(std::size_t evicted = 0) const noexcept {
    return {static_cast<std::int64_t>(index_.size()),
            static_cast<std::int64_t>(payload_),
            static_cast<std::int64_t>(policy_.weight() + overhead()),
            evicted};
  }

  std::size_t overhead() const noexcept {
    return index_.memory() + policy_.memory() + entries_.capacity() * sizeof(Item);
  }

  std::size_t make_room(std::size_t bytes, std::size_t items, Garbage& garbage) {
    const std::size_t before = index_.size();
    const auto is_over = [&] {
      return policy_.weight() + overhead() + bytes > max_bytes_ ||
             (max_items_ > 0 && index_.size() + items > max_items_);
    };
    while (is_over() && !policy_.empty()) {
      victims_.clear();
      policy_.evict(max_bytes_ - std::min(max_bytes_ - 1, overhead()), victims_);
      for (const auto slot : victims_) garbage.push_back(take_out(slot));
    }
    return before - index_.size();
  }

  Value remove(std::uint32_t slot) {
    policy_.erase(slot);
    return take_out(slot);
  }

  Value take_out(std::uint32_t slot) {
    Item& item = entries_[slot];
    index_.erase(item.tag, slot);
    payload_ -= payload(item.entry.value);
    return std::exchange(item.entry.value, {});
  }

  const std::size_t max_bytes_;
  const std::size_t max_items_;
  mutable std::mutex mutex_;
  SlotTable index_;
  S3Fifo policy_;
  std::vector<Item> entries_;  // by the policy's slots
  std::vector<S3Fifo::Slot> victims_;
  std::size_t payload_ = 0;
};

MemoryStore::MemoryStore(const Clock& clock, CacheMetrics metrics, MemoryStoreConfig config)
    : clock_(clock), metrics_(metrics), secret_(make_secret()), config_(config) {
  const std::size_t count = shards_for(config);
  const std::size_t items =
      config.max_items == 0 ? 0 : std::max<std::size_t>(1, config.max_items / count);
  for (std::size_t i = 0; i < count; ++i) {
    shards_.push_back(std::make_unique<Shard>(config.max_bytes / count, items));
  }
}

MemoryStore::~MemoryStore() = default;

MemoryStore::Place MemoryStore::place(std::string_view key) const {
  const XXH64_hash_t hash =
      XXH3_64bits_withSecret(key.data(), key.size(), secret_.data(), sizeof secret_);
  return {*shards_[(hash >> 32) & (shards_.size() - 1)], static_cast<std::uint32_t>(hash)};
}

template <class Totals>
void MemoryStore::count(const Totals& change) const {
  metrics_.entries.add(change.entries);
  metrics_.payload_bytes.add(change.payload);
  metrics_.charged_bytes.add(change.charged);
  if (change.evicted > 0) metrics_.evictions.add(change.evicted);
}

std::optional<Entry> MemoryStore::find(std::string_view key) {
  const auto [shard, tag] = place(key);
  const auto now = clock_.now();
  auto found = shard.get(tag, key, now);
  if (found.is_expired) {
    metrics_.expirations.add();
    count(found.change);
  }
  if (!found.entry) {
    metrics_.misses.add();
  } else {
    (now < found.entry->fresh_until ? metrics_.hits : metrics_.stale_hits).add();
  }
  return std::move(found.entry);
}

Result<void> MemoryStore::put_now(std::string_view key, std::string_view value, Ttl ttl) {
  const auto [shard, tag] = place(key);
  const auto now = clock_.now();
  const std::size_t largest = std::min({config_.max_item_bytes,
                                        config_.max_bytes / shards_.size() / 2,
                                        std::size_t{std::numeric_limits<std::int32_t>::max()}});
  if (key.size() + value.size() > largest) {
    metrics_.rejected.add();
    count(shard.erase(tag, key, now).change);
    return fail(ErrorCode::kTooLarge, "the entry is larger than the cache keeps");
  }
  const auto fresh_until = now + ttl.fresh;
  count(shard.put(tag, {Value::make(key, value), fresh_until, fresh_until + ttl.stale}));
  metrics_.puts.add();
  return {};
}

bool MemoryStore::erase_now(std::string_view key) {
  const auto [shard, tag] = place(key);
  const auto erased = shard.erase(tag, key, clock_.now());
  count(erased.change);
  return erased.entry.has_value();
}

void MemoryStore::clear_now() {
  for (const auto& shard : shards_) count(shard->clear());
}

Task<Result<std::optional<Entry>>> MemoryStore::get(std::string_view key, Deadline) {
  co_return find(key);
}

Task<Result<void>> MemoryStore::put(std::string_view key,
                                    std::string_view value,
                                    Ttl ttl,
                                    Deadline) {
  co_return put_now(key, value, ttl);
}

Task<Result<bool>> MemoryStore::erase(std::string_view key, Deadline) {
  co_return erase_now(key);
}

Task<Result<void>> MemoryStore::clear(Deadline) {
  clear_now();
  co_return Result<void>{};
}

StoreStats MemoryStore::stats() const {
  StoreStats stats;
  for (const auto& shard : shards_) shard->add_to(stats);
  return stats;
}

}  // namespace conciergus::cache

#pragma once
/// Remembers what was worked out about a request by the bytes it came in, so that a repeated one
/// costs a hash instead of a parse.
#include <cstdint>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "conciergus/llm/cache_key_hash.hpp"
#include "conciergus/llm/protocol.hpp"

namespace conciergus::llm {

/// What decides how a request is understood. Views are borrowed for the call.
struct RequestBytes {
  std::uint64_t generation;  ///< Of the configuration.
  Protocol protocol;
  std::string_view scope;
  std::string_view body;
  std::span<const std::string_view> headers;  ///< Values of the ones that count, in a fixed order.
};

/// SHA-256 with every part's length before it: two requests of one digest are the same.
CacheKey digest(const RequestBytes& request);

/// Belongs to one shard. Keeps the `capacity` latest digests, those asked for again twice as long
/// (CLOCK).
template <class T>
class RequestMemo {
 public:
  explicit RequestMemo(std::size_t capacity = 4'096) : capacity_(capacity) {}

  /// Null when not known; valid until the next put().
  const T* find(const CacheKey& key) {
    const auto found = places_.find(key);
    if (found == places_.end()) return nullptr;
    Slot& slot = slots_[found->second];
    slot.is_used = true;
    return &slot.value;
  }

  void put(const CacheKey& key, T value) {
    if (const auto found = places_.find(key); found != places_.end()) {
      slots_[found->second].value = std::move(value);
      return;
    }
    if (slots_.size() < capacity_) {
      places_.emplace(key, slots_.size());
      slots_.push_back({key, std::move(value), false});
      return;
    }
    while (slots_[hand_].is_used) {
      slots_[hand_].is_used = false;
      hand_ = (hand_ + 1) % capacity_;
    }
    places_.erase(slots_[hand_].key);
    places_.emplace(key, hand_);
    slots_[hand_] = {key, std::move(value), false};
    hand_ = (hand_ + 1) % capacity_;
  }

  std::size_t size() const noexcept { return slots_.size(); }

 private:
  struct Slot {
    CacheKey key;
    T value;
    bool is_used;
  };
  const std::size_t capacity_;
  std::vector<Slot> slots_;
  std::size_t hand_ = 0;
  std::unordered_map<CacheKey, std::size_t, CacheKeyHash> places_;
};

}  // namespace conciergus::llm

#pragma once
/// S3-FIFO eviction (Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023),
/// with queues measured in weight.
///
/// New keys enter the small queue (a tenth of the capacity). What is asked for at least twice there
/// moves on to the main queue; the rest leaves, and only its fingerprint stays for a while in the
/// ghost queue. A key that comes back while its ghost is there enters the main queue at once. The
/// main queue is a CLOCK with 2-bit counters. A hit moves nothing: it bumps a counter.
#include <cstdint>
#include <vector>

#include "conciergus/cache/slot_list.hpp"
#include "conciergus/cache/slot_table.hpp"

namespace conciergus::cache {

/// Decides by slot numbers, which it gives out; what lies in the slots is the caller's. Not
/// thread-safe.
class S3Fifo {
 public:
  using Slot = std::uint32_t;

  /// Takes one step towards room in `capacity`: appends to `victims` what has to go, which may be
  /// nothing where a key moved to the main queue. Their slots are free afterwards. Not empty().
  void evict(std::uint64_t capacity, std::vector<Slot>& victims);
  /// A slot for a new key, in the queue that its past deserves.
  Slot insert(std::uint32_t fingerprint, std::uint32_t weight);
  void hit(Slot slot) noexcept {
    auto& frequency = nodes_[slot].frequency;
    if (frequency < kMaxFrequency) ++frequency;
  }
  /// Another weight, the same place and frequency.
  void reweigh(Slot slot, std::uint32_t weight);
  /// For keys that leave for other reasons: leaves no ghost.
  void erase(Slot slot);

  bool empty() const noexcept { return small_.empty() && main_.empty(); }
  std::uint32_t weight(Slot slot) const noexcept { return nodes_[slot].weight; }
  /// Of all keys.
  std::uint64_t weight() const noexcept { return small_.weight() + main_.weight(); }
  /// Grows now if insert() would.
  void reserve_one() { nodes_.reserve_one(); }
  /// Bytes that the policy itself takes.
  std::size_t memory() const noexcept;

 private:
  static constexpr std::uint8_t kMaxFrequency = 3;
  static constexpr std::uint8_t kPromote = 2;
  /// The worst case of one eviction; without it a main queue of hot keys takes linear time.
  static constexpr int kMaxReinsertions = 32;

  struct Node {
    std::uint32_t prev;
    std::uint32_t next;
    std::uint32_t weight;
    std::uint32_t fingerprint;
    std::uint8_t frequency;
    bool is_main;
  };
  struct Ghost {
    std::uint32_t prev;
    std::uint32_t next;
    std::uint32_t weight;
    std::uint32_t fingerprint;
  };

  void evict_small(std::uint64_t main_capacity, std::vector<Slot>& victims);
  void evict_main(std::vector<Slot>& victims);
  void remember(const Node& node, std::uint64_t capacity);
  bool forget_ghost(std::uint32_t fingerprint);
  void drop_ghost(std::uint32_t ghost);

  SlotPool<Node> nodes_;
  SlotList<Node> small_;
  SlotList<Node> main_;
  SlotPool<Ghost> ghosts_;
  SlotList<Ghost> ghost_queue_;
  SlotTable ghost_index_;
};

}  // namespace conciergus::cache

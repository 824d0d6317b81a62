#include "conciergus/cache/s3_fifo.hpp"

#include <algorithm>

namespace conciergus::cache {

void S3Fifo::evict(std::uint64_t capacity, std::vector<Slot>& victims) {
  const std::uint64_t small_capacity = std::max<std::uint64_t>(1, capacity / 10);
  if (small_.weight() >= small_capacity || main_.empty()) {
    evict_small(capacity - small_capacity, victims);
  } else {
    evict_main(victims);
  }
}

S3Fifo::Slot S3Fifo::insert(std::uint32_t fingerprint, std::uint32_t weight) {
  const Slot slot = nodes_.acquire();
  Node& node = nodes_[slot];
  node.weight = weight;
  node.fingerprint = fingerprint;
  node.is_main = forget_ghost(fingerprint);
  (node.is_main ? main_ : small_).push_head(nodes_, slot);
  return slot;
}

void S3Fifo::reweigh(Slot slot, std::uint32_t weight) {
  (nodes_[slot].is_main ? main_ : small_).reweigh(nodes_, slot, weight);
}

void S3Fifo::erase(Slot slot) {
  (nodes_[slot].is_main ? main_ : small_).remove(nodes_, slot);
  nodes_.release(slot);
}

std::size_t S3Fifo::memory() const noexcept {
  return nodes_.memory() + ghosts_.memory() + ghost_index_.memory();
}

void S3Fifo::evict_small(std::uint64_t main_capacity, std::vector<Slot>& victims) {
  const Slot slot = small_.tail();
  Node& node = nodes_[slot];
  small_.remove(nodes_, slot);
  if (node.frequency < kPromote) {
    remember(node, main_capacity);
    nodes_.release(slot);
    victims.push_back(slot);
    return;
  }
  node.frequency = 0;
  while (!main_.empty() && main_.weight() + node.weight > main_capacity) evict_main(victims);
  node.is_main = true;
  main_.push_head(nodes_, slot);
}

void S3Fifo::evict_main(std::vector<Slot>& victims) {
  for (int reinsertions = 0;; ++reinsertions) {
    const Slot slot = main_.tail();
    Node& node = nodes_[slot];
    main_.remove(nodes_, slot);
    if (node.frequency == 0 || reinsertions == kMaxReinsertions) {
      nodes_.release(slot);
      victims.push_back(slot);
      return;
    }
    --node.frequency;
    main_.push_head(nodes_, slot);
  }
}

void S3Fifo::remember(const Node& node, std::uint64_t capacity) {
  forget_ghost(node.fingerprint);  // two keys may have one
  const std::uint32_t ghost = ghosts_.acquire();
  ghosts_[ghost].weight = node.weight;
  ghosts_[ghost].fingerprint = node.fingerprint;
  ghost_queue_.push_head(ghosts_, ghost);
  ghost_index_.insert(node.fingerprint, ghost);
  while (ghost_queue_.weight() > capacity) drop_ghost(ghost_queue_.tail());
}

bool S3Fifo::forget_ghost(std::uint32_t fingerprint) {
  const std::uint32_t ghost = ghost_index_.find(fingerprint, [](std::uint32_t) { return true; });
  if (ghost == SlotTable::kNone) return false;
  drop_ghost(ghost);
  return true;
}

void S3Fifo::drop_ghost(std::uint32_t ghost) {
  ghost_queue_.remove(ghosts_, ghost);
  ghost_index_.erase(ghosts_[ghost].fingerprint, ghost);
  ghosts_.release(ghost);
}

}  // namespace conciergus::cache

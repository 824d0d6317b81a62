#pragma once
/// Queues of slots linked through one array, so that any slot can leave from the middle and links
/// survive the array's growth.
#include <cstdint>
#include <vector>

namespace conciergus::cache {

/// The array and its free slots. `Node` has the members `prev`, `next` and `weight`.
template <class Node>
class SlotPool {
 public:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  std::uint32_t acquire() {
    if (free_ == kNone) {
      nodes_.emplace_back();
      return static_cast<std::uint32_t>(nodes_.size() - 1);
    }
    const std::uint32_t slot = free_;
    free_ = nodes_[slot].next;
    nodes_[slot] = {};
    return slot;
  }
  void release(std::uint32_t slot) {
    nodes_[slot].next = free_;
    free_ = slot;
  }
  /// Grows now if acquire() would.
  void reserve_one() {
    if (free_ != kNone || nodes_.size() < nodes_.capacity()) return;
    nodes_.reserve(nodes_.empty() ? 16 : nodes_.size() * 2);
  }

  Node& operator[](std::uint32_t slot) noexcept { return nodes_[slot]; }
  const Node& operator[](std::uint32_t slot) const noexcept { return nodes_[slot]; }
  std::size_t memory() const noexcept { return nodes_.capacity() * sizeof(Node); }

 private:
  std::vector<Node> nodes_;
  std::uint32_t free_ = kNone;
};

/// One queue of a pool: in at the head, out at the tail.
template <class Node>
class SlotList {
 public:
  static constexpr std::uint32_t kNone = SlotPool<Node>::kNone;

  bool empty() const noexcept { return tail_ == kNone; }
  std::uint32_t tail() const noexcept { return tail_; }
  std::uint64_t weight() const noexcept { return weight_; }

  void push_head(SlotPool<Node>& pool, std::uint32_t slot) {
    Node& node = pool[slot];
    node.prev = kNone;
    node.next = head_;
    (head_ == kNone ? tail_ : pool[head_].prev) = slot;
    head_ = slot;
    weight_ += node.weight;
  }
  void remove(SlotPool<Node>& pool, std::uint32_t slot) {
    const Node& node = pool[slot];
    (node.prev == kNone ? head_ : pool[node.prev].next) = node.next;
    (node.next == kNone ? tail_ : pool[node.next].prev) = node.prev;
    weight_ -= node.weight;
  }
  void reweigh(SlotPool<Node>& pool, std::uint32_t slot, std::uint32_t weight) {
    weight_ += weight;
    weight_ -= pool[slot].weight;
    pool[slot].weight = weight;
  }

 private:
  std::uint32_t head_ = kNone;
  std::uint32_t tail_ = kNone;
  std::uint64_t weight_ = 0;
};

}  // namespace conciergus::cache

#pragma once
/// Open-addressing table from 32-bit tags to slot numbers: linear probing, deletion by shifting
/// back (Knuth 6.4, algorithm R), so that there are no tombstones and its memory is what it says.
#include <concepts>
#include <cstdint>
#include <vector>

namespace conciergus::cache {

/// Not thread-safe. Tags may repeat; a slot number is in it once.
class SlotTable {
 public:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  /// The first slot of that tag for which `is_it(slot)` holds, or kNone.
  template <std::predicate<std::uint32_t> IsIt>
  std::uint32_t find(std::uint32_t tag, IsIt is_it) const {
    if (cells_.empty()) return kNone;
    for (std::size_t at = tag & mask();; at = (at + 1) & mask()) {
      const Cell& cell = cells_[at];
      if (cell.slot == kNone) return kNone;
      if (cell.tag == tag && is_it(cell.slot)) return cell.slot;
    }
  }

  /// Grows now if insert() would, so that the growth can be accounted for first.
  void reserve_one() {
    if ((size_ + 1) * 4 <= cells_.size() * 3) return;
    std::vector<Cell> old(cells_.empty() ? 16 : cells_.size() * 2);
    old.swap(cells_);
    for (const Cell& cell : old) {
      if (cell.slot != kNone) place(cell);
    }
  }

  void insert(std::uint32_t tag, std::uint32_t slot) {
    reserve_one();
    place({tag, slot});
    ++size_;
  }

  /// The pair is there.
  void erase(std::uint32_t tag, std::uint32_t slot) {
    std::size_t hole = tag & mask();
    while (cells_[hole].slot != slot) hole = (hole + 1) & mask();
    for (std::size_t at = (hole + 1) & mask(); cells_[at].slot != kNone; at = (at + 1) & mask()) {
      const std::size_t home = cells_[at].tag & mask();
      if (((at - home) & mask()) < ((at - hole) & mask())) continue;  // would move before its home
      cells_[hole] = cells_[at];
      hole = at;
    }
    cells_[hole] = {};
    --size_;
  }

  std::size_t size() const noexcept { return size_; }
  /// Bytes on the heap.
  std::size_t memory() const noexcept { return cells_.capacity() * sizeof(Cell); }

 private:
  struct Cell {
    std::uint32_t tag = 0;
    std::uint32_t slot = kNone;
  };

  std::size_t mask() const noexcept { return cells_.size() - 1; }
  void place(Cell cell) {
    std::size_t at = cell.tag & mask();
    while (cells_[at].slot != kNone) at = (at + 1) & mask();
    cells_[at] = cell;
  }

  std::vector<Cell> cells_;  // a power of two
  std::size_t size_ = 0;
};

}  // namespace conciergus::cache

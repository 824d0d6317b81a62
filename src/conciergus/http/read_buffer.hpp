#pragma once
/// Input of a connection that is consumed from the front and refilled at the back.
#include <algorithm>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace conciergus::http {

/// Starts small, since most connections are idle most of the time.
class ReadBuffer {
 public:
  static constexpr std::size_t kInitial = 4'096;

  bool empty() const noexcept { return begin_ == end_; }
  std::size_t size() const noexcept { return end_ - begin_; }
  std::size_t capacity() const noexcept { return capacity_; }
  /// Valid until space() or shrink(); consume() leaves it where it is.
  std::string_view data() const noexcept { return {bytes_.get() + begin_, size()}; }
  void consume(std::size_t count) noexcept {
    begin_ += count;
    if (begin_ == end_) begin_ = end_ = 0;
  }

  /// Room behind the data, at least one byte: moves the data to the front, or doubles the buffer.
  /// The caller bounds what it lets pile up.
  std::span<char> space() {
    if (end_ == capacity_) {
      if (begin_ > 0) {
        std::memmove(bytes_.get(), bytes_.get() + begin_, size());
        end_ = size();
        begin_ = 0;
      } else {
        resize(std::max(kInitial, 2 * capacity_));
      }
    }
    return {bytes_.get() + end_, capacity_ - end_};
  }
  void commit(std::size_t count) noexcept { end_ += count; }

  /// For large bodies: fewer reads.
  void grow_to(std::size_t capacity) {
    if (capacity > capacity_) resize(capacity);
  }
  /// Back to the initial size, if what is held fits.
  void shrink() {
    if (capacity_ > kInitial && size() <= kInitial) resize(kInitial);
  }

 private:
  void resize(std::size_t capacity) {
    auto bytes = std::make_unique_for_overwrite<char[]>(capacity);
    if (!empty()) std::memcpy(bytes.get(), bytes_.get() + begin_, size());
    end_ = size();
    begin_ = 0;
    bytes_ = std::move(bytes);
    capacity_ = capacity;
  }

  std::unique_ptr<char[]> bytes_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace conciergus::http

#pragma once
/// Immutable bytes shared by reference count, with the key they are stored under, in one
/// allocation: handing them out under a lock costs one atomic increment and copies nothing.
#include <atomic>
#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

namespace conciergus::cache {

/// A handle; empty when default-made. Handles may be copied and dropped on any thread; views stay
/// valid as long as one of them lives.
class Value {
 public:
  Value() noexcept = default;
  static Value make(std::string_view key, std::string_view bytes);
  Value(const Value& other) noexcept : block_(other.block_) {
    if (block_) block_->references.fetch_add(1, std::memory_order_relaxed);
  }
  Value(Value&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  Value& operator=(Value other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~Value() {
    if (block_ && block_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) free(block_);
  }

  explicit operator bool() const noexcept { return block_ != nullptr; }
  std::string_view key() const noexcept {
    return block_ ? std::string_view(block_->text(), block_->key_size) : std::string_view{};
  }
  std::string_view bytes() const noexcept {
    return block_ ? std::string_view(block_->text() + block_->key_size, block_->size)
                  : std::string_view{};
  }
  /// What the allocator gave for it.
  std::size_t allocated() const noexcept;
  /// For interfaces that keep text alive through a shared_ptr.
  std::shared_ptr<const void> owner() const { return std::make_shared<Value>(*this); }

 private:
  struct Block {
    std::atomic<std::uint32_t> references;
    std::uint32_t key_size;
    std::size_t size;
    const char* text() const noexcept { return reinterpret_cast<const char*>(this + 1); }
  };
  static void free(Block* block) noexcept;

  Block* block_ = nullptr;
};

}  // namespace conciergus::cache

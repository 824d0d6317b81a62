#include "conciergus/cache/value.hpp"

#include <cstring>
#include <new>

#include <malloc.h>

namespace conciergus::cache {

Value Value::make(std::string_view key, std::string_view bytes) {
  void* const memory = ::operator new(sizeof(Block) + key.size() + bytes.size());
  auto* const block = new (memory) Block{{1}, static_cast<std::uint32_t>(key.size()), bytes.size()};
  char* const text = reinterpret_cast<char*>(block + 1);
  if (!key.empty()) std::memcpy(text, key.data(), key.size());
  if (!bytes.empty()) std::memcpy(text + key.size(), bytes.data(), bytes.size());
  Value value;
  value.block_ = block;
  return value;
}

std::size_t Value::allocated() const noexcept {
  static constexpr std::size_t kAllocatorHeader = sizeof(std::size_t);
  return block_ ? malloc_usable_size(block_) + kAllocatorHeader : 0;
}

void Value::free(Block* block) noexcept {
  block->~Block();
  ::operator delete(block);
}

}  // namespace conciergus::cache

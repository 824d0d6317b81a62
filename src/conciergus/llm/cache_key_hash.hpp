#pragma once
/// For tables of cache keys: a digest is as good a hash as there is.
#include <cstring>

#include "conciergus/llm/cache_key.hpp"

namespace conciergus::llm {

struct CacheKeyHash {
  std::size_t operator()(const CacheKey& key) const noexcept {
    std::size_t hash = 0;
    std::memcpy(&hash, key.digest.data(), sizeof hash);
    return hash;
  }
};

}  // namespace conciergus::llm

#pragma once
/// SHA-256 of several texts, one behind the other, without putting them together first.
#include <span>
#include <string_view>

#include "conciergus/llm/cache_key.hpp"

namespace conciergus::llm {

/// Any thread. The boundaries between the parts do not count: put lengths where they matter.
CacheKey sha256(std::span<const std::string_view> parts);

}  // namespace conciergus::llm

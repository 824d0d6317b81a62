#pragma once
/// Whether an answer may come from the cache, go into it, or be shared with simultaneous askers.
/// Pure.
#include <chrono>
#include <optional>
#include <string_view>

#include "conciergus/llm/client_request.hpp"
#include "conciergus/llm/llm_config.hpp"

namespace conciergus::llm {

/// "auto", "deterministic-only", "any" or "never", as configuration writes it.
std::optional<CachePolicy> parse_cache_policy(std::string_view text) noexcept;

/// The directives of a request's `Cache-Control` that apply here (RFC 9111 section 5.2.1).
struct RequestCacheControl {
  bool no_cache = false;
  bool no_store = false;
  bool only_if_cached = false;
  std::optional<std::chrono::seconds> max_age;

  /// Never fails: what it does not understand it does not see. A max-age that is no number counts
  /// as 0.
  static RequestCacheControl parse(std::string_view field_value);
};

struct CacheDecision {
  bool may_look_up = false;
  bool may_store = false;
  bool may_coalesce = false;
  bool only_if_cached = false;  ///< Answer 504 on a miss.
  std::chrono::seconds ttl{0};  ///< For how long the answer is kept, where it may be.
  std::optional<std::chrono::seconds> max_age{};  ///< Records older than this do not count.
  /// Why the cache was not used as it could have been, for `Cache-Status`: "scope", "store",
  /// "state", "background", "provider-tools", "duplicate-members", "policy", "choices",
  /// "temperature", "no-store", "no-cache", "regenerate"; empty when it was.
  std::string_view bypass{};
};

/// `is_keyed`: there is a scope and an unambiguous key, the `duplicate-members` and `scope` cases
/// being told apart by `has_scope`.
CacheDecision decide_caching(const LlmCacheConfig& route,
                             const RequestFacts& facts,
                             const RequestCacheControl& control,
                             bool has_scope,
                             bool is_keyed);

}  // namespace conciergus::llm

#include "conciergus/llm/cache_decision.hpp"

#include <algorithm>

#include "conciergus/base/text.hpp"

namespace conciergus::llm {
namespace {

struct Storability {
  std::string_view obstacle;  // empty when the answer may be cached
  bool is_certain = true;     // that the same question has the same answer
};

Storability judge(const LlmCacheConfig& route, const RequestFacts& facts) {
  if (route.policy == CachePolicy::kNever) return {"policy"};
  if (route.policy == CachePolicy::kAny) return {};
  if (facts.choices > 1) return {"choices"};
  if (facts.has_seed || facts.is_deterministic) return {};
  if (facts.temperature) {
    return {*facts.temperature <= route.temperature_bound ? "" : "temperature"};
  }
  if (route.policy == CachePolicy::kDeterministicOnly) return {"temperature"};
  return {"", false};
}

}  // namespace

std::optional<CachePolicy> parse_cache_policy(std::string_view text) noexcept {
  if (text == "auto") return CachePolicy::kAuto;
  if (text == "deterministic-only") return CachePolicy::kDeterministicOnly;
  if (text == "any") return CachePolicy::kAny;
  if (text == "never") return CachePolicy::kNever;
  return std::nullopt;
}

RequestCacheControl RequestCacheControl::parse(std::string_view field_value) {
  // One year is for ever here, and keeps sums of seconds far from overflow.
  static constexpr std::uint64_t kLongest = 31'536'000;
  RequestCacheControl control;
  while (!field_value.empty()) {
    const std::size_t comma = std::min(field_value.find(','), field_value.size());
    const std::string_view directive = trim(field_value.substr(0, comma));
    field_value.remove_prefix(std::min(comma + 1, field_value.size()));
    const std::size_t equals = std::min(directive.find('='), directive.size());
    const std::string_view name = trim(directive.substr(0, equals));
    if (iequals(name, "no-cache")) control.no_cache = true;
    if (iequals(name, "no-store")) control.no_store = true;
    if (iequals(name, "only-if-cached")) control.only_if_cached = true;
    if (iequals(name, "max-age")) {
      std::string_view value =
          equals < directive.size() ? trim(directive.substr(equals + 1)) : std::string_view{};
      if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
        value = value.substr(1, value.size() - 2);
      }
      const std::uint64_t seconds = std::min(parse_decimal(value).value_or(0), kLongest);
      control.max_age = std::chrono::seconds(static_cast<std::int64_t>(seconds));
    }
  }
  return control;
}

CacheDecision decide_caching(const LlmCacheConfig& route,
                             const RequestFacts& facts,
                             const RequestCacheControl& control,
                             bool has_scope,
                             bool is_keyed) {
  CacheDecision decision{.only_if_cached = control.only_if_cached, .max_age = control.max_age};
  if (!has_scope) return decision.bypass = "scope", decision;
  if (!is_keyed) return decision.bypass = "duplicate-members", decision;
  if (!facts.forbids.empty()) return decision.bypass = facts.forbids, decision;

  // Whoever asks for a fresh answer must not be handed one that was begun before the asking.
  const bool is_refresh = control.no_cache || facts.is_regeneration;
  decision.may_coalesce = route.coalesce && !is_refresh;

  const Storability storability = judge(route, facts);
  decision.ttl = storability.is_certain ? route.ttl : std::min(route.short_ttl, route.ttl);
  if (!storability.obstacle.empty()) return decision.bypass = storability.obstacle, decision;
  decision.may_look_up = !is_refresh;
  decision.may_store = !control.no_store;
  if (control.no_store) decision.bypass = "no-store";
  if (control.no_cache) decision.bypass = "no-cache";
  if (facts.is_regeneration) decision.bypass = "regenerate";
  return decision;
}

}  // namespace conciergus::llm

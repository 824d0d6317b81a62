#include "conciergus/codec/cache_control.hpp"

#include <algorithm>

#include "conciergus/base/text.hpp"
#include "conciergus/codec/http1_grammar.hpp"
#include "conciergus/codec/list.hpp"

namespace conciergus::codec {

std::optional<CacheDirective> take_directive(std::string_view& rest) noexcept {
  while (const auto element = take_element(rest)) {
    const auto equals = element->find('=');
    CacheDirective directive{.name = element->substr(0, equals), .value = std::nullopt};
    if (!grammar::is_token(directive.name)) continue;
    if (equals != std::string_view::npos) {
      std::string_view value = element->substr(equals + 1);
      if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
        value = value.substr(1, value.size() - 2);
      }
      directive.value = value;
    }
    return directive;
  }
  return std::nullopt;
}

std::optional<std::chrono::seconds> parse_delta_seconds(std::string_view text) noexcept {
  constexpr std::uint64_t kMax = std::uint64_t{1} << 31;
  if (text.empty() || !std::ranges::all_of(text, grammar::is_digit)) return std::nullopt;
  // Nothing now means a number that does not even fit into 64 bits.
  return std::chrono::seconds(std::min(parse_decimal(text).value_or(kMax), kMax));
}

void CacheControlRequest::add(std::string_view field_value) noexcept {
  using std::chrono::seconds;
  while (const auto directive = take_directive(field_value)) {
    const auto is = [&](std::string_view name) { return iequals(directive->name, name); };
    const auto number = parse_delta_seconds(directive->value.value_or(""));
    if (is("no-cache")) {
      no_cache = true;
    } else if (is("no-store")) {
      no_store = true;
    } else if (is("no-transform")) {
      no_transform = true;
    } else if (is("only-if-cached")) {
      only_if_cached = true;
    } else if (is("max-age")) {
      if (number) max_age = std::min(max_age.value_or(*number), *number);
    } else if (is("min-fresh")) {
      if (number) min_fresh = std::max(min_fresh.value_or(*number), *number);
    } else if (is("max-stale")) {
      const auto allowed = directive->value ? number : seconds::max();
      if (allowed) max_stale = std::min(max_stale.value_or(*allowed), *allowed);
    }
  }
}

bool is_pragma_no_cache(std::string_view field_value) noexcept {
  while (const auto directive = take_directive(field_value)) {
    if (iequals(directive->name, "no-cache")) return true;
  }
  return false;
}

}  // namespace conciergus::codec

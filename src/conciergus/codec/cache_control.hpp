#pragma once
/// Cache-Control, RFC 9111 section 5.2: its directives one by one, and what a request asks for.
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace conciergus::codec {

struct CacheDirective {
  std::string_view name;  ///< In the letter case it came in; compare with iequals().
  std::optional<std::string_view> value;  ///< Without quotes; escapes within are left as they are.
};

/// Takes the next directive off a field value; nothing at the end. Unknown ones are yielded too,
/// and what is no directive at all is skipped: neither ever spoils the others.
std::optional<CacheDirective> take_directive(std::string_view& rest) noexcept;

/// A number of seconds, saturating at 2^31 (RFC 9111 section 1.2.2); nothing unless all are digits.
std::optional<std::chrono::seconds> parse_delta_seconds(std::string_view text) noexcept;

/// A client's wishes. Unknown directives and malformed numbers are no wishes.
struct CacheControlRequest {
  bool no_cache = false;
  bool no_store = false;
  bool no_transform = false;
  bool only_if_cached = false;
  std::optional<std::chrono::seconds> max_age;    ///< The smallest, if there are several.
  std::optional<std::chrono::seconds> min_fresh;  ///< The greatest.
  /// The smallest; seconds::max() for `max-stale` without a number: any staleness.
  std::optional<std::chrono::seconds> max_stale;

  /// Adds one field line; call it for each.
  void add(std::string_view field_value) noexcept;
};

/// True if `Pragma` says `no-cache`, which counts only where there is no Cache-Control.
bool is_pragma_no_cache(std::string_view field_value) noexcept;

}  // namespace conciergus::codec

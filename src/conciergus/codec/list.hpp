#pragma once
/// Comma-separated lists of HTTP fields, RFC 9110 section 5.6.1.
#include <optional>
#include <string_view>

#include "conciergus/base/text.hpp"

namespace conciergus::codec {

/// Takes the next piece off `rest`, up to `separator` or the end; separators within a quoted string
/// do not count. White space around the piece is dropped.
constexpr std::string_view take_until(std::string_view& rest, char separator) noexcept {
  bool quoted = false;
  std::size_t i = 0;
  for (; i < rest.size(); ++i) {
    if (rest[i] == '"') {
      quoted = !quoted;
    } else if (quoted && rest[i] == '\\') {
      ++i;
    } else if (!quoted && rest[i] == separator) {
      break;
    }
  }
  const std::string_view piece = trim(rest.substr(0, i));
  rest.remove_prefix(i < rest.size() ? i + 1 : rest.size());
  return piece;
}

/// Takes the next element off a list; empty elements are skipped, nothing at the end.
constexpr std::optional<std::string_view> take_element(std::string_view& rest) noexcept {
  while (!rest.empty()) {
    if (const std::string_view element = take_until(rest, ','); !element.empty()) return element;
  }
  return std::nullopt;
}

}  // namespace conciergus::codec

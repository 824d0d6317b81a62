#pragma once
/// Identifiers that clients send with their requests.
#include <string_view>

namespace conciergus::http {

/// Whether it may go into logs and further headers as it came: 1 to 128 plain characters.
constexpr bool is_sane_request_id(std::string_view id) noexcept {
  if (id.empty() || id.size() > 128) return false;
  for (const char c : id) {
    const bool is_alphanumeric =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!is_alphanumeric && !std::string_view("-_.:/+=@").contains(c)) return false;
  }
  return true;
}

}  // namespace conciergus::http

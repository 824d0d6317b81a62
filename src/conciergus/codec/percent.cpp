#include "conciergus/codec/percent.hpp"

#include <algorithm>

#include "conciergus/base/text.hpp"

namespace conciergus::codec {
namespace {

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = ascii_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool is_unreserved(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

/// What cannot be in a segment that came from a well-meant URI.
bool is_unsafe_in_segment(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return c == '/' || c == '\\' || byte < 0x20 || byte == 0x7f;
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const int high = hex_value(text[i + 1]);
    const int low = hex_value(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    if (is_unreserved(c)) {
      encoded += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      encoded += {'%', kDigits[byte >> 4], kDigits[byte & 0xf]};
    }
  }
  return encoded;
}

std::optional<std::string> decode_path(std::string_view path) {
  if (!path.starts_with('/')) return std::nullopt;
  std::string safe;
  safe.reserve(path.size());
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const auto size = std::min(path.find('/'), path.size());
    const auto segment = percent_decode(path.substr(0, size));
    path.remove_prefix(size);
    if (!segment || std::ranges::any_of(*segment, is_unsafe_in_segment)) return std::nullopt;
    const bool is_last = path.empty();
    if (*segment == "..") {
      if (safe.empty()) return std::nullopt;
      safe.resize(safe.rfind('/'));
      if (is_last) safe += '/';
    } else if (*segment == ".") {
      if (is_last) safe += '/';
    } else {
      safe.append("/").append(*segment);
    }
  }
  return safe;
}

}  // namespace conciergus::codec

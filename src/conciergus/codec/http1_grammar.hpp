#pragma once
/// The characters and the field line of HTTP/1 (RFC 9110 section 5, RFC 9112 section 5), shared by
/// the head parser, the trailers and the writer. Strict: no obs-fold, no bare CR or LF, no control
/// bytes.
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "conciergus/base/error.hpp"

namespace conciergus::codec {

/// A header or trailer field. The views point into the bytes it was parsed from.
struct Field {
  std::string_view name;   ///< A token, in the letter case it came in.
  std::string_view value;  ///< Without surrounding white space; may hold tabs and bytes 80–FF.
};

/// The first field of that name, in any letter case; nullptr if there is none.
const Field* find_field(std::span<const Field> fields, std::string_view name) noexcept;

/// Why a message was refused.
struct Http1Error {
  unsigned status =
      0;  ///< What to answer: 400, 414, 417, 431, 501, 505; 502 for an origin's message.
  std::string_view what;   ///< Static text.
  std::size_t offset = 0;  ///< Of the offending byte, counted from the start of the message.

  /// "space before the colon at byte 27"
  std::string detail() const;
  /// kTooLarge for 414 and 431, kInvalidRequest for other 4xx and 501, 505; kProtocol for 502.
  Error to_error() const;
};

namespace grammar {

/// tchar of RFC 9110 section 5.6.2.
constexpr auto kTokenTable = [] {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[c] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[c] = table[c - 'a' + 'A'] = true;
  for (const unsigned char c : std::string_view("!#$%&'*+-.^_`|~")) table[c] = true;
  return table;
}();

constexpr bool is_token_char(char c) noexcept {
  return kTokenTable[static_cast<unsigned char>(c)];
}
constexpr bool is_token(std::string_view text) noexcept {
  for (const char c : text) {
    if (!is_token_char(c)) return false;
  }
  return !text.empty();
}
constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
constexpr bool is_blank(char c) noexcept {
  return c == ' ' || c == '\t';
}
/// VCHAR, space, tab and bytes 80–FF: what a field value may hold.
constexpr bool is_value_char(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= 0x20 && byte != 0x7f) || byte == '\t';
}

/// The first byte in [at, end) that no field value may hold, or end. Sixteen bytes a step.
const char* find_value_end(const char* at, const char* end) noexcept;

/// Parses `name ":" OWS value OWS CRLF` at `at`. On success returns the byte after the line; on
/// failure nullptr, and `error` says what and where, counted from `message`.
const char* parse_field_line(
    const char* message, const char* at, const char* end, Field& field, Http1Error& error) noexcept;

}  // namespace grammar
}  // namespace conciergus::codec

#pragma once
/// Percent-encoding, RFC 3986 section 2.1.
#include <optional>
#include <string>
#include <string_view>

namespace conciergus::codec {

/// Nothing if a `%` is not followed by two hexadecimal digits. `+` stays a plus.
std::optional<std::string> percent_decode(std::string_view text);

/// Everything but unreserved characters is encoded, so that the result fits into any part of a URI.
std::string percent_encode(std::string_view text);

/// Decodes the path of a request target (without the query) into one that is safe to look up: it
/// starts with a slash and no segment of it is `.` or `..`. Nothing if it is malformed, climbs
/// above the root, or hides a slash, a backslash or a control byte in an encoding. `/a/./b/../c` →
/// `/a/c`; empty segments stay.
std::optional<std::string> decode_path(std::string_view path);

}  // namespace conciergus::codec

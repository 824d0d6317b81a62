#pragma once
/// Dates on the wire: HTTP-date (RFC 9110 section 5.6.7) and RFC 3339. Always UTC and English; no
/// locale.
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace conciergus::codec {

using WallTime = std::chrono::system_clock::time_point;

/// Room for an IMF-fixdate and for an RFC 3339 timestamp with milliseconds.
using HttpDateBuffer = char[29];
using Rfc3339Buffer = char[24];

/// "Sun, 06 Nov 1994 08:49:37 GMT"
std::string_view format_http_date(HttpDateBuffer& buffer, WallTime time) noexcept;
std::string format_http_date(WallTime time);

/// All three forms: IMF-fixdate, RFC 850, asctime. `now` decides the century of RFC 850's two-digit
/// year: never more than 50 years ahead. What WallTime cannot hold, such as the year 9999, becomes
/// its nearest second. Nothing for anything else, so also for `0` and `-1` in Expires.
std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text,
                                                        WallTime now) noexcept;

/// "1994-11-06T08:49:37.000Z"
std::string_view format_rfc3339(Rfc3339Buffer& buffer, WallTime time) noexcept;
std::string format_rfc3339(WallTime time);

}  // namespace conciergus::codec

#pragma once
/// Proactive negotiation, RFC 9110 section 12.5: Accept-Encoding and Accept with quality values.
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace conciergus::codec {

/// A quality value in thousandths, 0 to 1000; 0 is "not acceptable".
using Quality = std::uint16_t;
constexpr Quality kFullQuality = 1000;

/// `0.85` → 850. Nothing if malformed: more than three decimals, above 1.
std::optional<Quality> parse_quality(std::string_view text) noexcept;

enum class ContentCoding : std::uint8_t { kIdentity, kGzip, kBrotli, kZstd };

/// The token in Content-Encoding: "identity", "gzip", "br", "zstd".
std::string_view to_string(ContentCoding coding) noexcept;
/// Nothing for other tokens; `x-gzip` is gzip.
std::optional<ContentCoding> parse_content_coding(std::string_view token) noexcept;

/// How welcome `coding` is. An empty field welcomes only identity; identity is welcome unless
/// excluded. Members that are malformed count as absent. Join several field lines with a comma
/// first.
Quality coding_quality(std::string_view accept_encoding, ContentCoding coding) noexcept;

/// The most welcome of `offered`, the earlier one of equals; nothing if none is acceptable. Without
/// the field (nullopt) everything would be allowed, but identity is the only safe answer, if it is
/// offered.
std::optional<ContentCoding> choose_coding(std::optional<std::string_view> accept_encoding,
                                           std::span<const ContentCoding> offered) noexcept;

/// How welcome a media type such as "image/avif" is: by the most specific range of the field that
/// covers it. Parameters of ranges other than `q` are not compared. Without the field, pass "*/*".
Quality media_type_quality(std::string_view accept, std::string_view media_type) noexcept;

/// True if the field names the media type itself, not by a wildcard: how browsers announce image
/// formats.
bool names_media_type(std::string_view accept, std::string_view media_type) noexcept;

}  // namespace conciergus::codec

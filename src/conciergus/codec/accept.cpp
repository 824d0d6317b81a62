#include "conciergus/codec/accept.hpp"

#include <algorithm>

#include "conciergus/base/text.hpp"
#include "conciergus/codec/http1_grammar.hpp"
#include "conciergus/codec/list.hpp"

namespace conciergus::codec {
namespace {

struct Preference {
  std::string_view what;  ///< A coding, a media range or a wildcard.
  Quality quality;
};

/// `what *( OWS ";" OWS parameter )`; nothing if its quality is malformed.
std::optional<Preference> parse_preference(std::string_view element) noexcept {
  Preference preference{.what = take_until(element, ';'), .quality = kFullQuality};
  while (!element.empty()) {
    const std::string_view parameter = take_until(element, ';');
    if (!parameter.starts_with("q=") && !parameter.starts_with("Q=")) continue;
    const auto quality = parse_quality(parameter.substr(2));
    if (!quality) return std::nullopt;
    preference.quality = *quality;
  }
  return preference;
}

/// 0: does not cover; 1: by `*/*`; 2: by `type/*`; 3: by name.
int specificity(std::string_view range, std::string_view media_type) noexcept {
  if (iequals(range, media_type)) return 3;
  if (range == "*/*") return 1;
  if (!range.ends_with("/*")) return 0;
  const std::string_view type = range.substr(0, range.size() - 1);  // with the slash
  return iequals(media_type.substr(0, type.size()), type) ? 2 : 0;
}

}  // namespace

std::optional<Quality> parse_quality(std::string_view text) noexcept {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  unsigned quality = text[0] == '1' ? kFullQuality : 0;
  unsigned weight = 100;
  for (const char c : text.substr(std::min<std::size_t>(2, text.size()))) {
    if (!grammar::is_digit(c)) return std::nullopt;
    quality += static_cast<unsigned>(c - '0') * weight;
    weight /= 10;
  }
  if (quality > kFullQuality) return std::nullopt;
  return static_cast<Quality>(quality);
}

std::string_view to_string(ContentCoding coding) noexcept {
  switch (coding) {
    case ContentCoding::kIdentity:
      return "identity";
    case ContentCoding::kGzip:
      return "gzip";
    case ContentCoding::kBrotli:
      return "br";
    case ContentCoding::kZstd:
      return "zstd";
  }
  return "";
}

std::optional<ContentCoding> parse_content_coding(std::string_view token) noexcept {
  for (const auto coding : {ContentCoding::kIdentity,
                            ContentCoding::kGzip,
                            ContentCoding::kBrotli,
                            ContentCoding::kZstd}) {
    if (iequals(token, to_string(coding))) return coding;
  }
  if (iequals(token, "x-gzip")) return ContentCoding::kGzip;
  return std::nullopt;
}

Quality coding_quality(std::string_view accept_encoding, ContentCoding coding) noexcept {
  std::optional<Quality> by_name;
  std::optional<Quality> by_wildcard;
  while (const auto element = take_element(accept_encoding)) {
    const auto preference = parse_preference(*element);
    if (!preference) continue;
    if (preference->what == "*") {
      by_wildcard = preference->quality;
    } else if (parse_content_coding(preference->what) == coding) {
      by_name = preference->quality;
    }
  }
  if (by_name) return *by_name;
  if (coding != ContentCoding::kIdentity) return by_wildcard.value_or(0);
  // Identity is acceptable unless excluded, but less so than a coding that was asked for.
  return by_wildcard == Quality{0} ? 0 : 1;
}

std::optional<ContentCoding> choose_coding(std::optional<std::string_view> accept_encoding,
                                           std::span<const ContentCoding> offered) noexcept {
  std::optional<ContentCoding> best;
  Quality best_quality = 0;
  for (const ContentCoding coding : offered) {
    const Quality quality = coding_quality(accept_encoding.value_or(""), coding);
    if (quality > best_quality) {
      best = coding;
      best_quality = quality;
    }
  }
  return best;
}

Quality media_type_quality(std::string_view accept, std::string_view media_type) noexcept {
  int best = 0;
  Quality quality = 0;
  while (const auto element = take_element(accept)) {
    const auto preference = parse_preference(*element);
    if (!preference) continue;
    if (const int fit = specificity(preference->what, media_type); fit > best) {
      best = fit;
      quality = preference->quality;
    }
  }
  return quality;
}

bool names_media_type(std::string_view accept, std::string_view media_type) noexcept {
  while (const auto element = take_element(accept)) {
    const auto preference = parse_preference(*element);
    if (preference && iequals(preference->what, media_type)) return preference->quality > 0;
  }
  return false;
}

}  // namespace conciergus::codec

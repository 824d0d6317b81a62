#include <algorithm>

#include <fmt/format.h>

#include "conciergus/base/text.hpp"
#include "conciergus/codec/http1_parser.hpp"
#include "conciergus/http/client.hpp"

namespace conciergus::http {
namespace {

std::uint16_t default_port(std::string_view scheme) noexcept {
  return scheme == "https" ? 443 : 80;
}

}  // namespace

Result<std::pair<Origin, std::string>> Origin::parse(std::string_view url) {
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorCode::kConfig, fmt::format("\"{}\" is no http or https URL: {}", url, why));
  };
  const auto scheme_end = url.find("://");
  if (scheme_end == url.npos) return refuse("it begins with no scheme");
  Origin origin;
  if (iequals(url.substr(0, scheme_end), "https")) {
    origin.scheme = "https";
  } else if (!iequals(url.substr(0, scheme_end), "http")) {
    return refuse("its scheme is another one");
  }
  std::string_view rest = url.substr(scheme_end + 3);
  if (rest.contains('@')) return fail(ErrorCode::kConfig, "a URL with user information is refused");
  if (rest.find_first_of("?#") != rest.npos) return refuse("it has a query or a fragment");
  const auto path_at = std::min(rest.find('/'), rest.size());
  const auto authority = rest.substr(0, path_at);
  std::string_view path = rest.substr(path_at);
  if (!codec::is_valid_authority(authority)) return refuse("its host or port is not valid");
  while (path.ends_with('/')) path.remove_suffix(1);
  for (const char c : path) {
    if (static_cast<unsigned char>(c) <= ' ' || c == 0x7f) return refuse("its path has a space");
  }

  const auto bracket = authority.rfind(']');
  const auto colon = authority.find(':', bracket == authority.npos ? 0 : bracket);
  auto host = authority.substr(0, colon);
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  for (const char c : host) origin.host += ascii_lower(c);
  const auto port = colon == authority.npos ? default_port(origin.scheme)
                                            : parse_decimal(authority.substr(colon + 1));
  if (!port || *port == 0) return refuse("its port is not valid");
  origin.port = static_cast<std::uint16_t>(*port);
  return std::pair(std::move(origin), std::string(path));
}

std::string Origin::authority() const {
  const auto name = host.contains(':') ? "[" + host + "]" : host;
  return port == default_port(scheme) ? name : fmt::format("{}:{}", name, port);
}

std::string Origin::to_string() const {
  return fmt::format("{}://{}:{}", scheme, host.contains(':') ? "[" + host + "]" : host, port);
}

}  // namespace conciergus::http

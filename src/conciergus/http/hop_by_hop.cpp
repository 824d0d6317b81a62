#include "conciergus/http/hop_by_hop.hpp"

#include <algorithm>
#include <array>

#include "conciergus/base/text.hpp"
#include "conciergus/codec/list.hpp"

namespace conciergus::http {
namespace {

/// Proxy is no field of HTTP, but some programs take it for the address of their proxy ("httpoxy").
constexpr std::array<std::string_view, 10> kKnown = {"connection",
                                                     "keep-alive",
                                                     "proxy",
                                                     "proxy-authenticate",
                                                     "proxy-authorization",
                                                     "proxy-connection",
                                                     "te",
                                                     "transfer-encoding",
                                                     "upgrade",
                                                     "http2-settings"};

}  // namespace

HopByHop::HopByHop(const Headers& headers) {
  for (const auto field : headers) {
    if (!iequals(field.name, "connection")) continue;
    for (auto rest = field.value; const auto name = codec::take_element(rest);) {
      if (!iequals(*name, "close") && !iequals(*name, "keep-alive")) named_.push_back(*name);
    }
  }
}

bool HopByHop::contains(std::string_view name) const noexcept {
  const auto is_name = [&](std::string_view known) { return iequals(known, name); };
  return std::ranges::any_of(kKnown, is_name) || std::ranges::any_of(named_, is_name);
}

}  // namespace conciergus::http

#include "conciergus/http/forwarding.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "conciergus/base/text.hpp"

namespace conciergus::http {
namespace {

constexpr std::array<std::string_view, 6> kForwardingFields = {"forwarded",
                                                               "x-forwarded-for",
                                                               "x-forwarded-proto",
                                                               "x-forwarded-host",
                                                               "x-forwarded-port",
                                                               "x-real-ip"};

void add_extended(Headers& out,
                  const Request& request,
                  bool trusted,
                  std::string_view name,
                  std::string_view own) {
  const auto before = trusted ? request.headers.joined(name) : std::string();
  out.add(name, before.empty() ? std::string(own) : fmt::format("{}, {}", before, own));
}

/// Set by the first proxy; later ones leave it as it is.
void add_original(Headers& out,
                  const Request& request,
                  bool trusted,
                  std::string_view name,
                  std::string_view own) {
  out.add(name, trusted ? request.headers.get(name, own) : own);
}

}  // namespace

bool is_forwarding_field(std::string_view name) noexcept {
  return std::ranges::any_of(kForwardingFields,
                             [&](std::string_view known) { return iequals(known, name); });
}

void add_forwarding(Headers& out, const RequestContext& context, const Request& request) {
  const auto& peer = context.peer.address;
  const bool trusted = context.client_address != peer;
  const auto node = peer.contains(':') ? fmt::format("\"[{}]\"", peer) : peer;
  const auto host =
      request.authority.empty() ? std::string() : fmt::format(";host=\"{}\"", request.authority);
  add_extended(out,
               request,
               trusted,
               "forwarded",
               fmt::format("for={}{};proto={}", node, host, request.scheme));
  add_extended(out, request, trusted, "x-forwarded-for", peer);
  add_original(out, request, trusted, "x-forwarded-proto", request.scheme);
  if (!request.authority.empty()) {
    add_original(out, request, trusted, "x-forwarded-host", request.authority);
  }
}

void add_via(Headers& headers, Version received) {
  const std::string_view own = received == Version::kHttp2    ? "2.0 conciergus"
                               : received == Version::kHttp10 ? "1.0 conciergus"
                                                              : "1.1 conciergus";
  const auto before = headers.joined("via");
  headers.set("via", before.empty() ? std::string(own) : fmt::format("{}, {}", before, own));
}

}  // namespace conciergus::http

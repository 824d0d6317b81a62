#include "conciergus/gateway/admin_guard.hpp"

#include <algorithm>
#include <array>

#include "conciergus/base/text.hpp"
#include "conciergus/http/error_response.hpp"

namespace conciergus::gateway {
namespace {

std::string_view host_of(std::string_view authority) {
  if (authority.starts_with('[')) return authority.substr(0, authority.find(']') + 1);
  return authority.substr(0, authority.rfind(':'));
}

bool names_this_machine(std::string_view authority) {
  const auto host = host_of(authority);
  return iequals(host, "localhost") || host == "127.0.0.1" || host == "[::1]";
}

std::string_view bearer(const http::Request& request) {
  const auto field = request.headers.get("authorization");
  constexpr std::string_view kScheme = "bearer ";
  return iequals(field.substr(0, kScheme.size()), kScheme) ? trim(field.substr(kScheme.size()))
                                                           : std::string_view();
}

}  // namespace

bool is_direct_loopback(const http::RequestContext& context, const http::Request& request) {
  static constexpr std::array<std::string_view, 7> kOfProxies{"forwarded",
                                                              "x-forwarded-for",
                                                              "x-forwarded-host",
                                                              "x-forwarded-proto",
                                                              "x-real-ip",
                                                              "via",
                                                              "cf-connecting-ip"};
  if (!context.peer.is_loopback || !names_this_machine(request.authority)) return false;
  const auto has = [&](std::string_view name) { return request.headers.contains(name); };
  if (std::ranges::any_of(kOfProxies, has)) return false;
  const auto site = request.headers.get("sec-fetch-site", "none");
  return site == "none" || site == "same-origin";
}

Task<Result<http::Response>> AdminGuard::handle(http::RequestContext& context,
                                                http::Request& request,
                                                http::Next next) const {
  if (!token_.empty()) {
    if (token_.matches(bearer(request))) co_return co_await next.run(context, request);
    auto refusal = http::error_response(
        Error(ErrorCode::kUnauthenticated, "The administration needs its token as a bearer."),
        context,
        request,
        false);
    refusal.headers.add("www-authenticate", "Bearer realm=\"conciergus\"");
    context.notes.error = "unauthenticated";
    co_return refusal;
  }
  if (allows_loopback_ && is_direct_loopback(context, request))
    co_return co_await next.run(context, request);
  co_return fail(ErrorCode::kForbidden,
                 "Without admin.token the administration answers only direct requests from the "
                 "gateway's own machine.");
}

}  // namespace conciergus::gateway

#include "conciergus/http/cors_middleware.hpp"

#include <algorithm>

namespace conciergus::http {
namespace {

constexpr std::string_view kExposed =
    "x-request-id, cache-status, x-cache, age, server-timing, retry-after, retry-after-ms, "
    "x-should-retry, x-vercel-ai-ui-message-stream, traceparent, x-conciergus-provider, "
    "x-conciergus-model, x-conciergus-attempts, x-conciergus-fallback, x-conciergus-breaker, "
    "x-conciergus-cost, x-conciergus-saved";

}  // namespace

CorsMiddleware::CorsMiddleware(std::vector<std::string> origins)
    : origins_(std::move(origins)),
      allows_any_(std::ranges::find(origins_, "*") != origins_.end()) {}

bool CorsMiddleware::allows(std::string_view origin) const noexcept {
  return !origin.empty() && (allows_any_ || std::ranges::find(origins_, origin) != origins_.end());
}

Task<Result<Response>> CorsMiddleware::handle(RequestContext& context,
                                              Request& request,
                                              Next next) const {
  const std::string origin(request.headers.get("origin"));
  const bool is_allowed = allows(origin);
  const bool is_preflight = request.headers.contains("access-control-request-method");
  Result<Response> response;
  if (request.method == "OPTIONS") {
    response->status = 204;
    if (is_preflight && is_allowed) {
      auto& headers = response->headers;
      headers.add("access-control-allow-methods", "GET, POST, DELETE, OPTIONS");
      const auto asked = request.headers.get("access-control-request-headers");
      headers.add("access-control-allow-headers", asked.empty() ? "content-type" : asked);
      headers.add("access-control-max-age", "7200");
    }
  } else {
    response = co_await next.run(context, request);
    if (!response) co_return response;
  }
  if (origins_.empty()) co_return response;
  auto& headers = response->headers;
  if (!allows_any_) headers.add("vary", "origin");
  if (is_allowed) {
    headers.set("access-control-allow-origin", allows_any_ ? "*" : std::string_view(origin));
    headers.set("access-control-expose-headers", kExposed);
    headers.set("timing-allow-origin", allows_any_ ? "*" : std::string_view(origin));
  }
  co_return response;
}

}  // namespace conciergus::http

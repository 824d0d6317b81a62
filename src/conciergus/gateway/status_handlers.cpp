#include "conciergus/gateway/status_handlers.hpp"

#include "conciergus/codec/accept.hpp"

namespace conciergus::gateway {
namespace {

http::Response fresh(unsigned status, std::string_view type, std::string body) {
  auto response = http::make_response(status, type, std::move(body));
  response.headers.add("cache-control", "no-store");
  return response;
}

}  // namespace

Task<Result<http::Response>> HealthHandler::handle(http::RequestContext&, http::Request&) const {
  co_return fresh(200, "application/json", "{\"status\":\"ok\"}\n");
}

Task<Result<http::Response>> ReadyHandler::handle(http::RequestContext&, http::Request&) const {
  auto reasons = reasons_;
  if (is_draining_.load(std::memory_order_relaxed)) reasons.emplace_back("draining");
  if (reasons.empty())
    co_return fresh(200, "application/json", "{\"status\":\"ready\",\"reasons\":[]}\n");
  std::string body = "{\"status\":\"not ready\",\"reasons\":[";
  for (const auto& reason : reasons) {
    if (&reason != &reasons.front()) body += ',';
    observe::append_json_string(body, reason);
  }
  co_return fresh(503, "application/json", body + "]}\n");
}

Task<Result<http::Response>> MetricsHandler::handle(http::RequestContext& context,
                                                    http::Request& request) const {
  using Format = observe::Registry::Format;
  const auto accept = request.headers.joined("accept");
  const auto format = codec::names_media_type(accept, "application/openmetrics-text")
                          ? Format::kOpenMetrics
                          : Format::kPrometheus;
  process_.update();
  co_return fresh(
      200, observe::Registry::content_type(format), context.shard.metrics().render(format));
}

}  // namespace conciergus::gateway

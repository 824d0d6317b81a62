#include "conciergus/gateway/admin_api.hpp"

#include <fmt/format.h>

namespace conciergus::gateway {
namespace {

http::Response json(std::string body) {
  auto response = http::make_response(200, "application/json", std::move(body));
  response.headers.add("cache-control", "no-store");
  return response;
}

}  // namespace

Task<Result<http::Response>> ConfigHandler::handle(http::RequestContext&, http::Request&) const {
  std::string body = "{\"values\":[";
  for (const auto& value : loaded_->values) {
    if (body.back() == '}') body += ',';
    body += "{\"path\":";
    observe::append_json_string(body, value.path);
    body += ",\"value\":";
    observe::append_json_string(body, value.value);
    body += ",\"origin\":";
    observe::append_json_string(body, value.origin);
    body += '}';
  }
  co_return json(body + "]}\n");
}

Task<Result<http::Response>> CacheHandler::handle(http::RequestContext& context,
                                                  http::Request& request) const {
  if (request.method == "DELETE") {
    CONCIERGUS_CO_CHECK(co_await store_.clear(context.deadline));
    context.shard.log().info("cache.cleared", {{"request_id", context.request_id}});
  }
  const auto stats = store_.stats();
  co_return json(
      fmt::format("{{\"entries\":{},\"payload_bytes\":{},\"charged_bytes\":{},"
                  "\"limit_bytes\":{}}}\n",
                  stats.entries,
                  stats.payload_bytes,
                  stats.charged_bytes,
                  stats.limit_bytes));
}

}  // namespace conciergus::gateway

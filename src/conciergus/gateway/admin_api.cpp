#include "conciergus/gateway/admin_api.hpp"

namespace conciergus::gateway {

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
  auto response = http::make_response(200, "application/json", body + "]}\n");
  response.headers.add("cache-control", "no-store");
  co_return response;
}

}  // namespace conciergus::gateway

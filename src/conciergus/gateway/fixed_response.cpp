#include "conciergus/gateway/fixed_response.hpp"

namespace conciergus::gateway {

FixedResponse::FixedResponse(const ResponseConfig& config)
    : status_(config.status),
      headers_{{"content-type", config.content_type}},
      body_(std::make_shared<const std::string>(config.body)) {}

Task<Result<http::Response>> FixedResponse::handle(http::RequestContext&, http::Request&) const {
  http::Response response;
  response.status = status_;
  response.headers = headers_;
  response.body = http::Body::shared(body_, *body_);
  co_return response;
}

}  // namespace conciergus::gateway

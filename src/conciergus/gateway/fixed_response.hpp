#pragma once
/// Answers that the configuration spells out: robots.txt, security.txt, a maintenance page.
#include <memory>
#include <string>

#include "conciergus/gateway/config.hpp"
#include "conciergus/http/handler.hpp"

namespace conciergus::gateway {

/// Any thread.
class FixedResponse final : public http::Handler {
 public:
  explicit FixedResponse(const ResponseConfig& config);
  Task<Result<http::Response>> handle(http::RequestContext& context,
                                      http::Request& request) const override;

 private:
  const unsigned status_;
  const http::Headers headers_;
  const std::shared_ptr<const std::string> body_;  // shared with the responses under way
};

}  // namespace conciergus::gateway

#pragma once
/// The administration's data, as JSON.
#include <memory>

#include "conciergus/gateway/config.hpp"
#include "conciergus/http/handler.hpp"

namespace conciergus::gateway {

/// GET /_conciergus/api/config: every value in force and its origin, secrets masked.
class ConfigHandler final : public http::Handler {
 public:
  explicit ConfigHandler(std::shared_ptr<const LoadedConfig> loaded) : loaded_(std::move(loaded)) {}
  Task<Result<http::Response>> handle(http::RequestContext& context,
                                      http::Request& request) const override;

 private:
  std::shared_ptr<const LoadedConfig> loaded_;
};

}  // namespace conciergus::gateway

#pragma once
/// The administration's data, as JSON.
#include <memory>

#include "conciergus/cache/store.hpp"
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

/// /_conciergus/api/cache: GET tells how full the store of answers is, DELETE empties it.
class CacheHandler final : public http::Handler {
 public:
  explicit CacheHandler(cache::Store& store) : store_(store) {}
  Task<Result<http::Response>> handle(http::RequestContext& context,
                                      http::Request& request) const override;

 private:
  cache::Store& store_;
};

}  // namespace conciergus::gateway

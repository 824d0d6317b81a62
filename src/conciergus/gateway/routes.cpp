#include "conciergus/gateway/routes.hpp"

#include "conciergus/gateway/admin_api.hpp"
#include "conciergus/gateway/admin_guard.hpp"
#include "conciergus/gateway/file_handler.hpp"
#include "conciergus/gateway/fixed_response.hpp"
#include "conciergus/gateway/page_handler.hpp"
#include "conciergus/gateway/status_handlers.hpp"
#include "conciergus/http/compression.hpp"
#include "conciergus/http/error_guard.hpp"
#include "conciergus/http/proxy_handler.hpp"
#include "conciergus/http/trace_middleware.hpp"

namespace conciergus::gateway {
namespace {

class NothingHere final : public http::Handler {
 public:
  Task<Result<http::Response>> handle(http::RequestContext&, http::Request&) const override {
    co_return fail(ErrorCode::kNotFound, "");
  }
};

using Middlewares = std::vector<std::unique_ptr<http::Middleware>>;

std::shared_ptr<const http::Handler> guarded(const GatewayConfig& config,
                                             std::shared_ptr<const http::Handler> handler) {
  Middlewares middlewares;
  middlewares.push_back(std::make_unique<AdminGuard>(config.admin.token, config.admin.loopback));
  return std::make_shared<http::Chain>(std::move(middlewares), std::move(handler));
}

void add_status(http::Router& router, const GatewayConfig& config, const Services& services) {
  std::vector<std::string> reasons;
  if (config.llm.providers.empty()) reasons.emplace_back("no provider is configured");
  router.add("GET", "/_conciergus/healthz", "healthz", std::make_shared<HealthHandler>());
  router.add("GET",
             "/_conciergus/readyz",
             "readyz",
             std::make_shared<ReadyHandler>(services.is_draining, std::move(reasons)));
  router.add("GET",
             "/_conciergus/metrics",
             "metrics",
             guarded(config, std::make_shared<MetricsHandler>(services.process)));
}

void add_admin(http::Router& router,
               const std::shared_ptr<const LoadedConfig>& loaded,
               const Services& services) {
  const auto& config = loaded->config;
  const auto add = [&](std::string_view methods, std::string_view path, auto handler) {
    router.add(methods, path, "admin", guarded(config, std::move(handler)));
  };
  add("GET", "/_conciergus/api/config", std::make_shared<ConfigHandler>(loaded));
  add("GET DELETE", "/_conciergus/api/cache", std::make_shared<CacheHandler>(services.store));
  // the namespace is ours: nothing in it goes to an application or a folder
  router.add("*", "/_conciergus/*", "admin", std::make_shared<NothingHere>());
}

/// Everything that is no route of the gateway: the application, a folder or the embedded pages.
Result<void> add_fallback(http::Router& router,
                          const GatewayConfig& config,
                          const Services& services) {
  if (!config.app.url.empty()) {
    CONCIERGUS_TRY(auto parsed, http::Origin::parse(config.app.url));
    http::ProxyConfig proxy{.origin = std::move(parsed.first),
                            .base_path = std::move(parsed.second)};
    router.add(
        "*", "/*", "app", std::make_shared<http::ProxyHandler>(services.clients, std::move(proxy)));
  } else if (!config.files.root.empty()) {
    CONCIERGUS_TRY(auto files, FileHandler::open(config.files.root));
    router.add("*", "/*", "files", std::move(files));
  } else {
    router.add("*", "/*", "pages", std::make_shared<PageHandler>(embedded_pages()));
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<const http::Handler>> make_router(
    const std::shared_ptr<const LoadedConfig>& loaded,
    const std::shared_ptr<llm::LlmEngine>& engine,
    const Services& services) {
  auto router = std::make_shared<http::Router>();
  add_status(*router, loaded->config, services);
  add_admin(*router, loaded, services);
  add_llm_routes(*router, loaded->config, engine);
  for (const auto& response : loaded->config.responses) {
    router->add("GET", response.path, "responses", std::make_shared<FixedResponse>(response));
  }
  CONCIERGUS_CHECK(add_fallback(*router, loaded->config, services));
  return router;
}

std::shared_ptr<const http::Handler> make_chain(const GatewayConfig& config,
                                                const Services& services,
                                                const http::RequestObserver& observer,
                                                std::shared_ptr<const http::Handler> router) {
  Middlewares middlewares;
  middlewares.push_back(std::make_unique<http::TraceMiddleware>());
  middlewares.push_back(
      std::make_unique<http::ErrorGuard>(services.metrics, config.server.show_error_detail));
  middlewares.push_back(std::make_unique<http::ConcurrencyLimit>(
      observer, services.metrics, config.server.limits.requests));
  middlewares.push_back(
      std::make_unique<http::Compression>(http::CompressionConfig{}, services.metrics));
  return std::make_shared<http::Chain>(std::move(middlewares), std::move(router));
}

}  // namespace conciergus::gateway

#include "conciergus/gateway/routes.hpp"

#include "conciergus/gateway/admin_api.hpp"
#include "conciergus/gateway/admin_guard.hpp"
#include "conciergus/gateway/file_handler.hpp"
#include "conciergus/gateway/page_handler.hpp"
#include "conciergus/gateway/status_handlers.hpp"
#include "conciergus/http/error_guard.hpp"
#include "conciergus/http/trace_middleware.hpp"

namespace conciergus::gateway {
namespace {

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

/// Everything that is no route of the gateway: a folder or the embedded pages.
Result<std::shared_ptr<const http::Handler>> make_fallback(const GatewayConfig& config) {
  if (config.files.root.empty()) return std::make_shared<PageHandler>(embedded_pages());
  CONCIERGUS_TRY(std::shared_ptr<const http::Handler> files, FileHandler::open(config.files.root));
  return files;
}

}  // namespace

Result<std::shared_ptr<const http::Handler>> make_router(
    const std::shared_ptr<const LoadedConfig>& loaded, const Services& services) {
  const auto& config = loaded->config;
  auto router = std::make_shared<http::Router>();
  add_status(*router, config, services);
  router->add("GET",
              "/_conciergus/api/config",
              "admin",
              guarded(config, std::make_shared<ConfigHandler>(loaded)));
  CONCIERGUS_TRY(auto fallback, make_fallback(config));
  router->add("*", "/*", config.files.root.empty() ? "pages" : "files", std::move(fallback));
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
      observer, services.metrics, config.server.max_requests));
  return std::make_shared<http::Chain>(std::move(middlewares), std::move(router));
}

}  // namespace conciergus::gateway

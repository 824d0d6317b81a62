#pragma once
/// What monitors ask: is it alive, can it serve, how is it doing.
#include <atomic>
#include <functional>
#include <vector>

#include "conciergus/gateway/process_metrics.hpp"
#include "conciergus/http/handler.hpp"

namespace conciergus::gateway {

/// GET /_conciergus/healthz: 200 as long as the process answers at all.
class HealthHandler final : public http::Handler {
 public:
  Task<Result<http::Response>> handle(http::RequestContext& context,
                                      http::Request& request) const override;
};

/// GET /_conciergus/readyz: 200, or 503 with the reasons why no traffic should come here.
class ReadyHandler final : public http::Handler {
 public:
  /// `is_draining` outlives it. `reasons` are those that follow from the configuration.
  ReadyHandler(const std::atomic<bool>& is_draining, std::vector<std::string> reasons)
      : is_draining_(is_draining), reasons_(std::move(reasons)) {}
  Task<Result<http::Response>> handle(http::RequestContext& context,
                                      http::Request& request) const override;

 private:
  const std::atomic<bool>& is_draining_;
  const std::vector<std::string> reasons_;
};

/// GET /_conciergus/metrics: Prometheus text, or OpenMetrics for those who name it in Accept.
class MetricsHandler final : public http::Handler {
 public:
  explicit MetricsHandler(ProcessMetrics& process) : process_(process) {}
  Task<Result<http::Response>> handle(http::RequestContext& context,
                                      http::Request& request) const override;

 private:
  ProcessMetrics& process_;
};

}  // namespace conciergus::gateway

#include "conciergus/gateway/gateway.hpp"

#include <algorithm>
#include <thread>

#include <unistd.h>

namespace conciergus::gateway {
namespace {

constexpr std::size_t kOffloadThreads = 4;
constexpr std::size_t kOffloadJobs = 1'024;

std::size_t shard_count(const ServeConfig& config) {
  return config.shards ? config.shards : std::max(std::thread::hardware_concurrency(), 1u);
}

/// Null without certificates.
Result<http::Server::TlsContext> make_tls(const ServeConfig& config) {
  if (config.tls.empty()) return http::Server::TlsContext();
  net::TlsServerConfig tls;
  for (const auto& [certificate, key] : config.tls) {
    CONCIERGUS_TRY(auto pair, net::TlsCertificate::from_files(certificate, key));
    tls.certificates.push_back(std::move(pair));
  }
  return net::TlsServerContext::make(tls);
}

http::ServerConfig server_config(const ServeConfig& config) {
  const auto& limits = config.limits;
  http::ServerConfig server;
  server.connections.max_connections = limits.connections;
  server.connections.max_per_address = limits.connections_per_address;
  server.head.head_bytes = limits.head;
  server.head.target_bytes = limits.target;
  server.head.fields = limits.fields;
  server.http2.max_concurrent_streams = limits.streams;
  server.http2.max_head_bytes = limits.head;
  server.http2.max_fields = limits.fields;
  server.head_timeout = limits.head_timeout;
  server.head_idle_timeout = std::min(server.head_idle_timeout, limits.head_timeout);
  server.keep_alive_timeout = limits.keep_alive;
  server.body_idle_timeout = limits.body_idle;
  server.min_body_rate = limits.body_rate;
  server.write_timeout = limits.write_timeout;
  server.max_requests_per_connection = limits.requests_per_connection;
  server.show_error_detail = config.show_error_detail;
  return server;
}

}  // namespace

struct Gateway::ShardParts {
  ShardParts(runtime::Shard& shard, const LogConfig& config)
      : log(config.access ? std::make_unique<http::AccessLog>(shard, config.format, STDOUT_FILENO)
                          : nullptr),
        observer(shard.metrics(), log.get()) {}

  std::unique_ptr<http::AccessLog> log;
  http::RequestObserver observer;
};

class Gateway::ObserverSet final : public http::ExchangeObserver {
 public:
  explicit ObserverSet(const std::vector<std::unique_ptr<ShardParts>>& parts) : parts_(parts) {}
  void begun(const http::RequestContext& context) noexcept override { of(context).begun(context); }
  void ended(const http::RequestContext& context,
             const http::Request& request,
             const http::ExchangeEnd& end) noexcept override {
    of(context).ended(context, request, end);
  }

 private:
  http::RequestObserver& of(const http::RequestContext& context) const noexcept {
    return parts_[context.shard.index()]->observer;
  }
  const std::vector<std::unique_ptr<ShardParts>>& parts_;
};

Gateway::Gateway(LoadedConfig loaded, observe::Log& log)
    : log_(log),
      loaded_(std::make_shared<const LoadedConfig>(std::move(loaded))),
      process_(metrics_, system_clock()),
      offload_(kOffloadThreads, kOffloadJobs),
      runtime_(shard_count(loaded_->config.server),
               {.clock = system_clock(), .log = log, .metrics = metrics_, .offload = offload_}),
      observers_(std::make_unique<ObserverSet>(parts_)),
      clients_(runtime_, {}),
      llm_(runtime_, metrics_, loaded_->config),
      server_(runtime_, server_config(loaded_->config.server), observers_.get()) {
  for (auto& shard : runtime_.shards())
    parts_.push_back(std::make_unique<ShardParts>(*shard, loaded_->config.log));
}

Result<std::unique_ptr<Gateway>> Gateway::start(LoadedConfig loaded, observe::Log& log) {
  auto gateway = std::unique_ptr<Gateway>(new Gateway(std::move(loaded), log));
  gateway->runtime_.start();
  CONCIERGUS_CHECK(gateway->listen());
  return gateway;
}

Gateway::~Gateway() {
  stop();
}

Services Gateway::services() noexcept {
  return {.metrics = metrics_,
          .process = process_,
          .clients = clients_,
          .store = llm_.store(),
          .is_draining = is_draining_};
}

http::Server::HandlerOf Gateway::chains(std::shared_ptr<const http::Handler> router) {
  routes_ = router;
  return [this, router = std::move(router)](runtime::Shard& shard) {
    return make_chain(loaded_->config, services(), parts_[shard.index()]->observer, router);
  };
}

Result<void> Gateway::listen() {
  const auto& server = loaded_->config.server;
  CONCIERGUS_TRY(const auto tls, make_tls(server));
  CONCIERGUS_TRY(auto engine, llm_.make_engine(loaded_->config.llm));
  CONCIERGUS_TRY(auto router, make_router(loaded_, engine, services()));
  llm_.use(std::move(engine), {});
  const http::ServerAddress address{.address = {.host = server.host, .port = server.port},
                                    .is_tls = tls != nullptr};
  return server_.start({&address, 1}, chains(std::move(router)), tls);
}

Result<void> Gateway::reload(LoadedConfig loaded) {
  auto next = std::make_shared<const LoadedConfig>(std::move(loaded));
  const auto& server = next->config.server;
  const auto& running = loaded_->config.server;
  CONCIERGUS_TRY(const auto tls, make_tls(server));
  if ((tls != nullptr) == running.tls.empty())
    return fail(ErrorCode::kConfig, "TLS cannot be switched on or off without a restart");
  CONCIERGUS_TRY(auto engine, llm_.make_engine(next->config.llm));
  CONCIERGUS_TRY(auto router, make_router(next, engine, services()));
  if (server.host != running.host || server.port != running.port ||
      server.shards != running.shards) {
    log_.warn("config.needs_restart", {{"keys", "server.host, server.port, server.shards"}});
  }
  loaded_ = std::move(next);
  const auto old_routes = routes_;
  server_.replace_handler(chains(std::move(router)));
  llm_.use(std::move(engine), old_routes);
  if (tls) server_.replace_tls(tls);
  return {};
}

void Gateway::stop() {
  if (std::exchange(is_stopped_, true)) return;
  is_draining_ = true;
  server_.drain(loaded_->config.server.drain_timeout);
  runtime_.on_every_shard([this](runtime::Shard& shard) { return stop(shard); });
  runtime_.stop();
  offload_.join();
}

Task<void> Gateway::stop(runtime::Shard& shard) {
  co_await clients_.stop(shard);
  co_await llm_.stop(shard);
  if (auto& log = parts_[shard.index()]->log) co_await log->stop();
}

}  // namespace conciergus::gateway

#include "conciergus/gateway/gateway.hpp"

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
  tls.offer_http2 = false;
  for (const auto& [certificate, key] : config.tls) {
    CONCIERGUS_TRY(auto pair, net::TlsCertificate::from_files(certificate, key));
    tls.certificates.push_back(std::move(pair));
  }
  return net::TlsServerContext::make(tls);
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
      server_(runtime_, {}, observers_.get()) {
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
  return {.metrics = metrics_, .process = process_, .is_draining = is_draining_};
}

http::Server::HandlerOf Gateway::chains(std::shared_ptr<const http::Handler> router) {
  return [this, router = std::move(router)](runtime::Shard& shard) {
    return make_chain(loaded_->config, services(), parts_[shard.index()]->observer, router);
  };
}

Result<void> Gateway::listen() {
  const auto& server = loaded_->config.server;
  CONCIERGUS_TRY(const auto tls, make_tls(server));
  CONCIERGUS_TRY(auto router, make_router(loaded_, services()));
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
  CONCIERGUS_TRY(auto router, make_router(next, services()));
  if (server.host != running.host || server.port != running.port ||
      server.shards != running.shards) {
    log_.warn("config.needs_restart", {{"keys", "server.host, server.port, server.shards"}});
  }
  loaded_ = std::move(next);
  server_.replace_handler(chains(std::move(router)));
  if (tls) server_.replace_tls(tls);
  return {};
}

void Gateway::stop() {
  if (std::exchange(is_stopped_, true)) return;
  is_draining_ = true;
  server_.drain(loaded_->config.server.drain_timeout);
  runtime_.on_every_shard([this](runtime::Shard& shard) -> Task<void> {
    if (auto& log = parts_[shard.index()]->log) co_await log->stop();
  });
  runtime_.stop();
  offload_.join();
}

}  // namespace conciergus::gateway

#include "conciergus/http/server.hpp"

namespace conciergus::http {

Server::Server(runtime::Runtime& runtime, ServerConfig config, ExchangeObserver* observer)
    : runtime_(runtime), config_(std::move(config)), limiter_(config_.connections) {
  for (auto& shard : runtime_.shards()) {
    shards_.push_back(std::make_unique<ServerShard>(*shard, config_, limiter_, observer));
  }
}

Server::~Server() {
  stop();
}

Result<void> Server::start(std::span<const ServerAddress> addresses,
                           const HandlerOf& handler_of,
                           const TlsContext& tls) {
  std::vector<std::vector<net::ListenSocket>> sockets;
  for (const auto& [address, is_tls] : addresses) {
    if (is_tls && !tls) {
      return fail(ErrorCode::kConfig, address.to_string() + " needs a TLS certificate");
    }
    CONCIERGUS_TRY(auto bound, net::listen_on(address, shards_.size()));
    sockets.push_back(std::move(bound));
  }
  for (const auto& bound : sockets) endpoints_.push_back(bound.front().local());

  is_running_ = true;
  runtime_.on_every_shard([&](runtime::Shard& shard) -> Task<void> {
    auto& server = of(shard);
    server.set_handler(handler_of(shard));
    server.set_tls(tls);
    for (std::size_t i = 0; i < addresses.size(); ++i) {
      server.listen(std::move(sockets[i][shard.index()]), addresses[i].is_tls);
    }
    co_return;
  });
  return {};
}

void Server::replace_handler(const HandlerOf& handler_of) {
  runtime_.on_every_shard([&](runtime::Shard& shard) -> Task<void> {
    of(shard).set_handler(handler_of(shard));
    co_return;
  });
}

void Server::replace_tls(const TlsContext& tls) {
  runtime_.on_every_shard([&](runtime::Shard& shard) -> Task<void> {
    of(shard).set_tls(tls);
    co_return;
  });
}

void Server::drain(std::chrono::milliseconds limit) {
  if (!std::exchange(is_running_, false)) return;
  const auto deadline = Deadline::after(system_clock(), limit);
  runtime_.on_every_shard([&](runtime::Shard& shard) { return of(shard).drain(deadline); });
}

void Server::stop() {
  if (!std::exchange(is_running_, false)) return;
  runtime_.on_every_shard([&](runtime::Shard& shard) { return of(shard).stop(); });
}

}  // namespace conciergus::http

#pragma once
/// One shard's share of the HTTP server: its listeners, connections and current handler.
#include <memory>
#include <string>
#include <vector>

#include "conciergus/http/connection.hpp"
#include "conciergus/http/drain_signal.hpp"
#include "conciergus/http/exchange_observer.hpp"
#include "conciergus/http/handler.hpp"
#include "conciergus/http/server_config.hpp"
#include "conciergus/http/server_metrics.hpp"
#include "conciergus/net/listener.hpp"
#include "conciergus/net/tls_server_context.hpp"

namespace conciergus::http {

/// Used on its shard's thread, the constructor apart. What it is given outlives it; await drain()
/// or stop() before destroying it.
class ServerShard {
 public:
  ServerShard(runtime::Shard& shard,
              const ServerConfig& config,
              net::ConnectionLimiter& limiter,
              ExchangeObserver* observer);

  /// Accepts on `socket` from now on. There must be a handler, and for TLS a context.
  void listen(net::ListenSocket socket, bool is_tls);
  /// New requests go to `handler`; running ones keep theirs, and keep it alive.
  void set_handler(std::shared_ptr<const Handler> handler) noexcept {
    handler_ = std::move(handler);
  }
  /// New connections use `tls`; open ones keep theirs.
  void set_tls(std::shared_ptr<const net::TlsServerContext> tls) noexcept { tls_ = std::move(tls); }

  /// Stops accepting, lets what runs finish until `deadline` less the farewell time, ends streams
  /// politely, and cancels what is left then.
  Task<void> drain(Deadline deadline);
  /// Stops accepting and cancels everything.
  Task<void> stop();

  // For its connections.
  runtime::Shard& shard() noexcept { return shard_; }
  const ServerConfig& config() const noexcept { return config_; }
  const ServerMetrics& metrics() const noexcept { return metrics_; }
  DrainSignal& drain_signal() noexcept { return drain_signal_; }
  ExchangeObserver* observer() noexcept { return observer_; }
  const std::shared_ptr<const Handler>& handler() const noexcept { return handler_; }
  runtime::Gate& gate() noexcept { return gate_; }
  void enlist(Connection& connection) noexcept { connections_.push_back(connection); }
  /// The value of the Date field; formatted once a second. Valid until the next call.
  std::string_view date(Clock::Instant now);
  /// The identifier for a request that brought none: 13 characters.
  std::string make_request_id();

 private:
  using Connections =
      boost::intrusive::list<Connection, boost::intrusive::constant_time_size<false>>;

  void welcome(net::TcpStream stream, net::ConnectionLimiter::Place place, bool is_tls);
  Task<void> serve(net::TcpStream stream,
                   net::ConnectionLimiter::Place place,
                   bool is_tls,
                   std::shared_ptr<runtime::Gate::Member> self);
  Task<void> serve_tls(net::TcpStream stream, std::shared_ptr<runtime::Gate::Member> self);
  Task<void> speak(net::Stream& stream, std::shared_ptr<runtime::Gate::Member> self);
  void stop_accepting() noexcept;
  /// Makes room for the next client when there are too many.
  void close_one_idle() noexcept;

  runtime::Shard& shard_;
  const ServerConfig& config_;
  net::ConnectionLimiter& limiter_;
  ExchangeObserver* observer_;
  const ServerMetrics metrics_;
  std::shared_ptr<const Handler> handler_;
  std::shared_ptr<const net::TlsServerContext> tls_;
  DrainSignal drain_signal_;
  Connections connections_;
  std::vector<std::unique_ptr<net::Listener>> listeners_;
  std::string date_;
  Clock::Instant date_until_;
  runtime::Gate gate_;
};

}  // namespace conciergus::http

#include "conciergus/http/server_shard.hpp"

#include "conciergus/codec/http_date.hpp"
#include "conciergus/http/http1_connection.hpp"
#include "conciergus/http/http2_connection.hpp"
#include "conciergus/net/tls_stream.hpp"

namespace conciergus::http {
namespace {

constexpr std::string_view kBusy =
    "HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\n"
    "connection: close\r\n\r\n";

constexpr int kLooksForIdle = 64;  // at a time, so that a full server does not search for ever

class Counted {
 public:
  explicit Counted(observe::Gauge& gauge) noexcept : gauge_(gauge) { gauge_.add(1); }
  ~Counted() { gauge_.add(-1); }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  observe::Gauge& gauge_;
};

class CloseAt final : public runtime::Watchdog::Watch {
 public:
  CloseAt(runtime::Watchdog& watchdog, net::Stream& stream, Clock::Instant at)
      : Watch(watchdog), stream_(stream) {
    expires_at(at);
  }

 private:
  void on_expired() override { stream_.close(); }
  net::Stream& stream_;
};

}  // namespace

ServerShard::ServerShard(runtime::Shard& shard,
                         const ServerConfig& config,
                         net::ConnectionLimiter& limiter,
                         ExchangeObserver* observer)
    : shard_(shard),
      config_(config),
      limiter_(limiter),
      observer_(observer),
      metrics_(ServerMetrics::from(shard.metrics())),
      gate_(shard.executor(), shard.on_escape()) {}

void ServerShard::listen(net::ListenSocket socket, bool is_tls) {
  const auto refusal = is_tls ? std::string_view() : kBusy;
  auto& listener = listeners_.emplace_back(
      std::make_unique<net::Listener>(shard_, std::move(socket), limiter_, refusal));
  auto on_accept = [this, is_tls](net::TcpStream stream, net::ConnectionLimiter::Place place) {
    welcome(std::move(stream), std::move(place), is_tls);
  };
  gate_.spawn("http.accept", listener->run(std::move(on_accept), [this] { close_one_idle(); }));
}

void ServerShard::close_one_idle() noexcept {
  for (int looked_at = 0; looked_at < kLooksForIdle && !connections_.empty(); ++looked_at) {
    auto& connection = connections_.front();
    connections_.splice(connections_.end(), connections_, connections_.begin());
    if (!connection.is_idle()) continue;
    connection.drain();
    return;
  }
}

void ServerShard::welcome(net::TcpStream stream, net::ConnectionLimiter::Place place, bool is_tls) {
  auto self = std::make_shared<runtime::Gate::Member>();
  const auto member =
      gate_.spawn("http.connection", serve(std::move(stream), std::move(place), is_tls, self));
  if (member) *self = *member;
}

Task<void> ServerShard::serve(net::TcpStream stream,
                              [[maybe_unused]] net::ConnectionLimiter::Place place,
                              bool is_tls,
                              std::shared_ptr<runtime::Gate::Member> self) {
  const Counted counted(metrics_.open_connections);
  if (is_tls) {
    co_await serve_tls(std::move(stream), std::move(self));
  } else {
    co_await speak(stream, std::move(self));
  }
}

Task<void> ServerShard::serve_tls(net::TcpStream stream,
                                  std::shared_ptr<runtime::Gate::Member> self) {
  net::TlsStream tls(std::move(stream), tls_->make_session(), tls_);
  {
    const CloseAt limit(shard_.watchdog(), tls, shard_.now() + config_.handshake_timeout);
    const auto done = co_await tls.handshake();
    if (!done) {
      metrics_.failed_handshakes.add();
      co_return;
    }
  }
  co_await speak(tls, std::move(self));
}

Task<void> ServerShard::speak(net::Stream& stream, std::shared_ptr<runtime::Gate::Member> self) {
  std::string preface;
  if (stream.alpn() != "h2") {
    Http1Connection connection(*this, stream, std::move(self));
    co_await connection.run();
    preface = connection.take_http2_preface();
    if (preface.empty()) co_return;
  }
  Http2Connection connection(*this, stream, std::move(preface));
  co_await connection.run();
}

void ServerShard::stop_accepting() noexcept {
  for (auto& listener : listeners_) listener->close();
}

Task<void> ServerShard::drain(Deadline deadline) {
  stop_accepting();
  drain_signal_.begin();
  for (auto& connection : connections_) connection.drain();

  const auto last_words =
      deadline.is_never() ? deadline : Deadline(deadline.at() - config_.farewell);
  if (!co_await gate_.drain(last_words)) {
    drain_signal_.end();
    co_await gate_.drain(deadline);
  }
  co_await gate_.stop();
}

Task<void> ServerShard::stop() {
  stop_accepting();
  co_await gate_.stop();
}

std::string_view ServerShard::date(Clock::Instant now) {
  if (now >= date_until_ || date_.empty()) {
    const auto wall = shard_.clock().wall_now();
    const auto second = std::chrono::floor<std::chrono::seconds>(wall);
    date_ = codec::format_http_date(wall);
    date_until_ = now + (second + std::chrono::seconds(1) - wall);
  }
  return date_;
}

std::string ServerShard::make_request_id() {
  static constexpr std::string_view kAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";
  std::string id(13, '0');  // 64 bits; fits into the string itself
  auto bits = shard_.random()();
  for (auto& digit : id) {
    digit = kAlphabet[bits & 31];
    bits >>= 5;
  }
  return id;
}

}  // namespace conciergus::http

#include "conciergus/http/client.hpp"

#include <unordered_map>

#include "conciergus/http/upstream_exchange.hpp"
#include "conciergus/http/upstream_pool.hpp"
#include "conciergus/http/upstream_upgrade.hpp"

namespace conciergus::http {
namespace {

/// Request bodies of this size are read whole before a connection is taken: a slow client then
/// holds none, and the body can be sent again on a fresh one.
constexpr std::uint64_t kReadAhead = 16'384;
/// Pools beyond that make room for new ones when they have no connection.
constexpr std::size_t kManyPools = 256;

struct OriginHash {
  std::size_t operator()(const Origin& origin) const noexcept {
    return std::hash<std::string_view>()(origin.host) ^ (origin.port * 0x9e3779b97f4a7c15) ^
           origin.scheme.size();
  }
};

std::chrono::milliseconds or_default(std::chrono::milliseconds wanted,
                                     std::chrono::milliseconds otherwise) noexcept {
  return wanted.count() > 0 ? wanted : otherwise;
}

}  // namespace

class Client::Impl {
 public:
  Impl(runtime::Shard& shard, ClientConfig config)
      : shard_(shard),
        config_(std::move(config)),
        connector_(shard, {.verify = config_.verify_tls, .ca_file = config_.ca_file}) {}

  Task<Result<Response>> send(const Origin& origin,
                              ClientRequest request,
                              const CallLimits& limits,
                              InterimSink* interim,
                              CallReport& report) {
    auto& pool = pool_for(origin);
    pool.metrics().requests.add();
    auto response = co_await attempt(pool, origin, request, limits, interim, report);
    if (!response && response.error().code() != ErrorCode::kCancelled) {
      pool.metrics().failure(report.phase).add();
    }
    co_return response;
  }

  Task<void> stop() {
    for (auto& [origin, pool] : pools_) pool->stop();
    stopped_ = true;
    co_await connector_.stop();
  }

 private:
  Task<Result<Response>> attempt(UpstreamPool& pool,
                                 const Origin& origin,
                                 ClientRequest& request,
                                 const CallLimits& limits,
                                 InterimSink* interim,
                                 CallReport& report) {
    CONCIERGUS_CO_CHECK(co_await read_ahead(request));
    const ExchangeLimits exchange_limits{.head = or_default(limits.head, config_.head_timeout),
                                         .idle = or_default(limits.idle, config_.idle_timeout),
                                         .overall = limits.deadline};
    const UpstreamPool::Limits pool_limits{
        .queue = limits.deadline.within(shard_.now(), exchange_limits.head),
        .overall = limits.deadline,
        .connect = or_default(limits.connect, config_.connect_timeout)};
    for (auto freshness = UpstreamPool::Freshness::kAny;;) {
      auto lease = co_await pool.acquire(freshness, pool_limits, report);
      if (!lease) co_return std::unexpected(std::move(lease).error());
      report.reused = lease->is_reused();
      if (report.reused) pool.metrics().reused.add();
      UpstreamExchange exchange(
          *std::move(lease), origin, request, exchange_limits, interim, report);
      auto response = co_await exchange.run();
      if (response || response.error().code() != ErrorCode::kUnavailable ||
          !exchange.may_repeat() || report.retried_stale) {
        co_return response;
      }
      report.retried_stale = true;
      pool.metrics().stale_retries.add();
      freshness = UpstreamPool::Freshness::kNew;
    }
  }

  static Task<Result<void>> read_ahead(ClientRequest& request) {
    auto* stream = request.body.stream();
    const auto size = stream ? stream->size() : std::nullopt;
    if (!size || *size > kReadAhead || request.headers.contains("expect")) {
      co_return Result<void>{};
    }
    auto text = co_await read_all(*stream, kReadAhead);
    if (!text) co_return std::unexpected(std::move(text).error());
    request.body = Body(*std::move(text));
    co_return Result<void>{};
  }

  UpstreamPool& pool_for(const Origin& origin) {
    if (const auto found = pools_.find(origin); found != pools_.end()) return *found->second;
    if (pools_.size() >= kManyPools) {
      std::erase_if(pools_, [](const auto& item) { return item.second->is_unused(); });
    }
    auto& pool = pools_[origin];
    pool = std::make_unique<UpstreamPool>(shard_, connector_, origin, config_);
    if (stopped_) pool->stop();
    return *pool;
  }

  runtime::Shard& shard_;
  const ClientConfig config_;
  net::Connector connector_;
  std::unordered_map<Origin, std::unique_ptr<UpstreamPool>, OriginHash> pools_;
  bool stopped_ = false;
};

Client::Client(runtime::Shard& shard, ClientConfig config)
    : impl_(std::make_unique<Impl>(shard, std::move(config))) {}

Client::~Client() = default;

Task<Result<Response>> Client::send(const Origin& origin,
                                    ClientRequest request,
                                    CallLimits limits,
                                    InterimSink* interim,
                                    CallReport* report) {
  CallReport unread;
  co_return co_await impl_->send(
      origin, std::move(request), limits, interim, report ? *report : unread);
}

Task<void> Client::stop() {
  return impl_->stop();
}

Upgraded take_upgraded(Response& response) {
  auto* body = dynamic_cast<UpgradedBody*>(response.body.stream());
  return body ? body->take() : Upgraded();
}

}  // namespace conciergus::http

#include "conciergus/http/upstream_pool.hpp"

#include <utility>

namespace conciergus::http {
namespace {

constexpr std::string_view kFailuresHelp = "Calls that failed, by how far they had come.";
constexpr std::array<const char*, 8> kPhaseNames = {
    "queue", "dns", "connect", "tls", "send", "head", "body", "done"};

CallReport::Phase phase_of(net::ConnectStage stage) noexcept {
  switch (stage) {
    case net::ConnectStage::kDns:
      return CallReport::Phase::kDns;
    case net::ConnectStage::kTcp:
      return CallReport::Phase::kConnect;
    case net::ConnectStage::kTls:
      return CallReport::Phase::kTls;
    case net::ConnectStage::kDone:
      return CallReport::Phase::kSend;
  }
  return CallReport::Phase::kConnect;
}

}  // namespace

UpstreamMetrics::UpstreamMetrics(observe::Registry& registry, const std::string& origin)
    : requests(registry.counter("conciergus_http_upstream_requests_total",
                                "Calls to an upstream.",
                                {{"origin", origin}})),
      created(registry.counter("conciergus_http_upstream_connections_created_total",
                               "Connections made to an upstream.",
                               {{"origin", origin}})),
      reused(registry.counter("conciergus_http_upstream_connections_reused_total",
                              "Calls that found a pooled connection.",
                              {{"origin", origin}})),
      stale_retries(registry.counter("conciergus_http_upstream_stale_retries_total",
                                     "Calls repeated because the pooled connection had died.",
                                     {{"origin", origin}})),
      open(registry.gauge("conciergus_http_upstream_connections_open",
                          "Connections to an upstream, those being made included.",
                          {{"origin", origin}})),
      idle(registry.gauge("conciergus_http_upstream_connections_idle",
                          "Open connections that wait for a call.",
                          {{"origin", origin}})),
      queued(registry.gauge("conciergus_http_upstream_queued_calls",
                            "Calls that wait for a connection.",
                            {{"origin", origin}})),
      connect_seconds(registry.histogram("conciergus_http_upstream_connect_seconds",
                                         "DNS, TCP and TLS of a new connection.",
                                         observe::latency_buckets(),
                                         {{"origin", origin}})),
      head_seconds(registry.histogram("conciergus_http_upstream_head_seconds",
                                      "From dispatch to the head of the response.",
                                      observe::latency_buckets(),
                                      {{"origin", origin}})) {
  for (std::size_t i = 0; i < failures.size(); ++i) {
    failures[i] = &registry.counter("conciergus_http_upstream_failures_total",
                                    kFailuresHelp,
                                    {{"origin", origin}, {"phase", kPhaseNames[i]}});
  }
}

/// A call in the queue. Leaves it when destroyed, and passes on what it was granted but did not
/// take.
class UpstreamPool::Waiter {
 public:
  explicit Waiter(UpstreamPool& pool)
      : pool_(pool),
        changed_(pool.shard_.executor()),
        place_(pool.waiters_.insert(pool.waiters_.end(), this)) {
    pool_.metrics_.queued.add(1);
  }
  ~Waiter() {
    leave();
    if (granted_ && granted_->connection_) granted_->give_back();
  }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  void grant(Lease lease) {
    granted_.emplace(std::move(lease));
    leave();
    changed_.notify_all();
  }
  void refuse() {
    refused_ = true;
    changed_.notify_all();
  }
  bool is_over() const noexcept { return granted_.has_value() || refused_; }
  Task<void> wait(Deadline deadline) { return changed_.wait(deadline); }
  std::optional<Lease> take() { return std::exchange(granted_, std::nullopt); }

 private:
  void leave() {
    if (!std::exchange(queued_, false)) return;
    pool_.waiters_.erase(place_);
    pool_.metrics_.queued.add(-1);
  }

  UpstreamPool& pool_;
  runtime::Notifier changed_;
  std::list<Waiter*>::iterator place_;
  bool queued_ = true;
  bool refused_ = false;
  std::optional<Lease> granted_;
};

class UpstreamPool::Expiry final : public runtime::Watchdog::Watch {
 public:
  explicit Expiry(UpstreamPool& pool) : Watch(pool.shard_.watchdog()), pool_(pool) {}

 private:
  void on_expired() override { pool_.expire(); }
  UpstreamPool& pool_;
};

UpstreamPool::UpstreamPool(runtime::Shard& shard,
                           net::Connector& connector,
                           const Origin& origin,
                           const ClientConfig& config)
    : shard_(shard),
      connector_(connector),
      origin_(origin),
      config_(config),
      head_limits_{.head_bytes = config.max_head_bytes},
      metrics_(shard.metrics(), origin.to_string()),
      expiry_(std::make_unique<Expiry>(*this)) {}

UpstreamPool::~UpstreamPool() {
  close_idle();
}

Task<Result<UpstreamPool::Lease>> UpstreamPool::acquire(Freshness freshness,
                                                        const Limits& limits,
                                                        CallReport& report) {
  report.phase = CallReport::Phase::kQueue;
  if (freshness == Freshness::kNew) close_idle();
  if (auto connection = take_idle()) co_return Lease(*this, std::move(connection));
  if (stopped_) co_return fail(ErrorCode::kUnavailable, "the client has been stopped");

  std::optional<Lease> lease;
  if (open_ < config_.max_connections) {
    ++open_;
    metrics_.open.add(1);
    lease.emplace(Lease(*this, nullptr));
  } else {
    auto granted = co_await wait_in_queue(limits.queue);
    if (!granted) co_return std::unexpected(std::move(granted).error());
    lease.emplace(*std::move(granted));
  }
  if (!lease->connection_) {
    auto connected = co_await connect(*lease, limits, report);
    if (!connected) co_return std::unexpected(std::move(connected).error());
  }
  co_return *std::move(lease);
}

std::unique_ptr<UpstreamConnection> UpstreamPool::take_idle() {
  while (!idle_.empty()) {
    auto connection = std::move(idle_.back().connection);
    idle_.pop_back();
    metrics_.idle.add(-1);
    if (connection->is_reusable()) return connection;
    free_slot();
  }
  return nullptr;
}

Task<Result<UpstreamPool::Lease>> UpstreamPool::wait_in_queue(Deadline deadline) {
  if (waiters_.size() >= config_.max_queued) {
    co_return fail(ErrorCode::kOverloaded, "too many calls wait for " + origin_.to_string());
  }
  Waiter waiter(*this);
  while (!waiter.is_over()) {
    if (deadline.has_passed(system_clock().now())) {
      co_return fail(ErrorCode::kOverloaded,
                     "no connection to " + origin_.to_string() + " became free in time");
    }
    co_await waiter.wait(deadline);
  }
  auto lease = waiter.take();
  if (!lease) co_return fail(ErrorCode::kUnavailable, "the client has been stopped");
  co_return *std::move(lease);
}

Task<Result<void>> UpstreamPool::connect(Lease& lease, const Limits& limits, CallReport& report) {
  const auto started = shard_.now();
  const net::ConnectTarget target{origin_.host, origin_.port, origin_.scheme == "https"};
  const auto deadline = limits.overall.within(started, limits.connect);
  net::ConnectStage stage{};
  auto stream = co_await connector_.connect(target, deadline, stage);
  report.phase = phase_of(stage);
  if (!stream) co_return std::unexpected(std::move(stream).error());
  const std::chrono::duration<double> took = shard_.now() - started;
  report.connect_ms = took.count() * 1e3;
  metrics_.connect_seconds.observe(took.count());
  metrics_.created.add();
  lease.connection_ =
      std::make_unique<UpstreamConnection>(shard_.executor(), *std::move(stream), head_limits_);
  co_return Result<void>{};
}

/// To the call that has waited longest, else to the idle ones.
void UpstreamPool::take_back(std::unique_ptr<UpstreamConnection> connection) noexcept {
  connection->rest();
  if (stopped_ || !connection->is_open()) {
    connection.reset();
    free_slot();
  } else if (!waiters_.empty()) {
    waiters_.front()->grant(Lease(*this, std::move(connection)));
  } else {
    const auto now = shard_.now();
    if (idle_.empty()) expiry_->expires_at(now + config_.keep_idle);
    idle_.push_back({std::move(connection), now});
    metrics_.idle.add(1);
  }
}

/// A connection has gone: whoever waits longest may make another.
void UpstreamPool::free_slot() noexcept {
  if (!waiters_.empty() && !stopped_) {
    waiters_.front()->grant(Lease(*this, nullptr));
    return;
  }
  --open_;
  metrics_.open.add(-1);
}

void UpstreamPool::close_idle() noexcept {
  auto idle = std::exchange(idle_, {});
  metrics_.idle.add(-static_cast<std::int64_t>(idle.size()));
  for (auto& item : idle) {
    item.connection.reset();
    free_slot();
  }
}

/// Closes what has been idle for too long, and what the upstream has closed meanwhile.
void UpstreamPool::expire() noexcept {
  const auto now = shard_.now();
  auto kept = idle_.begin();
  for (auto& item : idle_) {
    if (now - item.since < config_.keep_idle && item.connection->is_reusable()) {
      *kept++ = std::move(item);
    } else {
      item.connection.reset();
      free_slot();
      metrics_.idle.add(-1);
    }
  }
  idle_.erase(kept, idle_.end());
  if (!idle_.empty()) expiry_->expires_at(idle_.front().since + config_.keep_idle);
}

void UpstreamPool::stop() noexcept {
  stopped_ = true;
  close_idle();
  for (auto* waiter : waiters_) waiter->refuse();
}

UpstreamPool::Lease::~Lease() {
  if (!pool_) return;
  connection_.reset();
  pool_->free_slot();
}

void UpstreamPool::Lease::give_back() noexcept {
  std::exchange(pool_, nullptr)->take_back(std::move(connection_));
}

std::unique_ptr<net::Stream> UpstreamPool::Lease::release() noexcept {
  auto stream = connection_->release();
  connection_.reset();
  std::exchange(pool_, nullptr)->free_slot();
  return stream;
}

}  // namespace conciergus::http

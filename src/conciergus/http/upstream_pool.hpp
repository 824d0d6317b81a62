#pragma once
/// Keep-alive connections of one shard to one origin: the most recently used one is taken first, at
/// most so many are open, and further calls wait in a bounded queue. Internal to the client.
#include <array>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "conciergus/http/client.hpp"
#include "conciergus/http/upstream_connection.hpp"
#include "conciergus/net/connector.hpp"
#include "conciergus/observe/metrics.hpp"
#include "conciergus/runtime/notifier.hpp"
#include "conciergus/runtime/watchdog.hpp"

namespace conciergus::http {

/// Labelled with the origin, which comes from the configuration.
struct UpstreamMetrics {
  UpstreamMetrics(observe::Registry& registry, const std::string& origin);
  observe::Counter& failure(CallReport::Phase phase) {
    return *failures[static_cast<std::size_t>(phase)];
  }

  observe::Counter& requests;
  observe::Counter& created;        ///< Connections.
  observe::Counter& reused;         ///< Requests on a pooled connection.
  observe::Counter& stale_retries;  ///< Pooled connections that had died when they were used.
  observe::Gauge& open;
  observe::Gauge& idle;
  observe::Gauge& queued;
  observe::Histogram& connect_seconds;
  observe::Histogram& head_seconds;
  std::array<observe::Counter*, 8> failures;
};

/// Belongs to one shard; outlives its leases.
class UpstreamPool {
 public:
  UpstreamPool(runtime::Shard& shard,
               net::Connector& connector,
               const Origin& origin,
               const ClientConfig& config);
  ~UpstreamPool();

  /// The right to one of the pool's connections. Destroyed, it closes the connection.
  class Lease {
   public:
    Lease(Lease&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)),
          connection_(std::move(other.connection_)),
          reused_(other.reused_) {}
    Lease& operator=(Lease&&) = delete;
    ~Lease();

    UpstreamConnection& connection() noexcept { return *connection_; }
    UpstreamPool& pool() noexcept { return *pool_; }
    /// Another exchange has used the connection before.
    bool is_reused() const noexcept { return reused_; }
    /// Ends the lease after a clean exchange: the connection is for others to use.
    void give_back() noexcept;
    /// Ends the lease of a connection that has left HTTP.
    std::unique_ptr<net::Stream> release() noexcept;

   private:
    friend class UpstreamPool;
    Lease(UpstreamPool& pool, std::unique_ptr<UpstreamConnection> connection) noexcept
        : pool_(&pool), connection_(std::move(connection)), reused_(connection_ != nullptr) {}

    UpstreamPool* pool_;
    std::unique_ptr<UpstreamConnection> connection_;  // null while it is being made
    bool reused_;
  };

  enum class Freshness { kAny, kNew };
  struct Limits {
    Deadline queue;    ///< For a connection to become free.
    Deadline overall;  ///< For everything.
    std::chrono::milliseconds connect;
  };
  /// A connection that is ready to send on. kNew closes the idle ones first, since one of them has
  /// turned out dead. kOverloaded when the queue is full or none became free in time; otherwise as
  /// Connector::connect().
  Task<Result<Lease>> acquire(Freshness freshness, const Limits& limits, CallReport& report);

  /// Closes idle connections and ends the waiting of those in the queue.
  void stop() noexcept;
  bool is_unused() const noexcept { return open_ == 0 && waiters_.empty(); }
  UpstreamMetrics& metrics() noexcept { return metrics_; }

 private:
  struct Idle {
    std::unique_ptr<UpstreamConnection> connection;
    Clock::Instant since;
  };
  class Waiter;
  class Expiry;

  std::unique_ptr<UpstreamConnection> take_idle();
  Task<Result<Lease>> wait_in_queue(Deadline deadline);
  Task<Result<void>> connect(Lease& lease, const Limits& limits, CallReport& report);
  void take_back(std::unique_ptr<UpstreamConnection> connection) noexcept;
  void free_slot() noexcept;
  void close_idle() noexcept;
  void expire() noexcept;

  runtime::Shard& shard_;
  net::Connector& connector_;
  const Origin origin_;
  const ClientConfig& config_;
  const codec::Http1Limits head_limits_;
  UpstreamMetrics metrics_;
  std::uint32_t open_ = 0;      // leased, idle, or being made
  std::vector<Idle> idle_;      // the most recently used last
  std::list<Waiter*> waiters_;  // first come, first served
  bool stopped_ = false;
  std::unique_ptr<Expiry> expiry_;
};

}  // namespace conciergus::http

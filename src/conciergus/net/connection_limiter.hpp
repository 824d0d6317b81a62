#pragma once
/// How many connections may be open, in all and from one address.
#include <array>
#include <atomic>
#include <cstdint>
#include <expected>
#include <mutex>
#include <string>
#include <unordered_map>

#include "conciergus/net/stream.hpp"

namespace conciergus::net {

struct ConnectionLimits {
  std::uint32_t max_connections = 10'000;  ///< In all, of the process; at least 1.
  std::uint32_t max_per_address = 256;     ///< An IPv6 address counts by its /64; at least 1.
  /// Peers on this machine are proxies and tests: only the limit in all holds for them.
  bool exempt_loopback = true;
};

/// Shared by all shards: asked once per connection, with a short lock on one of its stripes.
class ConnectionLimiter {
 public:
  enum class Refusal : std::uint8_t { kTotal, kAddress };

  explicit ConnectionLimiter(const ConnectionLimits& limits) : limits_(limits) {}

  /// One connection's place, given back on destruction. Must not outlive the limiter.
  class [[nodiscard]] Place {
   public:
    Place(Place&& other) noexcept
        : limiter_(std::exchange(other.limiter_, nullptr)), key_(std::move(other.key_)) {}
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (limiter_) limiter_->leave(key_);
    }

   private:
    friend class ConnectionLimiter;
    Place(ConnectionLimiter* limiter, std::string key) noexcept
        : limiter_(limiter), key_(std::move(key)) {}
    ConnectionLimiter* limiter_;
    std::string key_;  // empty: not counted by address
  };

  std::expected<Place, Refusal> enter(const Endpoint& peer);
  std::uint32_t size() const noexcept { return total_.load(std::memory_order_relaxed); }
  const ConnectionLimits& limits() const noexcept { return limits_; }

 private:
  struct Stripe {
    std::mutex mutex;
    std::unordered_map<std::string, std::uint32_t> counts;
  };

  void leave(const std::string& key) noexcept;
  Stripe& stripe(const std::string& key) noexcept {
    return stripes_[std::hash<std::string>{}(key) % stripes_.size()];
  }

  const ConnectionLimits limits_;
  std::atomic<std::uint32_t> total_{0};
  std::array<Stripe, 16> stripes_;
};

}  // namespace conciergus::net

#include "conciergus/net/connection_limiter.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

namespace conciergus::net {
namespace {

/// Whoever has one address of a /64 has all of them.
std::string key_of(const Endpoint& peer) {
  in6_addr address;
  if (inet_pton(AF_INET6, peer.address.c_str(), &address) != 1) return peer.address;
  return std::string(reinterpret_cast<const char*>(address.s6_addr), 8);
}

}  // namespace

auto ConnectionLimiter::enter(const Endpoint& peer) -> std::expected<Place, Refusal> {
  if (total_.fetch_add(1, std::memory_order_relaxed) >= limits_.max_connections) {
    total_.fetch_sub(1, std::memory_order_relaxed);
    return std::unexpected(Refusal::kTotal);
  }
  Place place(this, {});
  if (peer.is_loopback && limits_.exempt_loopback) return place;

  auto key = key_of(peer);
  Stripe& there = stripe(key);
  const std::lock_guard lock(there.mutex);
  auto& count = there.counts[key];
  if (count >= limits_.max_per_address) return std::unexpected(Refusal::kAddress);
  ++count;
  place.key_ = std::move(key);
  return place;
}

void ConnectionLimiter::leave(const std::string& key) noexcept {
  total_.fetch_sub(1, std::memory_order_relaxed);
  if (key.empty()) return;
  Stripe& there = stripe(key);
  const std::lock_guard lock(there.mutex);
  const auto entry = there.counts.find(key);
  if (entry != there.counts.end() && --entry->second == 0) there.counts.erase(entry);
}

}  // namespace conciergus::net

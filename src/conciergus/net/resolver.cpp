#include "conciergus/net/resolver.hpp"

#include <algorithm>
#include <optional>

#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/address_v6.hpp>
#include <netdb.h>

#include "conciergus/runtime/notifier.hpp"

namespace conciergus::net {
namespace {

asio::ip::address to_address(const addrinfo& info) {
  if (info.ai_family == AF_INET) {
    const auto& in = *reinterpret_cast<const sockaddr_in*>(info.ai_addr);
    return asio::ip::address_v4(ntohl(in.sin_addr.s_addr));
  }
  const auto& in = *reinterpret_cast<const sockaddr_in6*>(info.ai_addr);
  asio::ip::address_v6::bytes_type bytes;
  std::copy_n(in.sin6_addr.s6_addr, bytes.size(), bytes.begin());
  return asio::ip::address_v6(bytes, in.sin6_scope_id);
}

}  // namespace

/// An answer, or the wait for one.
struct Resolver::Entry {
  std::optional<Result<Addresses>> answer;
  Clock::Instant expires;
  std::vector<runtime::Notifier*> waiters;  ///< One for each, since their deadlines differ.

  bool is_stale(Clock::Instant now) const noexcept { return answer && now >= expires; }
};

/// A caller's place among the waiters, for as long as it lives.
class Resolver::Waiter {
 public:
  Waiter(Entry& entry, runtime::Shard& shard) : entry_(entry), changed_(shard.executor()) {
    entry_.waiters.push_back(&changed_);
  }
  ~Waiter() { std::erase(entry_.waiters, &changed_); }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  Task<void> wait(Deadline deadline) { return changed_.wait(deadline); }

 private:
  Entry& entry_;
  runtime::Notifier changed_;
};

Resolver::Resolver(runtime::Shard& shard, const ResolverConfig& config, Lookup lookup)
    : shard_(shard),
      config_(config),
      lookup_(std::move(lookup)),
      gate_(shard.executor(), shard.on_escape()) {}

Resolver::~Resolver() = default;

Result<Addresses> Resolver::system_lookup(const std::string& name) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(name.c_str(), nullptr, &hints, &found); error != 0) {
    return fail(ErrorCode::kUnavailable, "cannot resolve " + name + ": " + ::gai_strerror(error));
  }
  Addresses addresses;
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    if (at->ai_family != AF_INET && at->ai_family != AF_INET6) continue;
    const auto address = to_address(*at);
    if (std::ranges::find(addresses, address) == addresses.end()) addresses.push_back(address);
  }
  ::freeaddrinfo(found);
  if (addresses.empty()) return fail(ErrorCode::kUnavailable, name + " has no address");
  return addresses;
}

Task<Result<Addresses>> Resolver::resolve(std::string name, Deadline deadline) {
  boost::system::error_code not_numeric;
  if (const auto address = asio::ip::make_address(name, not_numeric); !not_numeric) {
    co_return Addresses{address};
  }
  const auto entry = find_or_start(name);
  if (!entry) co_return fail(ErrorCode::kUnavailable, "the resolver has been stopped");
  if (!entry->answer) {
    Waiter waiter(*entry, shard_);
    while (!entry->answer) {
      if (deadline.has_passed(shard_.now())) {
        co_return fail(ErrorCode::kTimeout, "resolving " + name + " took too long");
      }
      co_await waiter.wait(deadline);
    }
  }
  co_return *entry->answer;
}

std::shared_ptr<Resolver::Entry> Resolver::find_or_start(const std::string& name) {
  if (const auto found = entries_.find(name);
      found != entries_.end() && !found->second->is_stale(shard_.now())) {
    return found->second;
  }
  make_room();
  auto entry = std::make_shared<Entry>();
  if (!gate_.spawn("resolver", look_up(*this, name, entry))) return nullptr;
  entries_[name] = entry;
  return entry;
}

Task<void> Resolver::look_up(Resolver& resolver, std::string name, std::shared_ptr<Entry> entry) {
  auto job = [lookup = resolver.lookup_, name] { return lookup(name); };
  auto outcome = co_await resolver.shard_.offload().run(std::move(job));
  entry->answer = outcome ? *std::move(outcome)
                          : Result<Addresses>(std::unexpected(std::move(outcome).error()));
  const auto keep = *entry->answer ? resolver.config_.keep : resolver.config_.keep_negative;
  entry->expires = resolver.shard_.now() + (outcome ? keep : std::chrono::seconds(0));
  for (auto* waiter : entry->waiters) waiter->notify_all();
}

/// Drops what is stale, and then the answer that expires first, once the cache is full. Look-ups
/// under way stay: the offload pool bounds them.
void Resolver::make_room() {
  if (entries_.size() < config_.max_names) return;
  const auto now = shard_.now();
  std::erase_if(entries_, [&](const auto& item) { return item.second->is_stale(now); });
  if (entries_.size() < config_.max_names) return;
  const auto oldest = std::ranges::min_element(entries_, {}, [](const auto& item) {
    return item.second->answer ? item.second->expires : Clock::Instant::max();
  });
  if (oldest->second->answer) entries_.erase(oldest);
}

Task<void> Resolver::stop() {
  return gate_.stop();
}

}  // namespace conciergus::net

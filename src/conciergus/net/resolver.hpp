#pragma once
/// Names to addresses by the system's resolver (getaddrinfo), on the offload pool, with a small
/// cache.
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "conciergus/base/deadline.hpp"
#include "conciergus/base/result.hpp"
#include "conciergus/runtime/shard.hpp"

namespace conciergus::net {

using Addresses = std::vector<asio::ip::address>;

struct ResolverConfig {
  std::chrono::seconds keep{30};          ///< How long an answer is used: getaddrinfo tells no TTL.
  std::chrono::seconds keep_negative{5};  ///< The same for a failure; at most 5 s.
  std::size_t max_names = 1'024;          ///< In the cache; beyond, the oldest answers go first.
};

/// Belongs to one shard. One look-up at a time for each name, whoever asks.
class Resolver {
 public:
  /// The addresses of a name, in order of preference; blocks, and runs on the offload pool.
  using Lookup = std::function<Result<Addresses>(const std::string& name)>;

  explicit Resolver(runtime::Shard& shard,
                    const ResolverConfig& config = {},
                    Lookup lookup = system_lookup);
  ~Resolver();

  /// At least one address, in the order of RFC 6724. A numeric address is returned as it is.
  /// kUnavailable if there is none, kTimeout past the deadline, kOverloaded when the offload pool
  /// is full. A look-up that is cancelled or late goes on for those who come later.
  Task<Result<Addresses>> resolve(std::string name, Deadline deadline);

  /// Refuses further calls and returns once no look-up is under way.
  Task<void> stop();

  /// getaddrinfo for stream sockets.
  static Result<Addresses> system_lookup(const std::string& name);

 private:
  struct Entry;
  class Waiter;
  std::shared_ptr<Entry> find_or_start(const std::string& name);
  static Task<void> look_up(Resolver& resolver, std::string name, std::shared_ptr<Entry> entry);
  void make_room();

  runtime::Shard& shard_;
  const ResolverConfig config_;
  const Lookup lookup_;
  std::unordered_map<std::string, std::shared_ptr<Entry>> entries_;
  runtime::Gate gate_;
};

}  // namespace conciergus::net

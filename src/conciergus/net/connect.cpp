#include "conciergus/net/connect.hpp"

#include <algorithm>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/this_coro.hpp>

#include "conciergus/runtime/notifier.hpp"

namespace conciergus::net {
namespace {
using asio::ip::tcp;

struct Attempt {
  explicit Attempt(const asio::any_io_executor& shard) : socket(shard) {}
  tcp::socket socket;
  bool pending = true;
  boost::system::error_code error;
};

/// What the attempts share. Their handlers own it too, since Asio runs them after a close.
struct Race {
  explicit Race(const asio::any_io_executor& shard) : changed(shard) {}
  runtime::Notifier changed;
  std::list<Attempt> attempts;

  std::size_t pending() const noexcept {
    return static_cast<std::size_t>(std::ranges::count(attempts, true, &Attempt::pending));
  }
  Attempt* winner() noexcept {
    const auto won = std::ranges::find_if(
        attempts, [](const Attempt& attempt) { return !attempt.pending && !attempt.error; });
    return won == attempts.end() ? nullptr : &*won;
  }
  void close() noexcept {
    boost::system::error_code ignored;
    for (auto& attempt : attempts) attempt.socket.close(ignored);
  }
};

void start(const std::shared_ptr<Race>& race,
           const asio::any_io_executor& shard,
           const tcp::endpoint& to) {
  Attempt& attempt = race->attempts.emplace_back(shard);
  attempt.socket.async_connect(to, [race, &attempt](const boost::system::error_code& error) {
    attempt.pending = false;
    attempt.error = error;
    race->changed.notify_all();
  });
}

std::string describe(const tcp::endpoint& endpoint) {
  const auto address = endpoint.address().to_string();
  const auto port = ":" + std::to_string(endpoint.port());
  return endpoint.address().is_v6() ? "[" + address + "]" + port : address + port;
}

}  // namespace

Addresses interleave_families(const Addresses& addresses) {
  if (addresses.empty()) return {};
  const bool starts_with_v6 = addresses.front().is_v6();
  const auto is_first = [&](const auto& address) { return address.is_v6() == starts_with_v6; };
  Addresses first;
  Addresses second;
  std::ranges::copy_if(addresses, std::back_inserter(first), is_first);
  std::ranges::copy_if(addresses, std::back_inserter(second), std::not_fn(is_first));
  Addresses mixed;
  for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    if (i < first.size()) mixed.push_back(first[i]);
    if (i < second.size()) mixed.push_back(second[i]);
  }
  return mixed;
}

Task<Result<tcp::socket>> connect_any(Addresses addresses, std::uint16_t port, Deadline deadline) {
  const auto shard = co_await asio::this_coro::executor;
  const auto order = interleave_families(addresses);
  const auto race = std::make_shared<Race>(shard);
  const std::unique_ptr<Race, void (*)(Race*)> close_losers(race.get(),
                                                            [](Race* r) { r->close(); });
  auto next = order.begin();
  std::size_t failures_seen = 0;
  Clock::Instant next_start;
  for (;;) {
    const auto now = system_clock().now();
    if (Attempt* won = race->winner()) {
      auto socket = std::move(won->socket);
      boost::system::error_code ignored;
      socket.set_option(tcp::no_delay(true), ignored);
      co_return socket;
    }
    if (deadline.has_passed(now)) {
      co_return fail(ErrorCode::kTimeout, "connecting took too long");
    }
    const auto failures = race->attempts.size() - race->pending();
    if (next != order.end() &&
        (race->attempts.empty() || failures > failures_seen || now >= next_start)) {
      failures_seen = failures;
      next_start = now + kConnectStagger;
      start(race, shard, {*next++, port});
      continue;
    }
    if (race->pending() == 0) {
      const auto reason =
          race->attempts.empty() ? "no address" : race->attempts.front().error.message();
      const auto whom = order.empty() ? std::string("nobody") : describe({order.front(), port});
      co_return fail(ErrorCode::kUnavailable, "cannot connect to " + whom + ": " + reason);
    }
    const bool has_next = next != order.end();
    co_await race->changed.wait(has_next ? Deadline(std::min(next_start, deadline.at()))
                                         : deadline);
  }
}

}  // namespace conciergus::net

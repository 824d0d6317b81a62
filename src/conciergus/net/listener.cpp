#include "conciergus/net/listener.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <sys/socket.h>

#include "conciergus/net/endpoint.hpp"

namespace conciergus::net {
namespace {

constexpr std::string_view kRefused = "conciergus_net_connections_refused_total";
constexpr std::string_view kRefusedHelp = "Connections closed at once, by the limit they met.";

bool is_out_of_resources(const boost::system::error_code& error) noexcept {
  return error == asio::error::no_descriptors || error == asio::error::no_buffer_space ||
         error == asio::error::no_memory ||
         error == boost::system::errc::too_many_files_open_in_system;
}

}  // namespace

ListenerMetrics ListenerMetrics::from(observe::Registry& registry) {
  return {registry.counter("conciergus_net_connections_accepted_total", "Connections accepted."),
          registry.counter(kRefused, kRefusedHelp, {{"reason", "total"}}),
          registry.counter(kRefused, kRefusedHelp, {{"reason", "address"}}),
          registry.counter("conciergus_net_accept_pauses_total",
                           "Times that accepting paused for want of descriptors or memory.")};
}

Listener::Listener(runtime::Shard& shard,
                   ListenSocket socket,
                   ConnectionLimiter& limiter,
                   std::string_view refusal)
    : shard_(shard),
      local_(socket.local()),
      limiter_(limiter),
      refusal_(refusal),
      metrics_(ListenerMetrics::from(shard.metrics())),
      acceptor_(shard.io(), Protocol(socket.family(), 0), socket.descriptor()),
      pause_(shard.io()) {
  socket.release();  // the acceptor's now
}

Task<void> Listener::run(OnAccept on_accept, OnFull on_full) {
  while (acceptor_.is_open()) {
    Protocol::endpoint from;
    auto [error, socket] =
        co_await acceptor_.async_accept(from, asio::as_tuple(asio::use_awaitable));
    if (error == asio::error::operation_aborted) co_return;
    if (is_out_of_resources(error)) {
      metrics_.out_of_resources.add();
      shard_.log().error("net.accept_paused",
                         {{"listener", local_.to_string()}, {"reason", error.message()}});
      pause_.expires_after(kPause);
      co_await pause_.async_wait(asio::as_tuple(asio::use_awaitable));
      continue;
    }
    if (error) continue;  // the client left while it was waiting in the queue
    metrics_.accepted.add();
    const auto peer = to_endpoint(from.data(), static_cast<socklen_t>(from.size()));
    auto place = limiter_.enter(peer);
    if (place) {
      on_accept(TcpStream(std::move(socket), peer), *std::move(place));
      continue;
    }
    refuse(socket, place.error());
    if (place.error() == ConnectionLimiter::Refusal::kTotal) on_full();
  }
}

void Listener::refuse(Protocol::socket& socket, ConnectionLimiter::Refusal refusal) const {
  const bool is_total = refusal == ConnectionLimiter::Refusal::kTotal;
  (is_total ? metrics_.refused_total : metrics_.refused_address).add();
  ::send(socket.native_handle(), refusal_.data(), refusal_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

void Listener::close() noexcept {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  pause_.cancel();
}

}  // namespace conciergus::net

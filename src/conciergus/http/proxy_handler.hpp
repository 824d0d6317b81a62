#pragma once
/// Reverse proxy: passes requests on to an application and its answers back.
#include <chrono>
#include <string>

#include "conciergus/http/client_set.hpp"
#include "conciergus/http/handler.hpp"

namespace conciergus::http {

struct ProxyConfig {
  Origin origin;
  std::string base_path{};    ///< Put before every target: "/base", or empty.
  bool preserve_host = true;  ///< The application sees the client's Host; else its own.
  bool mark_streams = true;   ///< Tells later proxies not to buffer or compress event streams.
  std::chrono::milliseconds tunnel_idle{3'600'000};  ///< WebSockets and the like without a byte.
};

/// Shared by all shards. Bodies are streamed both ways; interim responses go to the client; the
/// upstream call is cancelled with the handler. Errors are the client's: kUnavailable and kProtocol
/// become 502, kTimeout 504, kOverloaded 503.
class ProxyHandler final : public Handler {
 public:
  /// Borrows the clients.
  ProxyHandler(ClientSet& clients, ProxyConfig config);

  Task<Result<Response>> handle(RequestContext& context, Request& request) const override;

 private:
  ClientRequest make_request(const RequestContext& context, const Request& request) const;
  void finish(Response& response, runtime::Shard& shard) const;

  ClientSet& clients_;
  const ProxyConfig config_;
};

}  // namespace conciergus::http

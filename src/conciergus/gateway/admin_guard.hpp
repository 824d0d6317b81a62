#pragma once
/// Keeps strangers away from the administration.
#include "conciergus/base/secret.hpp"
#include "conciergus/http/handler.hpp"

namespace conciergus::gateway {

/// Any thread. With a token: whoever sends it as a bearer. Without one: requests that come directly
/// from this machine, if `allows_loopback`. Since every peer of a proxy on the same machine is
/// loopback, "directly" means the peer's address, a Host that names this machine (which keeps out
/// DNS rebinding too), and no trace of a proxy.
class AdminGuard final : public http::Middleware {
 public:
  AdminGuard(Secret token, bool allows_loopback)
      : token_(std::move(token)), allows_loopback_(allows_loopback) {}
  Task<Result<http::Response>> handle(http::RequestContext& context,
                                      http::Request& request,
                                      http::Next next) const override;

 private:
  const Secret token_;
  const bool allows_loopback_;
};

/// Whether the request was made on this machine and by no proxy, and by no page of another site.
bool is_direct_loopback(const http::RequestContext& context, const http::Request& request);

}  // namespace conciergus::gateway

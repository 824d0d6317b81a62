#pragma once
/// Joins every request to its trace, and tells the client of its ids and of where the time went:
/// W3C Trace Context, x-request-id, Server-Timing.
#include "conciergus/http/handler.hpp"

namespace conciergus::http {

/// Stateless; any thread. Stands outside of the error guard, so that error pages carry the ids too.
class TraceMiddleware final : public Middleware {
 public:
  Task<Result<Response>> handle(RequestContext& context,
                                Request& request,
                                Next next) const override;
};

/// The value of Server-Timing: the context's stages, and `total` up to now.
std::string server_timing(const RequestContext& context, Clock::Instant now);

}  // namespace conciergus::http

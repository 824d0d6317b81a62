#pragma once
/// Gives every request its ids, and tells the client of them and of where the time went: W3C Trace
/// Context, x-request-id, Server-Timing.
#include "conciergus/http/handler.hpp"

namespace conciergus::http {

/// Stateless; any thread. Stands outside of the error guard, so that error pages carry the ids too.
class TraceMiddleware final : public Middleware {
 public:
  /// An x-request-id of the caller is kept if it is a short word, so that one id runs through both
  /// logs.
  Task<Result<Response>> handle(RequestContext& context,
                                Request& request,
                                Next next) const override;
};

/// The value of Server-Timing: the context's stages, and `total` up to now.
std::string server_timing(const RequestContext& context, Clock::Instant now);

}  // namespace conciergus::http

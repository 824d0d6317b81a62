#pragma once
/// How a server tells of what became of each exchange: the source of the access log and of the
/// request metrics. A middleware cannot know, since a response is sent after it has been returned.
#include <cstdint>

#include "conciergus/base/clock.hpp"
#include "conciergus/http/message.hpp"
#include "conciergus/http/request_context.hpp"

namespace conciergus::http {

struct ExchangeEnd {
  unsigned status = 0;               ///< Sent; 0 when the client left before a head could be sent.
  std::uint64_t received_bytes = 0;  ///< Of the request's body.
  std::uint64_t sent_bytes = 0;      ///< Of the response's body, without framing.
  bool is_complete = false;          ///< The whole response was handed to the kernel.
  Clock::Instant at;                 ///< When the last byte went out, or the exchange broke.
};

/// Called on the shard of the request. One observer may serve one shard or all: see its own header.
class ExchangeObserver {
 public:
  virtual ~ExchangeObserver() = default;
  /// A handler is about to be called.
  virtual void begun(const RequestContext& context) noexcept = 0;
  /// Called once for each begun().
  virtual void ended(const RequestContext& context,
                     const Request& request,
                     const ExchangeEnd& end) noexcept = 0;
};

}  // namespace conciergus::http

#pragma once
/// Counts and logs what became of each exchange of one shard.
#include <boost/unordered/unordered_flat_map.hpp>

#include "conciergus/http/access_log.hpp"
#include "conciergus/http/handler.hpp"

namespace conciergus::http {

/// Belongs to one shard.
class RequestObserver final : public ExchangeObserver {
 public:
  /// `log` may be null: no access log. It outlives the observer.
  RequestObserver(observe::Registry& metrics, AccessLog* log);

  void begun(const RequestContext& context) noexcept override;
  void ended(const RequestContext& context,
             const Request& request,
             const ExchangeEnd& end) noexcept override;
  /// Exchanges begun and not ended, streams included.
  std::size_t in_flight() const noexcept { return in_flight_; }

 private:
  struct Series {
    observe::Counter* requests[6] = {};  // by status class; 0: the client left before a head
    observe::Histogram* seconds = nullptr;
  };
  Series& series(std::string_view route);
  observe::Counter& requests(Series& series, std::string_view route, unsigned status);

  observe::Registry& metrics_;
  AccessLog* log_;
  observe::Gauge& in_flight_total_;
  observe::Counter& received_bytes_;
  observe::Counter& sent_bytes_;
  std::size_t in_flight_ = 0;
  // by the address of the name, which is a literal: hashing the text would cost more than the rest
  boost::unordered_flat_map<const char*, Series> by_route_;
};

/// Refuses requests with kOverloaded once the shard works on more than `limit`.
class ConcurrencyLimit final : public Middleware {
 public:
  /// `observer` outlives it and is of the same shard.
  ConcurrencyLimit(const RequestObserver& observer, observe::Registry& metrics, std::size_t limit);
  Task<Result<Response>> handle(RequestContext& context,
                                Request& request,
                                Next next) const override;

 private:
  const RequestObserver& observer_;
  observe::Counter& refused_;
  const std::size_t limit_;
};

}  // namespace conciergus::http

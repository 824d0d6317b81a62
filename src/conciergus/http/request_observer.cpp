#include "conciergus/http/request_observer.hpp"

namespace conciergus::http {

RequestObserver::RequestObserver(observe::Registry& metrics, AccessLog* log)
    : metrics_(metrics),
      log_(log),
      in_flight_total_(metrics.gauge("conciergus_http_requests_in_flight",
                                     "Requests being worked on, open streams included.")),
      received_bytes_(
          metrics.counter("conciergus_http_received_body_bytes_total", "Bytes of request bodies.")),
      sent_bytes_(
          metrics.counter("conciergus_http_sent_body_bytes_total", "Bytes of response bodies.")) {}

void RequestObserver::begun(const RequestContext&) noexcept {
  ++in_flight_;
  in_flight_total_.add(1);
}

RequestObserver::Series& RequestObserver::series(std::string_view route) {
  auto& series = by_route_[route.data()];
  if (!series.seconds) {
    series.seconds = &metrics_.histogram("conciergus_http_request_seconds",
                                         "From the head of a request to the end of its response.",
                                         observe::latency_buckets(),
                                         {{"route", std::string(route)}});
  }
  return series;
}

observe::Counter& RequestObserver::requests(Series& series,
                                            std::string_view route,
                                            unsigned status) {
  static constexpr std::string_view kClasses[] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
  const std::size_t index = status / 100 < 6 ? status / 100 : 0;
  auto*& counter = series.requests[index];
  if (!counter) {
    counter = &metrics_.counter(
        "conciergus_http_requests_total",
        "Requests by route and class of status; none: the client left before the answer.",
        {{"route", std::string(route)}, {"status", std::string(kClasses[index])}});
  }
  return *counter;
}

void RequestObserver::ended(const RequestContext& context,
                            const Request& request,
                            const ExchangeEnd& end) noexcept {
  --in_flight_;
  in_flight_total_.add(-1);
  received_bytes_.add(end.received_bytes);
  sent_bytes_.add(end.sent_bytes);
  auto& of_route = series(context.notes.route);
  requests(of_route, context.notes.route, end.status).add();
  of_route.seconds->observe(std::chrono::duration<double>(end.at - context.started).count());
  if (log_) log_->write(context, request, end);
}

ConcurrencyLimit::ConcurrencyLimit(const RequestObserver& observer,
                                   observe::Registry& metrics,
                                   std::size_t limit)
    : observer_(observer),
      refused_(metrics.counter("conciergus_http_overloaded_total",
                               "Requests refused because too many were being worked on.")),
      limit_(limit) {}

Task<Result<Response>> ConcurrencyLimit::handle(RequestContext& context,
                                                Request& request,
                                                Next next) const {
  if (observer_.in_flight() <= limit_) co_return co_await next.run(context, request);
  refused_.add();
  co_return fail(ErrorCode::kOverloaded, "too many requests at a time");
}

}  // namespace conciergus::http

#pragma once
/// The one place where a request's exceptions and errors become answers.
#include "conciergus/http/handler.hpp"
#include "conciergus/observe/metrics.hpp"

namespace conciergus::http {

/// Any thread. An Error becomes its error page; an exception is a bug: logged, counted, 500. A
/// cancelled request stays cancelled, since nobody listens.
class ErrorGuard final : public Middleware {
 public:
  ErrorGuard(observe::Registry& metrics, bool show_detail)
      : internal_errors_(metrics.counter(
            "conciergus_http_internal_errors_total",
            "Requests that failed by a bug of ours: exceptions and internal errors.")),
        show_detail_(show_detail) {}

  Task<Result<Response>> handle(RequestContext& context,
                                Request& request,
                                Next next) const override;

 private:
  observe::Counter& internal_errors_;
  const bool show_detail_;
};

}  // namespace conciergus::http

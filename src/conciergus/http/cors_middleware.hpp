#pragma once
/// Lets pages of other origins call a route: the CORS protocol of the Fetch standard.
#include <string>
#include <vector>

#include "conciergus/http/handler.hpp"

namespace conciergus::http {

/// Any thread. Without allowed origins it adds nothing. Requests are never refused for their
/// origin: it is the browser that keeps the answer from the page.
class CorsMiddleware final : public Middleware {
 public:
  /// Origins as browsers send them ("https://app.example"), or "*" for any. Credentials in cookies
  /// are not allowed; bearer tokens need no such leave.
  explicit CorsMiddleware(std::vector<std::string> origins);

  /// Answers OPTIONS itself with 204, preflights among them.
  Task<Result<Response>> handle(RequestContext& context,
                                Request& request,
                                Next next) const override;

 private:
  bool allows(std::string_view origin) const noexcept;
  std::vector<std::string> origins_;
  bool allows_any_;
};

}  // namespace conciergus::http

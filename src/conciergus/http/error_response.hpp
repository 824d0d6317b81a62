#pragma once
/// Error pages of the gateway itself: JSON, or HTML for browsers that ask for it.
#include "conciergus/base/error.hpp"
#include "conciergus/http/message.hpp"
#include "conciergus/http/request_context.hpp"

namespace conciergus::http {

/// By the error's code; carries the request id, and Retry-After for kOverloaded. The detail is
/// shown for codes that speak of the client's own request, and else only when `show_detail`
/// (development).
Response error_response(const Error& error,
                        const RequestContext& context,
                        const Request& request,
                        bool show_detail);

/// The same for a bare status.
Response error_response(unsigned status,
                        std::string_view code,
                        std::string_view message,
                        const RequestContext& context,
                        const Request& request);

}  // namespace conciergus::http

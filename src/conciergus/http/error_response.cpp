#include "conciergus/http/error_response.hpp"

#include <fmt/format.h>

#include "conciergus/observe/log.hpp"

namespace conciergus::http {
namespace {

bool speaks_of_the_request(ErrorCode code) noexcept {
  return code == ErrorCode::kInvalidRequest || code == ErrorCode::kUnauthenticated ||
         code == ErrorCode::kForbidden || code == ErrorCode::kNotFound ||
         code == ErrorCode::kTooLarge;
}

std::string_view sentence(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kInvalidRequest:
      return "The request is not valid.";
    case ErrorCode::kUnauthenticated:
      return "Credentials are missing or not valid.";
    case ErrorCode::kForbidden:
      return "This is not allowed.";
    case ErrorCode::kNotFound:
      return "There is nothing here.";
    case ErrorCode::kTooLarge:
      return "The request is too large.";
    case ErrorCode::kOverloaded:
      return "The service is busy. Try again in a moment.";
    case ErrorCode::kUnavailable:
    case ErrorCode::kProtocol:
      return "The application behind this gateway cannot be reached.";
    case ErrorCode::kTimeout:
      return "The application behind this gateway took too long to answer.";
    case ErrorCode::kCancelled:
      return "The request was cancelled.";
    case ErrorCode::kConfig:
    case ErrorCode::kInternal:
      return "Something went wrong on our side.";
  }
  return "Something went wrong.";
}

void append_html(std::string& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
}

/// Browsers name text/html in Accept; programs do not.
bool wants_html(const Request& request) {
  return request.headers.get("accept").contains("text/html");
}

}  // namespace

Response error_response(unsigned status,
                        std::string_view code,
                        std::string_view message,
                        const RequestContext& context,
                        const Request& request) {
  std::string body;
  std::string_view type = "application/json";
  if (wants_html(request)) {
    type = "text/html; charset=utf-8";
    body = fmt::format(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" "
        "content=\"width=device-width\"><title>{0}</title><style>body{{font:16px/1.5 "
        "system-ui,sans-serif;"
        "max-width:36rem;margin:15vh auto;padding:0 "
        "1rem}}small{{opacity:.6}}</style><h1>{0}</h1><p>",
        status);
    append_html(body, message);
    body += "</p><small>Request ";
    append_html(body, context.request_id);
    body += "</small></html>\n";
  } else {
    body = R"({"error":{"code":)";
    observe::append_json_string(body, code);
    body += R"(,"message":)";
    observe::append_json_string(body, message);
    body += R"(,"request_id":)";
    observe::append_json_string(body, context.request_id);
    body += "}}\n";
  }
  auto response = make_response(status, type, std::move(body));
  response.headers.add("cache-control", "no-store");
  return response;
}

Response error_response(const Error& error,
                        const RequestContext& context,
                        const Request& request,
                        bool show_detail) {
  const bool show = !error.detail().empty() && (show_detail || speaks_of_the_request(error.code()));
  auto response = error_response(http_status(error.code()),
                                 to_string(error.code()),
                                 show ? std::string_view(error.detail()) : sentence(error.code()),
                                 context,
                                 request);
  if (error.code() == ErrorCode::kOverloaded) {
    response.headers.add("retry-after", "1");
    response.headers.add("retry-after-ms", "1000");
  }
  return response;
}

}  // namespace conciergus::http

#include "conciergus/llm/failure_response.hpp"

#include "conciergus/base/text.hpp"
#include "conciergus/llm/error_reply.hpp"
#include "conciergus/llm/outcome.hpp"

namespace conciergus::llm {

bool wants_signals(const http::Headers& headers) noexcept {
  const std::string_view field = headers.get("x-conciergus-signals");
  return field == "1" || headers.has_token("x-conciergus-signals", "data");
}

http::Response failure_response(Protocol client,
                                const Failure& failure,
                                http::RequestContext& context,
                                const http::Request& request,
                                const http::Headers& headers) {
  const ErrorReplyOptions options{.request_id = context.request_id,
                                  .ui_signals = wants_signals(request.headers),
                                  .retry_after_ms = parse_decimal(headers.get("retry-after-ms"))};
  ErrorReply reply = make_error_reply(client, failure, options);
  auto response = http::make_response(reply.status, reply.content_type, std::move(reply.body));
  for (const auto& [name, value] : headers) response.headers.add(name, value);
  context.notes.error = failure.code;
  return response;
}

Failure make_failure(unsigned status, std::string_view code, std::string_view message) {
  return {.status = status,
          .type = {},  // each protocol has its own word for the status
          .code = std::string(code),
          .message = std::string(message)};
}

Failure shutdown_failure() {
  return make_failure(503, "shutting_down", "The server is shutting down. Try again in a moment.");
}

Failure timeout_failure() {
  return make_call_failure(Outcome::kOutOfTime).failure;
}

}  // namespace conciergus::llm

#pragma once
/// Refusals of the LLM routes, in the protocol that the client speaks.
#include "conciergus/http/message.hpp"
#include "conciergus/http/request_context.hpp"
#include "conciergus/llm/answer.hpp"
#include "conciergus/llm/protocol.hpp"

namespace conciergus::llm {

/// The client is our own hook and understands private signals.
bool wants_signals(const http::Headers& headers) noexcept;

/// `headers` are added as they are; retry-after-ms is told in the body too where it has a place.
http::Response failure_response(Protocol client,
                                const Failure& failure,
                                http::RequestContext& context,
                                const http::Request& request,
                                const http::Headers& headers = {});

/// A failure of ours.
Failure make_failure(unsigned status, std::string_view code, std::string_view message);

/// The server is shutting down: what those hear whose answer cannot be finished.
Failure shutdown_failure();
/// The total time of a request is over.
Failure timeout_failure();

}  // namespace conciergus::llm

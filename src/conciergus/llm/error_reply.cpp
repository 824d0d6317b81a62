#include "conciergus/llm/error_reply.hpp"

#include <algorithm>
#include <array>

#include "conciergus/llm/encoding.hpp"

namespace conciergus::llm {
namespace {

constexpr std::array<std::string_view, 10> kMessagesTypes = {"api_error",
                                                             "authentication_error",
                                                             "billing_error",
                                                             "invalid_request_error",
                                                             "not_found_error",
                                                             "overloaded_error",
                                                             "permission_error",
                                                             "rate_limit_error",
                                                             "request_too_large",
                                                             "timeout_error"};
constexpr std::array<std::string_view, 5> kOnlyMessagesTypes = {
    "api_error", "billing_error", "overloaded_error", "request_too_large", "timeout_error"};

std::string_view chat_type(unsigned status) noexcept {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 429:
      return "rate_limit_error";
    default:
      return status >= 500 ? "server_error" : "invalid_request_error";
  }
}

std::string_view messages_type(unsigned status) noexcept {
  switch (status) {
    case 401:
      return "authentication_error";
    case 402:
      return "billing_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 413:
      return "request_too_large";
    case 429:
      return "rate_limit_error";
    case 503:
    case 529:
      return "overloaded_error";
    case 504:
      return "timeout_error";
    default:
      return status >= 500 ? "api_error" : "invalid_request_error";
  }
}

std::string ui_body(const Failure& failure, const ErrorReplyOptions& options) {
  if (!options.ui_signals) return failure.message;
  std::string body;
  JsonWriter json(body);
  json.begin_object().name("error").begin_object();
  json.member("code", failure.code).member("message", failure.message);
  if (options.retry_after_ms) json.member("retryAfterMs", *options.retry_after_ms);
  if (!options.request_id.empty()) json.member("requestId", options.request_id);
  json.end_object().end_object();
  return body;
}

}  // namespace

std::string_view error_type(Protocol client, const Failure& failure) noexcept {
  const auto is_in = [&](const auto& types) {
    return std::ranges::find(types, failure.type) != types.end();
  };
  if (client == Protocol::kMessages) {
    return is_in(kMessagesTypes) ? std::string_view(failure.type) : messages_type(failure.status);
  }
  if (failure.type.empty() || is_in(kOnlyMessagesTypes)) return chat_type(failure.status);
  return failure.type;
}

std::string error_object(Protocol client, const Failure& failure, std::string_view request_id) {
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  if (client == Protocol::kMessages) {
    json.member("type", "error").name("error").begin_object();
    json.member("type", error_type(client, failure))
        .member("message", failure.message)
        .end_object();
    if (!request_id.empty()) json.member("request_id", request_id);
  } else {
    json.name("error").begin_object().member("message", failure.message);
    json.member("type", error_type(client, failure)).null_member("param");
    if (failure.code.empty()) {
      json.null_member("code");
    } else {
      json.member("code", failure.code);
    }
    json.end_object();
  }
  json.end_object();
  return body;
}

ErrorReply make_error_reply(Protocol client,
                            const Failure& failure,
                            const ErrorReplyOptions& options) {
  if (client == Protocol::kUiMessages) {
    return {failure.status,
            options.ui_signals ? "application/json" : "text/plain; charset=utf-8",
            ui_body(failure, options)};
  }
  return {failure.status, "application/json", error_object(client, failure, options.request_id)};
}

void append_error_event(std::string& out,
                        Protocol client,
                        const Failure& failure,
                        std::uint64_t sequence_number,
                        std::string_view request_id) {
  switch (client) {
    case Protocol::kMessages:
      EventWriter(out, "error").json().raw(error_object(client, failure, request_id));
      return;
    case Protocol::kResponses: {
      EventWriter event(out, "error");
      event.json().begin_object().member("type", "error").member("code", failure.code);
      event.json().member("message", failure.message).null_member("param");
      event.json().member("sequence_number", sequence_number).end_object();
      return;
    }
    case Protocol::kUiMessages: {
      EventWriter event(out);
      event.json().begin_object().member("type", "error").member("errorText", failure.message);
      event.json().end_object();
      break;
    }
    case Protocol::kChatCompletions:
    case Protocol::kEmbeddings:
      EventWriter(out).json().raw(error_object(client, failure, request_id));
      break;
  }
  append_stream_end(out, client);
}

void append_stream_end(std::string& out, Protocol client) {
  if (client == Protocol::kChatCompletions || client == Protocol::kUiMessages) {
    out += "data: [DONE]\n\n";
  }
}

Failure truncated_failure() {
  return {.status = 502,
          .type = "server_error",
          .code = "upstream_truncated",
          .message = "The provider broke the answer off before its end."};
}

Failure to_failure(const Error& error, std::string_view code) {
  const unsigned status = http_status(error.code());
  return {.status = status,
          .type = std::string(chat_type(status)),
          .code = std::string(code.empty() ? to_string(error.code()) : code),
          .message = error.detail()};
}

}  // namespace conciergus::llm

#pragma once
/// How each protocol says that something went wrong: as a whole answer before the first byte, as an
/// event behind it.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "conciergus/base/error.hpp"
#include "conciergus/llm/answer.hpp"
#include "conciergus/llm/protocol.hpp"

namespace conciergus::llm {

struct ErrorReply {
  unsigned status;
  std::string_view content_type;
  std::string body;
};

struct ErrorReplyOptions {
  std::string_view request_id{};
  bool ui_signals = false;  ///< The client is our own hook and takes JSON instead of a sentence.
  std::optional<std::uint64_t> retry_after_ms{};
};

/// The answer to a request that failed before its first byte. The UI stream's client shows the body
/// as it is, so that it gets one plain sentence.
ErrorReply make_error_reply(Protocol client,
                            const Failure& failure,
                            const ErrorReplyOptions& options = {});

/// Appends the in-band error and what must follow it, to a stream that was passed on byte by byte.
/// `sequence_number` is the decoder's next one (responses only).
void append_error_event(std::string& out,
                        Protocol client,
                        const Failure& failure,
                        std::uint64_t sequence_number = 0,
                        std::string_view request_id = {});

/// Appends the terminal event that an upstream left out after its finish: `[DONE]`, or nothing.
void append_stream_end(std::string& out, Protocol client);

/// The upstream's stream ended without its proper end.
Failure truncated_failure();

/// For errors of our own: `code` becomes the failure's code when given, else the error's name.
Failure to_failure(const Error& error, std::string_view code = {});

/// The `type` that the protocol has for the failure: the provider's own if it is one of the
/// protocol's.
std::string_view error_type(Protocol client, const Failure& failure) noexcept;

/// Writes the protocol's error object, to which an HTTP body and an event agree.
std::string error_object(Protocol client, const Failure& failure, std::string_view request_id);

}  // namespace conciergus::llm

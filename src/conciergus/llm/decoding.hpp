#pragma once
/// Internal to the decoders: errors, usage and finish reasons, which the protocols share in part.
#include <string_view>
#include <vector>

#include "conciergus/llm/answer.hpp"
#include "conciergus/llm/json_document.hpp"
#include "conciergus/llm/protocol.hpp"
#include "conciergus/llm/stream_decoder.hpp"

namespace conciergus::llm {

/// From `{"type","code","message"}` or a text. The status is the object's own number, or the one
/// that goes with its type or code, or 500.
Failure read_failure(JsonValue error);

/// The data of an event is not what the protocol promises.
Failure malformed(std::string_view what);

/// The reason that goes with a word of `protocol`; kOther for a word it does not have.
FinishReason finish_reason(Protocol protocol, std::string_view word) noexcept;

/// The word of `protocol` for a finish: the upstream's own if it is one of that protocol's for the
/// reason.
std::string_view finish_word(Protocol protocol, const Finish& finish) noexcept;

Usage read_chat_usage(JsonValue usage);
Usage read_responses_usage(JsonValue usage);
/// Anthropic counts what it cached beside `input_tokens`; here `input` is the sum.
Usage read_messages_usage(JsonValue usage);

void decode_whole_chat(JsonValue body, std::vector<Delta>& out);
void decode_whole_message(JsonValue body, std::vector<Delta>& out);
void decode_whole_response(JsonValue body, std::vector<Delta>& out);

std::unique_ptr<StreamDecoder> make_chat_decoder();
std::unique_ptr<StreamDecoder> make_messages_decoder();
std::unique_ptr<StreamDecoder> make_responses_decoder();

}  // namespace conciergus::llm

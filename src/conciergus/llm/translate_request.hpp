#pragma once
/// Says a request in another protocol. Only what means the same on the other side is translated;
/// a field that would change the answer and cannot be said is an error that names it, never
/// dropped.
#include <cstdint>
#include <string>
#include <string_view>

#include "conciergus/base/result.hpp"
#include "conciergus/llm/json_document.hpp"
#include "conciergus/llm/protocol.hpp"

namespace conciergus::llm {

struct TranslationOptions {
  std::string_view model;            ///< The upstream's name for the model.
  std::uint64_t default_max_tokens;  ///< For messages, which require a limit.
};

/// The body of the request in the protocol `to`. kInvalidRequest when it is malformed, when a field
/// cannot be said, or when there is no translation between the two (responses and embeddings have
/// none).
Result<std::string> translate_request(Protocol from,
                                      Protocol to,
                                      JsonValue request,
                                      const TranslationOptions& options);

}  // namespace conciergus::llm

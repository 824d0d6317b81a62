#pragma once
/// What each known field of a request means to caching. A field that is not here is part of the
/// key: an allow-list would miss what changes the answer, and serve one prompt's answer for
/// another.
#include <cstdint>
#include <span>
#include <string_view>

#include "conciergus/llm/json_document.hpp"
#include "conciergus/llm/protocol.hpp"

namespace conciergus::llm {

enum class FieldClass : std::uint8_t {
  kIgnored,  ///< Rendering or accounting: not in the key.
  kForbids,  ///< In the key, and by its value may forbid caching and coalescing.
  kPolicy,   ///< In the key, and the route's policy looks at it.
  kKeyed,    ///< In the key.
};

struct RequestField {
  std::string_view name;
  FieldClass field_class;
};

/// All fields known of the protocol's requests, in the order of their names.
std::span<const RequestField> request_fields(Protocol protocol) noexcept;

/// kKeyed for what is not known.
FieldClass classify(Protocol protocol, std::string_view name) noexcept;

/// Why a request must neither be cached nor share an answer, as a token for logs and
/// `Cache-Status`: "store", "state", "background", "provider-tools"; empty when nothing forbids it.
/// Server-side state and tools that the provider itself runs make the answer depend on more than
/// the request. Only tools that the client runs (`function`, `custom`, or without a type) are known
/// not to.
std::string_view forbidding_reason(Protocol protocol, JsonValue request) noexcept;

}  // namespace conciergus::llm

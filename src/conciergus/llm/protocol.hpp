#pragma once
/// The protocols in which clients ask and upstreams answer.
#include <cstdint>
#include <optional>
#include <string_view>

namespace conciergus::llm {

enum class Protocol : std::uint8_t {
  kChatCompletions,  ///< OpenAI chat completions.
  kMessages,         ///< Anthropic messages.
  kResponses,        ///< OpenAI responses.
  kEmbeddings,       ///< OpenAI embeddings: never a stream.
  kUiMessages,       ///< The AI SDK's UI message stream: a client's protocol only.
};

/// Lower-case name for metrics and keys, such as "chat_completions".
std::string_view to_string(Protocol protocol) noexcept;

/// The path below an upstream's base URL, such as "/v1/chat/completions"; "/api/chat" for
/// kUiMessages.
std::string_view endpoint(Protocol protocol) noexcept;

/// The protocol spoken at `path`, which has neither query nor trailing slash.
std::optional<Protocol> protocol_at(std::string_view path) noexcept;

}  // namespace conciergus::llm

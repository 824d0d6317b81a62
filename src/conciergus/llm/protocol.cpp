#include "conciergus/llm/protocol.hpp"

namespace conciergus::llm {

std::string_view to_string(Protocol protocol) noexcept {
  switch (protocol) {
    case Protocol::kChatCompletions:
      return "chat_completions";
    case Protocol::kMessages:
      return "messages";
    case Protocol::kResponses:
      return "responses";
    case Protocol::kEmbeddings:
      return "embeddings";
    case Protocol::kUiMessages:
      return "ui_messages";
  }
  return "unknown";
}

std::string_view endpoint(Protocol protocol) noexcept {
  switch (protocol) {
    case Protocol::kChatCompletions:
      return "/v1/chat/completions";
    case Protocol::kMessages:
      return "/v1/messages";
    case Protocol::kResponses:
      return "/v1/responses";
    case Protocol::kEmbeddings:
      return "/v1/embeddings";
    case Protocol::kUiMessages:
      return "/api/chat";
  }
  return "/";
}

std::optional<Protocol> protocol_at(std::string_view path) noexcept {
  for (const auto protocol : {Protocol::kChatCompletions,
                              Protocol::kMessages,
                              Protocol::kResponses,
                              Protocol::kEmbeddings,
                              Protocol::kUiMessages}) {
    if (endpoint(protocol) == path) return protocol;
  }
  return std::nullopt;
}

}  // namespace conciergus::llm

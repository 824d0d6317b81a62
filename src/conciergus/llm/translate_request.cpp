#include "conciergus/llm/translate_request.hpp"

#include <fmt/format.h>

#include "conciergus/llm/translation.hpp"

namespace conciergus::llm {

std::unexpected<Error> untranslatable(std::string_view path) {
  return fail(ErrorCode::kInvalidRequest,
              fmt::format("`{}` cannot be said to the provider of this model", path));
}

std::unexpected<Error> malformed_field(std::string_view path, std::string_view expected) {
  return fail(ErrorCode::kInvalidRequest, fmt::format("`{}` must be {}", path, expected));
}

std::optional<DataUrl> parse_data_url(std::string_view url) noexcept {
  static constexpr std::string_view kScheme = "data:";
  static constexpr std::string_view kMarker = ";base64,";
  if (!url.starts_with(kScheme)) return std::nullopt;
  url.remove_prefix(kScheme.size());
  const std::size_t marker = url.find(kMarker);
  if (marker == std::string_view::npos || marker == 0) return std::nullopt;
  // Parameters such as a charset mean nothing to an image.
  const std::string_view media_type = url.substr(0, std::min(url.find(';'), marker));
  return DataUrl{media_type, url.substr(marker + kMarker.size())};
}

std::optional<std::uint64_t> thinking_budget(std::string_view effort) noexcept {
  if (effort == "none" || effort == "minimal") return 0;
  if (effort == "low") return 1024;
  if (effort == "medium") return 2048;
  if (effort == "high") return 4096;
  return std::nullopt;
}

std::string_view reasoning_effort(std::uint64_t budget) noexcept {
  if (budget < 2048) return "low";
  return budget < 4096 ? "medium" : "high";
}

Result<std::string> translate_request(Protocol from,
                                      Protocol to,
                                      JsonValue request,
                                      const TranslationOptions& options) {
  using enum Protocol;
  if (from == kChatCompletions && to == kMessages) return chat_to_messages(request, options);
  if (from == kMessages && to == kChatCompletions) return messages_to_chat(request, options);
  if (from == kUiMessages && to == kChatCompletions) return ui_to_chat(request, options);
  if (from == kUiMessages && to == kMessages) {
    CONCIERGUS_TRY(const std::string chat, ui_to_chat(request, options));
    CONCIERGUS_TRY(const JsonDocument document, JsonDocument::parse(chat));
    return chat_to_messages(document.root(), options);
  }
  return fail(
      ErrorCode::kInvalidRequest,
      fmt::format("this model's provider does not speak the protocol of {}", endpoint(from)));
}

}  // namespace conciergus::llm

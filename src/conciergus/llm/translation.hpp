#pragma once
/// Internal to the translators of requests.
#include <string>
#include <string_view>

#include "conciergus/base/result.hpp"
#include "conciergus/llm/json_document.hpp"
#include "conciergus/llm/translate_request.hpp"

namespace conciergus::llm {

/// kInvalidRequest: the target's protocol has no words for the field at `path`.
std::unexpected<Error> untranslatable(std::string_view path);

/// kInvalidRequest: what stands at `path` is not what the client's own protocol allows.
std::unexpected<Error> malformed_field(std::string_view path, std::string_view expected);

/// "data:<media type>;base64,<data>" in its two parts.
struct DataUrl {
  std::string_view media_type;
  std::string_view data;
};
std::optional<DataUrl> parse_data_url(std::string_view url) noexcept;

/// What the translators take for `reasoning_effort` and a thinking budget: the one in words.
std::optional<std::uint64_t> thinking_budget(std::string_view effort) noexcept;
std::string_view reasoning_effort(std::uint64_t budget) noexcept;

Result<std::string> chat_to_messages(JsonValue request, const TranslationOptions& options);
Result<std::string> messages_to_chat(JsonValue request, const TranslationOptions& options);
Result<std::string> ui_to_chat(JsonValue request, const TranslationOptions& options);

}  // namespace conciergus::llm

#pragma once
/// Edits the top level of a JSON object in its text, so that everything else goes on byte for byte:
/// white space, order, number formats, escapes, unknown fields.
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "conciergus/base/result.hpp"

namespace conciergus::llm {

/// A member and where it stands in the text; views live as long as the text.
struct JsonMember {
  std::string name;        ///< Unescaped.
  std::size_t begin;       ///< Offset of the name's opening quote.
  std::string_view value;  ///< The value's text without white space around it.
};

/// The top-level members in their order, duplicates included. kInvalidRequest when `object` is not
/// a JSON object; values are delimited, not validated: parse first what has not been parsed.
Result<std::vector<JsonMember>> json_members(std::string_view object);

/// Sets the member to `value` (JSON), or removes it when that is absent.
struct JsonEdit {
  std::string_view name;
  std::optional<std::string_view> value;
};

/// The object with the edits made. Every member of an edited name is replaced where it stands or
/// removed; one that is not there yet is added at the end. Errors as json_members.
Result<std::string> edit_json_members(std::string_view object, std::span<const JsonEdit> edits);

}  // namespace conciergus::llm

#pragma once
/// One form for all JSON texts that mean the same, in the manner of RFC 8785: members sorted by the
/// bytes of their names, arrays in order, no white space, strings by their characters, numbers in
/// their shortest round-trip form. Numbers of 2^53 and beyond keep their text, since a double would
/// make different ones equal. Nothing is trimmed, folded or normalised: a prompt is what was
/// written.
#include <string>
#include <string_view>

#include "conciergus/base/result.hpp"
#include "conciergus/llm/json_document.hpp"

namespace conciergus::llm {

/// What to leave out at the top level: true for the names that do not count.
using MemberFilter = bool (*)(std::string_view name, const void* context);

struct CanonicalOptions {
  MemberFilter is_left_out = nullptr;  ///< Asked for each member of the root object.
  const void* context = nullptr;       ///< Handed to it.
};

/// Appends the canonical form of `value` to `out`. Returns false when some object, at whatever
/// depth, left out or not, holds two members of one name: then the text has no one meaning and must
/// not be a key.
[[nodiscard]] bool append_canonical_json(std::string& out,
                                         JsonValue value,
                                         const CanonicalOptions& options = {});

/// Parses and canonicalises; kInvalidRequest naming the offset, or a duplicate member.
Result<std::string> canonical_json(std::string_view text, const JsonBounds& bounds = {});

}  // namespace conciergus::llm

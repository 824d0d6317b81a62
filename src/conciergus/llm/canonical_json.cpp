#include "conciergus/llm/canonical_json.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <vector>

#include "conciergus/llm/json_writer.hpp"

namespace conciergus::llm {
namespace {

void append_number(std::string& out, JsonValue value) {
  static constexpr double kExactIntegers = 9007199254740992.0;  // 2^53
  const std::string_view text = value.number_text();
  const bool is_short_integer =
      text.size() < 16 && text.find_first_not_of("0123456789") == std::string_view::npos;
  if (is_short_integer) {
    out += text;
    return;
  }
  const auto number = value.number();
  if (!number || std::abs(*number) >= kExactIntegers) {
    out += text;
    return;
  }
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), *number + 0.0).ptr;
  out.append(digits.data(), end);
}

/// Depth of recursion is bounded by the document's.
class Canonicalizer {
 public:
  explicit Canonicalizer(std::string& out) : out_(out) { members_.reserve(64); }

  void append(JsonValue value, const CanonicalOptions& options = {}) {
    switch (value.kind()) {
      case JsonKind::kNumber:
        append_number(out_, value);
        break;
      case JsonKind::kArray:
        append_array(value);
        break;
      case JsonKind::kObject:
        append_object(value, options);
        break;
      default:
        append_json(out_, value);
    }
  }
  bool has_duplicates() const noexcept { return has_duplicates_; }

 private:
  void append_array(JsonValue array) {
    out_.push_back('[');
    bool is_first = true;
    for (const JsonValue element : array) {
      if (!is_first) out_.push_back(',');
      is_first = false;
      append(element);
    }
    out_.push_back(']');
  }

  void append_object(JsonValue object, const CanonicalOptions& options) {
    // One vector serves as the stack of all open objects; iterators would not survive the
    // recursion.
    const std::size_t first = members_.size();
    for (const JsonValue member : object) members_.push_back(member);
    const std::size_t last = members_.size();
    const auto begin = members_.begin() + static_cast<std::ptrdiff_t>(first);
    std::ranges::sort(begin, members_.end(), {}, &JsonValue::name);
    if (std::ranges::adjacent_find(begin, members_.end(), {}, &JsonValue::name) != members_.end()) {
      has_duplicates_ = true;
    }
    out_.push_back('{');
    bool is_first = true;
    for (std::size_t i = first; i < last; ++i) {
      const JsonValue member = members_[i];
      const std::string_view name = member.name();
      const bool is_left_out =
          options.is_left_out != nullptr && options.is_left_out(name, options.context);
      if (is_left_out) {
        find_duplicates(member);
        continue;
      }
      if (!is_first) out_.push_back(',');
      is_first = false;
      append_json_string(out_, name);
      out_.push_back(':');
      append(member);
    }
    out_.push_back('}');
    members_.resize(first);
  }

  /// Looks through a value that is not written.
  void find_duplicates(JsonValue value) {
    const std::size_t size = out_.size();
    append(value);
    out_.resize(size);
  }

  std::string& out_;
  std::vector<JsonValue> members_;
  bool has_duplicates_ = false;
};

}  // namespace

bool append_canonical_json(std::string& out, JsonValue value, const CanonicalOptions& options) {
  Canonicalizer canonicalizer(out);
  canonicalizer.append(value, options);
  return !canonicalizer.has_duplicates();
}

Result<std::string> canonical_json(std::string_view text, const JsonBounds& bounds) {
  CONCIERGUS_TRY(const JsonDocument document, JsonDocument::parse(text, bounds));
  std::string canonical;
  canonical.reserve(text.size());
  if (!append_canonical_json(canonical, document.root())) {
    return fail(ErrorCode::kInvalidRequest, "an object holds two members of one name");
  }
  return canonical;
}

}  // namespace conciergus::llm

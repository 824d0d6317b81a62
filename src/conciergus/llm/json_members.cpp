#include "conciergus/llm/json_members.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "conciergus/llm/json_document.hpp"
#include "conciergus/llm/json_writer.hpp"

namespace conciergus::llm {
namespace {

/// Finds where values end, by quotes and brackets alone.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  std::size_t position() const noexcept { return position_; }
  bool at_end() const noexcept { return position_ == text_.size(); }
  bool take(char c) noexcept {
    if (at_end() || text_[position_] != c) return false;
    ++position_;
    return true;
  }
  bool sees(char c) const noexcept { return !at_end() && text_[position_] == c; }
  void skip_space() noexcept {
    position_ = std::min(text_.find_first_not_of(" \t\r\n", position_), text_.size());
  }

  /// Over a string, quotes included.
  std::optional<std::string_view> take_string() noexcept {
    const std::size_t begin = position_;
    if (!take('"')) return std::nullopt;
    while (!at_end()) {
      const char c = text_[position_++];
      if (c == '"') return text_.substr(begin, position_ - begin);
      if (c == '\\' && !at_end()) ++position_;
    }
    return std::nullopt;
  }

  std::optional<std::string_view> take_value() noexcept {
    const std::size_t begin = position_;
    std::size_t depth = 0;
    while (!at_end()) {
      const char c = text_[position_];
      if (c == '"') {
        if (!take_string()) return std::nullopt;
      } else if (c == '{' || c == '[') {
        ++depth;
        ++position_;
      } else if (c == '}' || c == ']') {
        if (depth == 0) break;
        --depth;
        ++position_;
      } else if (depth == 0 && (c == ',' || is_space(c))) {
        break;
      } else {
        ++position_;
      }
      if (depth == 0 && (c == '"' || c == '}' || c == ']')) break;
    }
    if (depth != 0 || position_ == begin) return std::nullopt;
    return text_.substr(begin, position_ - begin);
  }

 private:
  static bool is_space(char c) noexcept { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

  std::string_view text_;
  std::size_t position_ = 0;
};

std::unexpected<Error> not_an_object(std::size_t offset) {
  return fail(ErrorCode::kInvalidRequest, fmt::format("no JSON object at byte {}", offset));
}

Result<std::string> unescape(std::string_view quoted) {
  if (quoted.find('\\') == std::string_view::npos) {
    return std::string(quoted.substr(1, quoted.size() - 2));
  }
  CONCIERGUS_TRY(const JsonDocument document, JsonDocument::parse(quoted));
  return std::string(document.root().text());
}

}  // namespace

Result<std::vector<JsonMember>> json_members(std::string_view object) {
  Scanner scanner(object);
  std::vector<JsonMember> members;
  scanner.skip_space();
  if (!scanner.take('{')) return not_an_object(scanner.position());
  scanner.skip_space();
  while (!scanner.sees('}')) {
    if (!members.empty()) {
      if (!scanner.take(',')) return not_an_object(scanner.position());
      scanner.skip_space();
    }
    const std::size_t begin = scanner.position();
    const auto quoted = scanner.take_string();
    scanner.skip_space();
    if (!quoted || !scanner.take(':')) return not_an_object(scanner.position());
    CONCIERGUS_TRY(std::string name, unescape(*quoted));
    scanner.skip_space();
    const auto value = scanner.take_value();
    if (!value) return not_an_object(scanner.position());
    members.push_back({std::move(name), begin, *value});
    scanner.skip_space();
  }
  scanner.take('}');
  scanner.skip_space();
  if (!scanner.at_end()) return not_an_object(scanner.position());
  return members;
}

Result<std::string> edit_json_members(std::string_view object, std::span<const JsonEdit> edits) {
  CONCIERGUS_TRY(const auto members, json_members(object));
  const auto offset_behind = [&](const JsonMember& member) {
    return static_cast<std::size_t>(member.value.data() - object.data()) + member.value.size();
  };
  std::string edited;
  edited.reserve(object.size() + 64);
  std::size_t copied = members.empty() ? object.find('{') + 1 : members.front().begin;
  edited.append(object, 0, copied);
  bool has_member = false;
  for (const JsonMember& member : members) {
    const auto edit = std::ranges::find(edits, member.name, &JsonEdit::name);
    const bool is_edited = edit != edits.end();
    if (is_edited && !edit->value) {
      copied = offset_behind(member);
      continue;
    }
    // What stands between two members goes with the second; without a first there is no comma to
    // keep.
    if (has_member) edited.append(object, copied, member.begin - copied);
    has_member = true;
    const auto value_begin = static_cast<std::size_t>(member.value.data() - object.data());
    edited.append(object, member.begin, value_begin - member.begin);
    edited += is_edited ? *edit->value : member.value;
    copied = offset_behind(member);
  }
  for (const JsonEdit& edit : edits) {
    if (!edit.value || std::ranges::find(members, edit.name, &JsonMember::name) != members.end())
      continue;
    if (has_member) edited.push_back(',');
    has_member = true;
    append_json_string(edited, edit.name);
    edited.push_back(':');
    edited += *edit.value;
  }
  edited.append(object, copied);
  return edited;
}

}  // namespace conciergus::llm

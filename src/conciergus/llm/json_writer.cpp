#include "conciergus/llm/json_writer.hpp"

#include <array>

namespace conciergus::llm {
namespace {

/// What follows the backslash: 0 for bytes that need none, 'u' for \u00XX.
constexpr auto kEscapes = [] {
  std::array<char, 256> table{};
  for (int c = 0; c < 0x20; ++c) table[static_cast<std::size_t>(c)] = 'u';
  table['\b'] = 'b';
  table['\t'] = 't';
  table['\n'] = 'n';
  table['\f'] = 'f';
  table['\r'] = 'r';
  table['"'] = '"';
  table['\\'] = '\\';
  return table;
}();

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  out.push_back('"');
  std::size_t plain = 0;  // start of the run not yet copied
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const char escape = kEscapes[byte];
    if (escape == 0) [[likely]]
      continue;
    out.append(text, plain, i - plain);
    plain = i + 1;
    out.push_back('\\');
    out.push_back(escape);
    if (escape == 'u') {
      out += "00";
      out.push_back(kDigits[byte >> 4]);
      out.push_back(kDigits[byte & 15]);
    }
  }
  out.append(text, plain, text.size() - plain);
  out.push_back('"');
}

void append_json(std::string& out, JsonValue value) {
  switch (value.kind()) {
    case JsonKind::kNull:
      out += "null";
      return;
    case JsonKind::kFalse:
      out += "false";
      return;
    case JsonKind::kTrue:
      out += "true";
      return;
    case JsonKind::kNumber:
      out += value.number_text();
      return;
    case JsonKind::kString:
      append_json_string(out, value.text());
      return;
    case JsonKind::kArray:
    case JsonKind::kObject:
      break;
  }
  const bool is_object = value.kind() == JsonKind::kObject;
  out.push_back(is_object ? '{' : '[');
  bool is_first = true;
  for (const JsonValue child : value) {
    if (!is_first) out.push_back(',');
    is_first = false;
    if (is_object) {
      append_json_string(out, child.name());
      out.push_back(':');
    }
    append_json(out, child);
  }
  out.push_back(is_object ? '}' : ']');
}

}  // namespace conciergus::llm

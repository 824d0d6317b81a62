#include "conciergus/llm/json_writer.hpp"

#include <array>
#include <cstdint>
#include <cstring>

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

/// How many bytes from `begin` on are plain, found eight at a time (SWAR): prompts are mostly that.
std::size_t plain_bytes(std::string_view text, std::size_t begin) noexcept {
  static constexpr std::uint64_t kOnes = 0x0101010101010101;
  static constexpr std::uint64_t kHighBits = 0x8080808080808080;
  const auto has_zero = [](std::uint64_t word) { return (word - kOnes) & ~word & kHighBits; };
  std::size_t at = begin;
  for (; at + sizeof(std::uint64_t) <= text.size(); at += sizeof(std::uint64_t)) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + at, sizeof word);
    const std::uint64_t below_space = (word - kOnes * 0x20) & ~word & kHighBits;
    if ((below_space | has_zero(word ^ (kOnes * '"')) | has_zero(word ^ (kOnes * '\\'))) != 0)
      break;
  }
  while (at < text.size() && kEscapes[static_cast<unsigned char>(text[at])] == 0) ++at;
  return at - begin;
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  out.push_back('"');
  for (std::size_t at = 0; at < text.size(); ++at) {
    const std::size_t plain = plain_bytes(text, at);
    out.append(text, at, plain);
    at += plain;
    if (at == text.size()) break;
    const auto byte = static_cast<unsigned char>(text[at]);
    out.push_back('\\');
    out.push_back(kEscapes[byte]);
    if (kEscapes[byte] == 'u') {
      out += "00";
      out.push_back(kDigits[byte >> 4]);
      out.push_back(kDigits[byte & 15]);
    }
  }
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

#include "conciergus/codec/traceparent.hpp"

#include <algorithm>
#include <vector>

#include "conciergus/base/text.hpp"
#include "conciergus/codec/list.hpp"

namespace conciergus::codec {
namespace {

constexpr std::size_t kSize = 55;
constexpr std::size_t kMaxMembers = 32;
constexpr std::size_t kMaxStateBytes = 512;

/// Lower-case digits only, as the specification demands; -1 for anything else.
int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool parse_hex(std::string_view text, std::span<unsigned char> bytes) noexcept {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const int high = hex_value(text[2 * i]);
    const int low = hex_value(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    bytes[i] = static_cast<unsigned char>(high * 16 + low);
  }
  return true;
}

bool is_zero(std::span<const unsigned char> bytes) noexcept {
  return std::ranges::all_of(bytes, [](unsigned char byte) { return byte == 0; });
}

void append_hex(std::string& out, std::span<const unsigned char> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const unsigned char byte : bytes) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 0xf];
  }
}

void fill(std::span<unsigned char> bytes, Random& random) noexcept {
  do {
    for (std::size_t i = 0; i < bytes.size(); i += 8) {
      std::uint64_t word = random();
      for (std::size_t j = i; j < std::min(i + 8, bytes.size()); ++j, word >>= 8) {
        bytes[j] = static_cast<unsigned char>(word);
      }
    }
  } while (is_zero(bytes));
}

bool is_key(std::string_view key) noexcept {
  const auto is_alphanumeric = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  };
  return !key.empty() && key.size() <= 256 && is_alphanumeric(key[0]) &&
         std::ranges::all_of(key, [&](char c) {
           return is_alphanumeric(c) || std::string_view("_-*/@").find(c) != std::string_view::npos;
         });
}

bool is_value(std::string_view value) noexcept {
  return !value.empty() && value.size() <= 256 && value.back() != ' ' &&
         std::ranges::all_of(value,
                             [](char c) { return c >= 0x20 && c <= 0x7e && c != ',' && c != '='; });
}

std::string_view key_of(std::string_view member) noexcept {
  return member.substr(0, member.find('='));
}

bool is_member(std::string_view member) noexcept {
  const std::string_view key = key_of(member);
  return key.size() < member.size() && is_key(key) && is_value(member.substr(key.size() + 1));
}

/// The members of all lines; none at all if one of them is malformed or there twice.
std::vector<std::string_view> parse_members(std::span<const std::string_view> lines) {
  std::vector<std::string_view> members;
  for (std::string_view rest : lines) {
    while (!rest.empty()) {  // not take_element(): a quote has no meaning here
      const auto size = std::min(rest.find(','), rest.size());
      const std::string_view member = trim(rest.substr(0, size));
      rest.remove_prefix(std::min(size + 1, rest.size()));
      if (member.empty()) continue;
      const auto is_same_key = [&](std::string_view other) {
        return key_of(other) == key_of(member);
      };
      if (!is_member(member) || std::ranges::any_of(members, is_same_key)) return {};
      if (members.size() < kMaxMembers) members.push_back(member);
    }
  }
  return members;
}

}  // namespace

std::optional<TraceParent> parse_traceparent(std::string_view text) noexcept {
  unsigned char version = 0;
  TraceParent parent;
  if (text.size() < kSize || text[2] != '-' || text[35] != '-' || text[52] != '-' ||
      !parse_hex(text.substr(0, 2), {&version, 1}) || version == 0xff ||
      !parse_hex(text.substr(3, 32), parent.trace_id) ||
      !parse_hex(text.substr(36, 16), parent.span_id) ||
      !parse_hex(text.substr(53, 2), {&parent.flags, 1}) || is_zero(parent.trace_id) ||
      is_zero(parent.span_id)) {
    return std::nullopt;
  }
  if (text.size() > kSize && (version == 0 || text[kSize] != '-')) return std::nullopt;
  return parent;
}

std::string format_traceparent(const TraceParent& parent) {
  std::string text;
  text.reserve(kSize);
  text += "00-";
  append_hex(text, parent.trace_id);
  text += '-';
  append_hex(text, parent.span_id);
  text += '-';
  const unsigned char flags = parent.flags & (TraceParent::kSampled | TraceParent::kRandom);
  append_hex(text, {&flags, 1});
  return text;
}

TraceParent start_trace(Random& random, bool is_sampled) noexcept {
  TraceParent parent;
  fill(parent.trace_id, random);
  fill(parent.span_id, random);
  parent.flags =
      static_cast<std::uint8_t>(TraceParent::kRandom | (is_sampled ? TraceParent::kSampled : 0));
  return parent;
}

TraceParent continue_trace(const TraceParent& received, Random& random) noexcept {
  TraceParent parent = received;
  fill(parent.span_id, random);
  return parent;
}

std::string update_tracestate(std::span<const std::string_view> received_lines,
                              std::string_view key,
                              std::string_view value) {
  std::string state;
  std::size_t members = 0;
  if (is_key(key) && is_value(value)) {
    state.append(key).append("=").append(value);
    ++members;
  }
  for (const std::string_view member : parse_members(received_lines)) {
    if (key_of(member) == key) continue;
    if (members == kMaxMembers || state.size() + (members > 0) + member.size() > kMaxStateBytes)
      break;
    if (members++ > 0) state += ',';
    state += member;
  }
  return state;
}

}  // namespace conciergus::codec

#include "conciergus/llm/cache_key.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <vector>

#include "conciergus/base/text.hpp"
#include "conciergus/llm/canonical_json.hpp"
#include "conciergus/llm/request_fields.hpp"
#include "conciergus/llm/sha256.hpp"

namespace conciergus::llm {
namespace {

static_assert(std::endian::native == std::endian::little,
              "lengths are hashed as they lie in memory");

void append_length(std::string& out, std::uint64_t length) {
  std::array<char, sizeof length> bytes;
  std::memcpy(bytes.data(), &length, sizeof length);
  out.append(bytes.data(), bytes.size());
}

void append_field(std::string& out, std::string_view field) {
  append_length(out, field.size());
  out += field;
}

bool is_left_out(std::string_view name, const void* protocol) {
  return name == "model" ||
         classify(*static_cast<const Protocol*>(protocol), name) == FieldClass::kIgnored;
}

void append_headers(std::string& out, std::span<const HeaderField> headers) {
  std::vector<HeaderField> sorted(headers.begin(), headers.end());
  std::ranges::sort(sorted, [](const HeaderField& a, const HeaderField& b) {
    return std::tie(a.name, a.value) < std::tie(b.name, b.value);
  });
  for (const HeaderField& header : sorted) {
    append_field(out, header.name);
    append_field(out, header.value);
  }
}

}  // namespace

std::string CacheKey::hex() const {
  return to_hex(view());
}

std::optional<CacheKey> make_cache_key(const KeyParts& parts) {
  thread_local std::string bytes;
  bytes.clear();
  append_field(bytes, "cg1");
  append_field(bytes, parts.scope);
  append_field(bytes, to_string(parts.protocol));
  append_field(bytes, endpoint(parts.protocol));
  append_field(bytes, parts.provider);
  append_field(bytes, parts.model);

  const std::size_t length_at = bytes.size();
  append_length(bytes, 0);
  const std::size_t body_at = bytes.size();
  const bool is_unambiguous = append_canonical_json(
      bytes, parts.body, {.is_left_out = is_left_out, .context = &parts.protocol});
  const std::uint64_t length = bytes.size() - body_at;
  std::memcpy(bytes.data() + length_at, &length, sizeof length);

  append_headers(bytes, parts.headers);
  std::optional<CacheKey> key;
  if (is_unambiguous) key = sha256(std::array{std::string_view(bytes)});
  static constexpr std::size_t kKeptCapacity = 256 * 1024;
  if (bytes.capacity() > kKeptCapacity) std::string().swap(bytes);
  return key;
}

}  // namespace conciergus::llm

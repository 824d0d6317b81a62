#include "conciergus/codec/http1_grammar.hpp"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <bit>

#include "conciergus/base/text.hpp"

namespace conciergus::codec {

const Field* find_field(std::span<const Field> fields, std::string_view name) noexcept {
  for (const Field& field : fields) {
    if (iequals(field.name, name)) return &field;
  }
  return nullptr;
}

std::string Http1Error::detail() const {
  return std::string(what) + " at byte " + std::to_string(offset);
}

Error Http1Error::to_error() const {
  const ErrorCode code = status == 502                    ? ErrorCode::kProtocol
                         : status == 414 || status == 431 ? ErrorCode::kTooLarge
                                                          : ErrorCode::kInvalidRequest;
  return Error(code, detail());
}

namespace grammar {

const char* find_value_end(const char* at, const char* end) noexcept {
#if defined(__SSE2__)
  const __m128i last_control = _mm_set1_epi8(0x1f);
  const __m128i tab = _mm_set1_epi8('\t');
  const __m128i del = _mm_set1_epi8(0x7f);
  for (; end - at >= 16; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    // Unsigned bytes ≤ 1F are those that min() leaves unchanged.
    const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, last_control), bytes);
    const __m128i bad = _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(bytes, tab), control),
                                     _mm_cmpeq_epi8(bytes, del));
    if (const int mask = _mm_movemask_epi8(bad); mask != 0) {
      return at + std::countr_zero(static_cast<unsigned>(mask));
    }
  }
#endif
  while (at != end && is_value_char(*at)) ++at;
  return at;
}

const char* parse_field_line(const char* message,
                             const char* at,
                             const char* end,
                             Field& field,
                             Http1Error& error) noexcept {
  const auto refuse = [&](std::string_view what, const char* where) {
    error = {400, what, static_cast<std::size_t>(where - message)};
    return nullptr;
  };
  const char* const name = at;
  while (at != end && is_token_char(*at)) ++at;
  if (at == end) return refuse("field line without an end", at);
  if (*at != ':') {
    if (at == name && is_blank(*at)) return refuse("white space before a field name", at);
    if (is_blank(*at)) return refuse("white space in or after a field name", at);
    return refuse("byte that no field name may hold", at);
  }
  if (at == name) return refuse("empty field name", at);
  field.name = {name, at};

  ++at;
  while (at != end && is_blank(*at)) ++at;
  const char* const value = at;
  at = find_value_end(at, end);
  if (end - at < 2) return refuse("field line without an end", at);
  if (at[0] != '\r') {
    return refuse(
        at[0] == '\n' ? "line feed without carriage return" : "control byte in a field value", at);
  }
  if (at[1] != '\n') return refuse("carriage return without line feed", at);
  const char* value_end = at;
  while (value_end != value && is_blank(value_end[-1])) --value_end;
  field.value = {value, value_end};
  return at + 2;
}

}  // namespace grammar
}  // namespace conciergus::codec

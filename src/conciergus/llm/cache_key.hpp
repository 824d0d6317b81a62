#pragma once
/// The name under which an answer is cached and shared: a SHA-256 over everything that changes it,
/// the tenant's scope first. Fields carry their length, so that no two lists of fields can be made
/// to collide; the hash is cryptographic, so that nobody can make two requests collide on purpose.
#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "conciergus/llm/json_document.hpp"
#include "conciergus/llm/protocol.hpp"

namespace conciergus::llm {

/// Never shown to tenants: whoever holds a key can ask whether somebody else has asked the
/// question.
struct CacheKey {
  std::array<char, 32> digest{};

  std::string_view view() const noexcept { return {digest.data(), digest.size()}; }
  std::string hex() const;
  bool operator==(const CacheKey&) const = default;
};

struct HeaderField {
  std::string_view name;  ///< In lower case.
  std::string_view value;
};

/// What a key is made of. Views are borrowed for the call.
struct KeyParts {
  std::string_view scope;  ///< Derived by the server; never empty.
  Protocol protocol;       ///< Spoken to the upstream.
  std::string_view provider;
  std::string_view model;  ///< As the upstream calls it; the body's own `model` does not count.
  JsonValue body;          ///< The effective request.
  std::span<const HeaderField> headers;  ///< Forwarded ones that change the answer, in any order.
};

/// The key, or nothing when the body holds duplicate members and therefore has no one meaning.
std::optional<CacheKey> make_cache_key(const KeyParts& parts);

}  // namespace conciergus::llm

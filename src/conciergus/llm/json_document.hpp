#pragma once
/// A bounded, read-only parse of one JSON text (RFC 8259) that keeps what a document model usually
/// drops and a cache key needs: the text of numbers, the order of members and their duplicates.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conciergus/base/result.hpp"

namespace conciergus::llm {

struct JsonBounds {
  std::size_t max_depth = 128;          ///< Arrays and objects inside one another.
  std::size_t max_values = 512 * 1024;  ///< Each costs 40 bytes while the document lives.
};

enum class JsonKind : std::uint8_t { kNull, kFalse, kTrue, kNumber, kString, kArray, kObject };

/// Owns one allocation of values and at most one of unescaped text. Borrows `text`, which must
/// outlive it and its values; moving the document moves neither. Not thread-safe to build, safe to
/// read.
class JsonDocument {
  struct Node;

 public:
  class Iterator;

  /// A place in the document: as cheap as a pointer, valid as long as the document is where it was.
  /// An absent value is false and answers every question with nothing, so that paths can be
  /// chained.
  class Value {
   public:
    Value() = default;
    explicit operator bool() const noexcept { return node_ != nullptr; }

    JsonKind kind() const noexcept;
    bool is(JsonKind kind) const noexcept { return node_ != nullptr && this->kind() == kind; }
    bool is_true() const noexcept { return is(JsonKind::kTrue); }
    /// Absent or null.
    bool is_nothing() const noexcept { return node_ == nullptr || kind() == JsonKind::kNull; }

    /// The name under which an object holds this value, unescaped; empty for anything else.
    std::string_view name() const noexcept;
    /// The unescaped characters of a string, else nothing.
    std::optional<std::string_view> string() const noexcept;
    /// The same with an empty text for "no string".
    std::string_view text() const noexcept { return string().value_or(std::string_view{}); }
    /// A number as it was written, else empty.
    std::string_view number_text() const noexcept;
    std::optional<double> number() const noexcept;
    /// A number written as a non-negative integer that fits.
    std::optional<std::uint64_t> unsigned_integer() const noexcept;

    /// The last member of that name, as most parsers take it; absent when this is no object.
    Value operator[](std::string_view member) const noexcept;
    /// Elements of an array or members of an object; nothing to walk in any other value.
    std::size_t size() const noexcept;
    Iterator begin() const noexcept;
    Iterator end() const noexcept;

   private:
    friend class JsonDocument;
    friend class Iterator;
    explicit Value(const Node* node) noexcept : node_(node) {}
    const Node* node_ = nullptr;
  };

  class Iterator {
   public:
    using value_type = Value;
    using difference_type = std::ptrdiff_t;

    Iterator() = default;
    Value operator*() const noexcept { return Value(node_); }
    Iterator& operator++() noexcept;
    Iterator operator++(int) noexcept {
      const Iterator before = *this;
      ++*this;
      return before;
    }
    bool operator==(const Iterator&) const = default;

   private:
    friend class Value;
    explicit Iterator(const Node* node) noexcept : node_(node) {}
    const Node* node_ = nullptr;
  };

  /// kInvalidRequest naming the byte offset of what is not JSON, or of the first value too many.
  static Result<JsonDocument> parse(std::string_view text, const JsonBounds& bounds = {});

  Value root() const noexcept;

 private:
  class Builder;

  std::vector<Node> nodes_;            // in the order of the text: a value, then what it holds
  std::unique_ptr<char[]> unescaped_;  // strings that the text holds with escapes
};

struct JsonDocument::Node {
  const char* name;
  const char* text;
  std::uint32_t name_size;
  std::uint32_t size;  // bytes of `text`, or number of elements
  std::uint32_t span;  // this and all it holds, in nodes
  JsonKind kind;
};

inline JsonKind JsonDocument::Value::kind() const noexcept {
  return node_ == nullptr ? JsonKind::kNull : node_->kind;
}
inline std::string_view JsonDocument::Value::name() const noexcept {
  return node_ == nullptr ? std::string_view{} : std::string_view(node_->name, node_->name_size);
}
inline std::optional<std::string_view> JsonDocument::Value::string() const noexcept {
  if (!is(JsonKind::kString)) return std::nullopt;
  return std::string_view(node_->text, node_->size);
}
inline std::string_view JsonDocument::Value::number_text() const noexcept {
  return is(JsonKind::kNumber) ? std::string_view(node_->text, node_->size) : std::string_view{};
}
inline std::size_t JsonDocument::Value::size() const noexcept {
  return is(JsonKind::kArray) || is(JsonKind::kObject) ? node_->size : 0;
}
inline JsonDocument::Iterator& JsonDocument::Iterator::operator++() noexcept {
  node_ += node_->span;
  return *this;
}
inline JsonDocument::Iterator JsonDocument::Value::begin() const noexcept {
  return Iterator(size() == 0 ? nullptr : node_ + 1);
}
inline JsonDocument::Iterator JsonDocument::Value::end() const noexcept {
  return Iterator(size() == 0 ? nullptr : node_ + node_->span);
}
inline JsonDocument::Value JsonDocument::root() const noexcept {
  return Value(nodes_.data());
}

using JsonValue = JsonDocument::Value;

}  // namespace conciergus::llm

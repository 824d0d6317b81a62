#pragma once
/// Header fields in the order of arrival, RFC 9110 section 5: names compare without case, repeated
/// fields stay apart. All text lives in one arena, so that a field costs no allocation of its own.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace conciergus::http {

struct HeaderField {
  std::string_view name;
  std::string_view value;
};

/// A value type. Views into it stay valid until the next change.
class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<HeaderField> fields) {
    for (const auto& field : fields) add(field.name, field.value);
  }

  void add(std::string_view name, std::string_view value);
  /// Replaces all fields of that name by one, in the place of the first.
  void set(std::string_view name, std::string_view value);
  /// How many were removed.
  std::size_t remove(std::string_view name);
  void clear() noexcept;

  /// The first field's value.
  std::optional<std::string_view> find(std::string_view name) const noexcept;
  std::string_view get(std::string_view name, std::string_view otherwise = {}) const noexcept;
  bool contains(std::string_view name) const noexcept { return find(name).has_value(); }
  std::vector<std::string_view> find_all(std::string_view name) const;
  /// All values of that name joined with ", ", as RFC 9110 section 5.3 allows.
  std::string joined(std::string_view name) const;
  /// True if `token` is a member of the comma-separated list in any field of that name.
  bool has_token(std::string_view name, std::string_view token) const noexcept;

  std::size_t size() const noexcept { return slots_.size(); }
  bool empty() const noexcept { return slots_.empty(); }
  HeaderField operator[](std::size_t index) const noexcept {
    const auto& slot = slots_[index];
    return {std::string_view(arena_).substr(slot.at, slot.name_size),
            std::string_view(arena_).substr(slot.at + slot.name_size, slot.value_size)};
  }

  class Iterator {
   public:
    Iterator(const Headers& headers, std::size_t index) noexcept
        : headers_(&headers), index_(index) {}
    HeaderField operator*() const noexcept { return (*headers_)[index_]; }
    Iterator& operator++() noexcept {
      ++index_;
      return *this;
    }
    bool operator==(const Iterator& other) const noexcept { return index_ == other.index_; }

   private:
    const Headers* headers_;
    std::size_t index_;
  };
  Iterator begin() const noexcept { return {*this, 0}; }
  Iterator end() const noexcept { return {*this, slots_.size()}; }

  /// Room for a typical head, so that filling it does not grow step by step.
  void reserve(std::size_t fields, std::size_t bytes);
  /// Bytes of names and values, for limits.
  std::size_t text_size() const noexcept { return arena_.size(); }

 private:
  struct Slot {
    std::uint32_t at;
    std::uint32_t name_size;
    std::uint32_t value_size;
  };
  std::string arena_;
  std::vector<Slot> slots_;
};

}  // namespace conciergus::http

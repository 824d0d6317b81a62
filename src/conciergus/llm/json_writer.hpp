#pragma once
/// Writes compact JSON to the end of a string, keeping count of the commas.
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "conciergus/llm/json_document.hpp"

namespace conciergus::llm {

/// Appends `text` in quotes, escaped as RFC 8785 does: only what must be, in its shortest form.
/// Apart from the escapes the bytes go out as they are: `text` is UTF-8 already.
void append_json_string(std::string& out, std::string_view text);

/// Appends `value` in compact form, members in their order and numbers as they were written.
void append_json(std::string& out, JsonValue value);

/// Borrows `out`. The caller pairs begin and end, and writes a name before each member's value.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) noexcept : out_(out) {}

  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& name(std::string_view name) {
    separate();
    append_json_string(out_, name);
    out_.push_back(':');
    needs_comma_ = false;
    return *this;
  }
  JsonWriter& string(std::string_view text) {
    separate();
    append_json_string(out_, text);
    return *this;
  }
  JsonWriter& boolean(bool value) { return raw(value ? "true" : "false"); }
  JsonWriter& null() { return raw("null"); }
  JsonWriter& number(std::integral auto value) { return raw(std::to_string(value)); }
  /// `json` is one JSON value.
  JsonWriter& raw(std::string_view json) {
    separate();
    out_ += json;
    return *this;
  }
  JsonWriter& value(JsonValue value) {
    separate();
    append_json(out_, value);
    return *this;
  }

  JsonWriter& member(std::string_view key, std::string_view text) { return name(key).string(text); }
  JsonWriter& member(std::string_view key, const char* text) { return name(key).string(text); }
  JsonWriter& member(std::string_view key, JsonValue value) { return name(key).value(value); }
  JsonWriter& member(std::string_view key, std::same_as<bool> auto flag) {
    return name(key).boolean(flag);
  }
  JsonWriter& member(std::string_view key, std::integral auto number_value)
    requires(!std::same_as<decltype(number_value), bool>)
  {
    return name(key).number(number_value);
  }
  JsonWriter& null_member(std::string_view key) { return name(key).null(); }

 private:
  JsonWriter& open(char bracket) {
    separate();
    out_.push_back(bracket);
    needs_comma_ = false;
    return *this;
  }
  JsonWriter& close(char bracket) {
    out_.push_back(bracket);
    needs_comma_ = true;
    return *this;
  }
  void separate() {
    if (needs_comma_) out_.push_back(',');
    needs_comma_ = true;
  }

  std::string& out_;
  bool needs_comma_ = false;
};

}  // namespace conciergus::llm

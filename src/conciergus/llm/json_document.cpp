#include "conciergus/llm/json_document.hpp"

#include <charconv>
#include <cstring>
#include <limits>

#include <boost/json/basic_parser_impl.hpp>
#include <fmt/format.h>

#include "conciergus/base/text.hpp"

namespace conciergus::llm {

/// Receives what Boost.JSON's parser sees and appends it as nodes.
class JsonDocument::Builder {
 public:
  // Names that the parser asks for; the text as a whole is bounded by its reader.
  static constexpr std::size_t max_object_size = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::size_t max_array_size = max_object_size;
  static constexpr std::size_t max_key_size = max_object_size;
  static constexpr std::size_t max_string_size = max_object_size;
  using Code = boost::json::error_code;

  Builder(std::string_view text, std::size_t max_values) : text_(text), max_values_(max_values) {
    document_.nodes_.reserve(std::min(text.size() / 16 + 8, max_values));
  }
  JsonDocument take() && { return std::move(document_); }
  bool has_too_many_values() const noexcept { return document_.nodes_.size() >= max_values_; }

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code& code) { return open(JsonKind::kObject, code); }
  bool on_object_end(std::size_t count, Code&) { return close(count); }
  bool on_array_begin(Code& code) { return open(JsonKind::kArray, code); }
  bool on_array_end(std::size_t count, Code&) { return close(count); }
  bool on_key_part(std::string_view part, std::size_t, Code&) { return keep(part), true; }
  bool on_key(std::string_view part, std::size_t, Code&) { return name_ = finish(part), true; }
  bool on_string_part(std::string_view part, std::size_t, Code&) { return keep(part), true; }
  bool on_string(std::string_view part, std::size_t, Code& code) {
    return add(JsonKind::kString, finish(part), code);
  }
  bool on_number_part(std::string_view part, Code&) { return keep(part), true; }
  bool on_int64(std::int64_t, std::string_view part, Code& code) {
    return add(JsonKind::kNumber, finish(part), code);
  }
  bool on_uint64(std::uint64_t, std::string_view part, Code& code) {
    return add(JsonKind::kNumber, finish(part), code);
  }
  bool on_double(double, std::string_view part, Code& code) {
    return add(JsonKind::kNumber, finish(part), code);
  }
  bool on_bool(bool value, Code& code) {
    return add(value ? JsonKind::kTrue : JsonKind::kFalse, {}, code);
  }
  bool on_null(Code& code) { return add(JsonKind::kNull, {}, code); }
  bool on_comment_part(std::string_view, Code&) { return true; }
  bool on_comment(std::string_view, Code&) { return true; }

 private:
  bool add(JsonKind kind, std::string_view text, Code& code) {
    if (has_too_many_values()) {
      code = boost::json::error::array_too_large;
      return false;
    }
    document_.nodes_.push_back({name_.data(),
                                text.data(),
                                static_cast<std::uint32_t>(name_.size()),
                                static_cast<std::uint32_t>(text.size()),
                                1,
                                kind});
    name_ = {};
    return true;
  }

  bool open(JsonKind kind, Code& code) {
    open_.push_back(static_cast<std::uint32_t>(document_.nodes_.size()));
    return add(kind, {}, code);
  }

  bool close(std::size_t count) {
    Node& node = document_.nodes_[open_.back()];
    node.size = static_cast<std::uint32_t>(count);
    node.span = static_cast<std::uint32_t>(document_.nodes_.size() - open_.back());
    open_.pop_back();
    return true;
  }

  /// Copies a part of a string. Unescaping never makes text longer, so that one allocation of the
  /// size of the whole text holds every string and none of them ever moves.
  void keep(std::string_view part) {
    if (!document_.unescaped_) {
      document_.unescaped_ = std::make_unique_for_overwrite<char[]>(text_.size());
    }
    std::memcpy(document_.unescaped_.get() + used_ + pending_, part.data(), part.size());
    pending_ += part.size();
  }

  std::string_view finish(std::string_view part) {
    const bool is_in_text =
        part.data() >= text_.data() && part.data() + part.size() <= text_.data() + text_.size();
    if (pending_ == 0 && (is_in_text || part.empty())) return part;
    keep(part);
    const std::string_view whole(document_.unescaped_.get() + used_, pending_);
    used_ += pending_;
    pending_ = 0;
    return whole;
  }

  std::string_view text_;
  std::size_t max_values_;
  JsonDocument document_;
  std::vector<std::uint32_t> open_;
  std::string_view name_;
  std::size_t used_ = 0;     // bytes of finished strings
  std::size_t pending_ = 0;  // bytes of the string being read, behind them
};

Result<JsonDocument> JsonDocument::parse(std::string_view text, const JsonBounds& bounds) {
  if (text.size() > std::numeric_limits<std::uint32_t>::max()) {
    return fail(ErrorCode::kTooLarge, "JSON text of more than 4 GiB");
  }
  boost::json::parse_options options;
  options.max_depth = bounds.max_depth;
  boost::json::basic_parser<Builder> parser(options, text, bounds.max_values);
  boost::json::error_code code;
  const std::size_t offset = parser.write_some(false, text.data(), text.size(), code);
  if (!code && offset < text.size()) code = boost::json::error::extra_data;
  if (code) {
    const std::string reason =
        parser.handler().has_too_many_values() ? "too many values" : code.message();
    return fail(ErrorCode::kInvalidRequest,
                fmt::format("invalid JSON at byte {}: {}", offset, reason));
  }
  return std::move(parser.handler()).take();
}

JsonDocument::Value JsonDocument::Value::operator[](std::string_view member) const noexcept {
  Value found;
  if (!is(JsonKind::kObject)) return found;
  for (const Value value : *this) {
    if (value.name() == member) found = value;
  }
  return found;
}

std::optional<double> JsonDocument::Value::number() const noexcept {
  const std::string_view digits = number_text();
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (digits.empty() || error != std::errc{}) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> JsonDocument::Value::unsigned_integer() const noexcept {
  return parse_decimal(number_text());
}

}  // namespace conciergus::llm

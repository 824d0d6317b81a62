#include "conciergus/gateway/config_value.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "conciergus/base/text.hpp"

namespace conciergus::gateway {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};
constexpr std::array kTimeUnits{Unit{"ms", 1},
                                Unit{"s", 1'000},
                                Unit{"m", 60'000},
                                Unit{"h", 3'600'000},
                                Unit{"d", 86'400'000}};
constexpr std::array kByteUnits{
    Unit{"B", 1}, Unit{"KiB", 1 << 10}, Unit{"MiB", 1 << 20}, Unit{"GiB", 1 << 30}};

/// A decimal and a unit; the unit may be missing where `bare_factor` says what it then is.
std::optional<std::uint64_t> parse_quantity(std::string_view text,
                                            std::span<const Unit> units,
                                            std::optional<std::uint64_t> bare_factor) {
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = parse_decimal(text.substr(0, digits));
  if (!number) return std::nullopt;
  const auto unit_name = trim(text.substr(digits));
  std::optional<std::uint64_t> factor = unit_name.empty() ? bare_factor : std::nullopt;
  for (const auto& unit : units) {
    if (unit.name == unit_name) factor = unit.factor;
  }
  if (*number == 0 && unit_name.empty()) return 0;
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  if (!factor || *number > kMost / *factor) return std::nullopt;
  return *number * *factor;
}

std::string show_quantity(std::uint64_t value, std::span<const Unit> units) {
  const Unit* best = &units.front();
  for (const auto& unit : units) {
    if (value != 0 && value % unit.factor == 0) best = &unit;
  }
  return fmt::format("{}{}", value / best->factor, best->name);
}

std::unexpected<std::string> wrong(const ConfigNode& node, std::string_view expected) {
  return std::unexpected(fmt::format("expected {}, found {}", expected, node.type_name()));
}

const std::string* text_of(const ConfigNode& node) {
  return std::get_if<std::string>(&node.value);
}

/// Levenshtein's distance; words here are short.
std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, change}));
    }
  }
  return row.back();
}

}  // namespace

ConfigSources system_sources() {
  return {
      .environment = [](const std::string& name) -> std::optional<std::string> {
        const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): read only
        return value ? std::optional<std::string>(value) : std::nullopt;
      },
      .read_file = [](const std::string& path) -> Result<std::string> {
        constexpr std::size_t kMost = 1 << 20;
        std::ifstream file(path, std::ios::binary);
        if (!file) return fail(ErrorCode::kConfig, "cannot be read");
        std::string text(kMost + 1, '\0');
        file.read(text.data(), static_cast<std::streamsize>(text.size()));
        text.resize(static_cast<std::size_t>(file.gcount()));
        if (text.size() > kMost) return fail(ErrorCode::kConfig, "is larger than 1 MiB");
        return text;
      },
  };
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const auto value = parse_quantity(text, kTimeUnits, std::nullopt);
  if (!value) return std::nullopt;
  return std::chrono::milliseconds(*value);
}

std::string show_duration(std::chrono::milliseconds value) {
  if (value.count() == 0) return "0s";
  return show_quantity(static_cast<std::uint64_t>(value.count()), kTimeUnits);
}

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
  return parse_quantity(text, kByteUnits, 1);
}

std::string show_bytes(std::uint64_t value) {
  return value == 0 ? "0" : show_quantity(value, kByteUnits);
}

Read<bool> read_bool(const ConfigNode& node) {
  if (const auto* value = std::get_if<bool>(&node.value)) return *value;
  if (const auto* text = text_of(node); text && node.is_untyped) {
    if (*text == "true" || *text == "1" || *text == "on" || *text == "yes") return true;
    if (*text == "false" || *text == "0" || *text == "off" || *text == "no") return false;
    return std::unexpected("expected true or false");
  }
  return wrong(node, "true or false");
}

Read<std::int64_t> read_integer(const ConfigNode& node) {
  if (const auto* value = std::get_if<std::int64_t>(&node.value)) return *value;
  if (const auto* text = text_of(node); text && node.is_untyped) {
    const bool is_negative = text->starts_with('-');
    const auto size = parse_decimal(std::string_view(*text).substr(is_negative ? 1 : 0));
    if (!size || *size > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      return std::unexpected("expected a whole number");
    return is_negative ? -static_cast<std::int64_t>(*size) : static_cast<std::int64_t>(*size);
  }
  return wrong(node, "a whole number");
}

Read<double> read_number(const ConfigNode& node) {
  double value = 0;
  if (const auto* real = std::get_if<double>(&node.value)) {
    value = *real;
  } else if (const auto* whole = std::get_if<std::int64_t>(&node.value)) {
    value = static_cast<double>(*whole);
  } else if (const auto* text = text_of(node); text && node.is_untyped) {
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (error != std::errc{} || end != text->data() + text->size())
      return std::unexpected("expected a number");
  } else {
    return wrong(node, "a number");
  }
  if (!std::isfinite(value)) return std::unexpected("expected a finite number");
  return value;
}

Read<std::string> read_text(const ConfigNode& node) {
  const auto* text = text_of(node);
  if (!text) return wrong(node, "text in quotes");
  if (text->find('\0') != text->npos) return std::unexpected("must not contain a NUL character");
  return *text;
}

Read<std::chrono::milliseconds> read_duration(const ConfigNode& node) {
  if (const auto* zero = std::get_if<std::int64_t>(&node.value); zero && *zero == 0)
    return std::chrono::milliseconds(0);
  const auto* text = text_of(node);
  const auto value = text ? parse_duration(*text) : std::nullopt;
  if (!value) return std::unexpected(R"(expected a duration such as "250ms", "30s", "5m", "2h")");
  return *value;
}

Read<std::uint64_t> read_bytes(const ConfigNode& node) {
  if (const auto* value = std::get_if<std::int64_t>(&node.value); value && *value >= 0)
    return static_cast<std::uint64_t>(*value);
  const auto* text = text_of(node);
  const auto value = text ? parse_bytes(*text) : std::nullopt;
  if (!value) return std::unexpected(R"(expected a size such as "512B", "32KiB", "64MiB")");
  return *value;
}

Read<Secret> read_secret(const ConfigNode& node, const ConfigSources& sources) {
  if (const auto* text = text_of(node)) return Secret(*text);
  const auto* table = node.table();
  if (!table || table->size() != 1)
    return std::unexpected(R"(expected text, {env = "NAME"} or {file = "path"})");
  const auto& [kind, value] = table->front();
  const auto* name = text_of(value);
  if (!name) return std::unexpected(fmt::format("{}: expected text", kind));
  if (kind == "env") {
    auto found = sources.environment(*name);
    if (!found || found->empty())
      return std::unexpected(fmt::format("environment variable {} is not set", *name));
    return Secret(*std::move(found));
  }
  if (kind == "file") {
    auto found = sources.read_file(*name);
    if (!found) return std::unexpected(fmt::format("file {} {}", *name, found.error().detail()));
    while (found->ends_with('\n') || found->ends_with('\r')) found->pop_back();
    if (found->empty()) return std::unexpected(fmt::format("file {} is empty", *name));
    return Secret(*std::move(found));
  }
  return std::unexpected(R"(expected text, {env = "NAME"} or {file = "path"})");
}

std::vector<ConfigNode> members(const ConfigNode& node) {
  if (const auto* list = node.list()) return *list;
  const auto* text = text_of(node);
  if (!text || !node.is_untyped) return {node};
  std::vector<ConfigNode> parts;
  std::string_view rest = *text;
  while (!rest.empty()) {
    const auto comma = std::min(rest.find(','), rest.size());
    if (const auto part = trim(rest.substr(0, comma)); !part.empty())
      parts.push_back({.value = std::string(part), .origin = node.origin, .is_untyped = true});
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return parts;
}

std::optional<std::string_view> nearest(std::string_view word,
                                        const std::vector<std::string_view>& known) {
  std::optional<std::string_view> best;
  std::size_t best_edits = 3;  // more than two edits is another word
  if (word.size() > 64) return best;
  for (const auto candidate : known) {
    const auto distance = edits(word, candidate);
    if (distance < best_edits && distance < candidate.size()) {
      best = candidate;
      best_edits = distance;
    }
  }
  return best;
}

}  // namespace conciergus::gateway

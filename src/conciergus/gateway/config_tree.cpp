#include "conciergus/gateway/config_tree.hpp"

#include <algorithm>
#include <sstream>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "conciergus/base/text.hpp"

namespace conciergus::gateway {
namespace {

std::string place(std::string_view name, const toml::source_position& at) {
  return fmt::format("{}:{}:{}", name, at.line, at.column);
}

ConfigNode convert(const toml::node& from, std::string_view name);

ConfigNode::Table convert_table(const toml::table& from, std::string_view name) {
  using Place = std::pair<toml::source_index, toml::source_index>;
  std::vector<std::pair<Place, ConfigNode::Entry>> found;
  for (const auto& [key, value] : from) {
    const auto& at = key.source().begin;
    auto& [position, entry] = found.emplace_back();
    position = {at.line, at.column};
    entry = {std::string(key.str()), convert(value, name)};
    entry.node.origin = place(name, at);
  }
  std::ranges::sort(found, {}, [](const auto& one) { return one.first; });
  ConfigNode::Table table;
  for (auto& [position, entry] : found) table.push_back(std::move(entry));
  return table;
}

ConfigNode convert(const toml::node& from, std::string_view name) {
  ConfigNode node{.value = {}, .origin = place(name, from.source().begin)};
  from.visit([&](const auto& typed) {
    using T = std::decay_t<decltype(typed)>;
    if constexpr (toml::is_table<T>) {
      node.value = convert_table(typed, name);
    } else if constexpr (toml::is_array<T>) {
      ConfigNode::List list;
      for (const auto& value : typed) list.push_back(convert(value, name));
      node.value = std::move(list);
    } else if constexpr (toml::is_string<T> || toml::is_integer<T> || toml::is_floating_point<T> ||
                         toml::is_boolean<T>) {
      node.value = typed.get();
    } else {
      std::ostringstream text;  // dates and times: nothing here takes one, and the message shows it
      text << typed.get();
      node.value = text.str();
    }
  });
  return node;
}

}  // namespace

std::string_view ConfigNode::type_name() const noexcept {
  static constexpr std::string_view kNames[] = {
      "a table", "a list", "text", "a whole number", "a number", "true or false"};
  return kNames[value.index()];
}

std::expected<ConfigNode, ConfigProblem> parse_toml(std::string_view text, std::string_view name) {
  try {
    return convert(toml::parse(text, name), name);
  } catch (const toml::parse_error& error) {  // the library's way to report; it ends here
    return std::unexpected(
        ConfigProblem{place(name, error.source().begin), std::string(error.description())});
  }
}

const ConfigNode* ConfigNode::find(std::string_view key) const noexcept {
  if (!table()) return nullptr;
  const auto entry = std::ranges::find(*table(), key, &Entry::key);
  return entry == table()->end() ? nullptr : &entry->node;
}

namespace {

ConfigNode& child(ConfigNode& node, std::string_view key) {
  if (!node.table()) node.value = ConfigNode::Table{};
  auto& table = *node.table();
  const auto known = std::ranges::find(table, key, &ConfigNode::Entry::key);
  return known != table.end() ? known->node : table.emplace_back(std::string(key)).node;
}

/// Takes "models", "[2]" or "name" off the front of a path.
std::string_view take_step(std::string_view& path) {
  if (path.starts_with('.')) path.remove_prefix(1);
  const auto end = std::min(path.find_first_of(".[", 1), path.size());
  const auto step = path.substr(0, end);
  path.remove_prefix(end);
  return step;
}

const ConfigNode* follow(const ConfigNode& node, std::string_view step) {
  if (!step.starts_with('[')) return node.find(step);
  const auto index = parse_decimal(step.substr(1, step.size() - 2));
  if (!index) return nullptr;
  if (const auto* list = node.list()) return *index < list->size() ? &(*list)[*index] : nullptr;
  const auto* table = node.table();
  return table && *index < table->size() ? &(*table)[*index].node : nullptr;
}

}  // namespace

void put(ConfigNode& root, std::string_view path, ConfigNode value) {
  ConfigNode* at = &root;
  while (!path.empty()) {
    at = &child(*at, take_step(path));
    if (at->origin.empty()) at->origin = value.origin;
  }
  *at = std::move(value);
}

void overlay(ConfigNode& base, ConfigNode over) {
  auto* above = over.table();
  if (!base.table() || !above) {
    base = std::move(over);
    return;
  }
  for (auto& [key, value] : *above) overlay(child(base, key), std::move(value));
}

const ConfigNode* find(const ConfigNode& root, std::string_view path) {
  const ConfigNode* at = &root;
  while (at && !path.empty()) at = follow(*at, take_step(path));
  return at;
}

std::string origin_of(const ConfigNode& root, std::string_view path) {
  const ConfigNode* at = &root;
  std::string origin = "default";
  while (!path.empty()) {
    at = follow(*at, take_step(path));
    if (!at) break;
    origin = at->origin;
  }
  return origin;
}

}  // namespace conciergus::gateway

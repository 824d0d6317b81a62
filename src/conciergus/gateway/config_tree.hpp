#pragma once
/// A configuration as a tree of values that know where they came from: the form in which profile,
/// file, environment and flags are laid over one another before anything is checked.
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace conciergus::gateway {

/// What is wrong with a configuration, and where: "conciergus.toml:12:5", "environment PORT", …
struct ConfigProblem {
  std::string where;
  std::string what;
  /// "conciergus.toml:12:5: server.port: …"
  std::string to_string() const { return where + ": " + what; }
};
using ConfigProblems = std::vector<ConfigProblem>;

/// A value type.
struct ConfigNode {
  struct Entry;
  using List = std::vector<ConfigNode>;
  using Table = std::vector<Entry>;  // in the order of the file, since order can mean preference

  std::variant<Table, List, std::string, std::int64_t, double, bool> value;
  std::string origin;
  /// Text from the environment or a flag, where every type has to be spelt as text.
  bool is_untyped = false;

  const Table* table() const noexcept { return std::get_if<Table>(&value); }
  Table* table() noexcept { return std::get_if<Table>(&value); }
  const List* list() const noexcept { return std::get_if<List>(&value); }
  /// "a table", "text", … for error messages.
  std::string_view type_name() const noexcept;
  /// The member of a table; null if this is none or has no such key.
  const ConfigNode* find(std::string_view key) const noexcept;
};

struct ConfigNode::Entry {
  std::string key;
  ConfigNode node;
};

/// Reads TOML 1.0; `name` stands in the origins. Fails with the first syntax error.
std::expected<ConfigNode, ConfigProblem> parse_toml(std::string_view text, std::string_view name);

/// Puts `value` at a dotted path such as "server.port", making tables on the way; replaces what is
/// there.
void put(ConfigNode& root, std::string_view path, ConfigNode value);

/// Lays `over` upon `base`: tables key by key, anything else by replacement.
void overlay(ConfigNode& base, ConfigNode over);

/// Null if there is nothing at that path, which may hold indices into lists and tables:
/// "llm.models[2].targets[0]".
const ConfigNode* find(const ConfigNode& root, std::string_view path);

/// Where the value at `path` was set, or the nearest table around it; "default" without any.
std::string origin_of(const ConfigNode& root, std::string_view path);

}  // namespace conciergus::gateway

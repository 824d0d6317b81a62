#pragma once
/// How single values are spelt in a configuration: "30s", "64MiB", true, {env = "NAME"}.
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conciergus/base/result.hpp"
#include "conciergus/base/secret.hpp"
#include "conciergus/gateway/config_tree.hpp"

namespace conciergus::gateway {

/// Where secrets and overrides are looked up; handed in, so that tests need no real environment.
struct ConfigSources {
  std::function<std::optional<std::string>(const std::string& name)> environment;
  std::function<Result<std::string>(const std::string& path)> read_file;
};
/// The process environment, and files of up to 1 MiB.
ConfigSources system_sources();

/// "250ms", "30s", "5m", "2h", "1d"; a bare 0 too. No fractions.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
std::string show_duration(std::chrono::milliseconds value);
/// "512", "32KiB", "64MiB", "1GiB".
std::optional<std::uint64_t> parse_bytes(std::string_view text);
std::string show_bytes(std::uint64_t value);

/// The readers below fail with a sentence that says what would be right.
template <class T>
using Read = std::expected<T, std::string>;

Read<bool> read_bool(const ConfigNode& node);
Read<std::int64_t> read_integer(const ConfigNode& node);
Read<double> read_number(const ConfigNode& node);
Read<std::string> read_text(const ConfigNode& node);
Read<std::chrono::milliseconds> read_duration(const ConfigNode& node);
Read<std::uint64_t> read_bytes(const ConfigNode& node);
/// Text, or a table with one of `env` and `file`; a file's last line end is not part of it.
Read<Secret> read_secret(const ConfigNode& node, const ConfigSources& sources);
/// The members of a list; untyped text is split at commas.
std::vector<ConfigNode> members(const ConfigNode& node);

/// The member of `known` that `word` was probably meant to be: at most two edits away, or none.
std::optional<std::string_view> nearest(std::string_view word,
                                        const std::vector<std::string_view>& known);

}  // namespace conciergus::gateway

/// Writes docs/configuration.md from the schema, so that the two cannot differ.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "conciergus/gateway/config.hpp"

namespace conciergus::gateway {
namespace {

constexpr std::string_view kIntroduction = R"(# Configuration

<!-- Written by `conciergus check --print-docs`; a test compares. Change the schema, not this file. -->

`conciergus serve` needs no configuration. Each value is taken from the first of these that has it:

1. a flag (`conciergus serve --help`),
2. the environment: `CONCIERGUS_` and the path in capitals with underscores, such as
   `CONCIERGUS_SERVER_DRAIN_TIMEOUT=10s`; for some, a plain name such as `PORT` too. Lists are written
   with commas. Lists of tables can only be written in a file,
3. the file given by `--config` or `CONCIERGUS_CONFIG`, in TOML,
4. the profile,
5. the default below.

`conciergus check` takes the same flags as `serve`, reports every problem at once with file, line and
column, and prints each value in force with its origin, secrets masked. An unknown key is an error.
`SIGHUP` reads everything again; a configuration with a problem leaves the running one in place.

A **duration** is written `"250ms"`, `"30s"`, `"5m"`, `"2h"` or `"1d"`; a **size** `"512B"`, `"32KiB"`,
`"64MiB"`, `"1GiB"` or a number of bytes; a **secret** as text, `{env = "NAME"}` or
`{file = "path"}`, of which the last line end is not part.

`REDIS_URL` and `DATABASE_URL` are accepted and reported as not used yet.
)";

void append_profiles(std::string& out) {
  out +=
      "\n## Profiles\n\nWhat differs from the defaults below.\n\n"
      "| key | `development` | `staging` | `production` |\n|---|---|---|---|\n";
  const auto cell = [](Profile profile, const std::string& path) -> std::string {
    for (const auto& [at, node] : profile_defaults(profile)) {
      if (at == path) return fmt::format("`{}`", std::get<std::string>(node.value));
    }
    return "";
  };
  std::vector<std::string> paths;
  for (const auto profile : {Profile::kProduction, Profile::kStaging}) {
    for (const auto& [at, node] : profile_defaults(profile)) {
      if (std::ranges::find(paths, at) == paths.end()) paths.push_back(at);
    }
  }
  for (const auto& path : paths) {
    fmt::format_to(std::back_inserter(out),
                   "| `{}` | {} | {} | {} |\n",
                   path,
                   cell(Profile::kDevelopment, path),
                   cell(Profile::kStaging, path),
                   cell(Profile::kProduction, path));
  }
  out += "| simulated provider when there is no other | yes | yes | no |\n";
}

/// A bar would end the cell.
std::string cell_text(std::string_view text) {
  std::string out;
  for (const char c : text) out.append(c == '|' ? "\\" : "").push_back(c);
  return out;
}

void append_section(std::string& out,
                    const SchemaBase& schema,
                    const void* defaults,
                    const std::string& heading,
                    std::string_view help,
                    const std::string& path) {
  const auto end = std::back_inserter(out);
  fmt::format_to(end, "\n## {}\n\n{}\n", heading, help);
  bool has_value = false;
  for (const auto& field : schema.fields()) {
    if (field.kind != SchemaBase::Kind::kValue) continue;
    if (!std::exchange(has_value, true))
      out += "\n| key | type | default | effect |\n|---|---|---|---|\n";
    fmt::format_to(end,
                   "| `{}` | {} | `{}` | {}{} |\n",
                   field.key,
                   cell_text(field.type),
                   field.show(defaults),
                   cell_text(field.help),
                   field.range.empty() ? "" : fmt::format(" {}.", field.range));
  }
  for (const auto& field : schema.fields()) {
    const auto at = path.empty() ? field.key : path + "." + field.key;
    switch (field.kind) {
      case SchemaBase::Kind::kValue:
        break;
      case SchemaBase::Kind::kTable: {
        const void* nested = field.nested(defaults).front().second;
        append_section(out, *field.schema, nested, fmt::format("`[{}]`", at), field.help, at);
        break;
      }
      case SchemaBase::Kind::kNamedTables: {
        const auto heading_of = fmt::format("`[{}.NAME]`", at);
        append_section(out, *field.schema, field.defaults, heading_of, field.help, at + ".NAME");
        break;
      }
      case SchemaBase::Kind::kTableList:
        append_section(
            out, *field.schema, field.defaults, fmt::format("`[[{}]]`", at), field.help, at);
        break;
    }
  }
}

}  // namespace

std::string configuration_reference() {
  std::string out(kIntroduction);
  append_profiles(out);
  const GatewayConfig defaults;
  append_section(out, gateway_schema(), &defaults, "Top level", "Ahead of all sections.", "");
  return out;
}

}  // namespace conciergus::gateway

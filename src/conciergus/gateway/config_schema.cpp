#include "conciergus/gateway/config_schema.hpp"

#include <fmt/format.h>

#include "conciergus/observe/log.hpp"

namespace conciergus::gateway {

std::string quoted(std::string_view text) {
  std::string out;
  observe::append_json_string(out, text);  // TOML's basic strings escape as JSON does
  return out;
}

std::string show_number(double value) {
  return fmt::format("{}", value);
}

std::string must_be_one_of(const std::vector<std::string>& words) {
  std::string text = "must be one of ";
  for (const auto& word : words)
    text.append(&word == &words.front() ? "" : ", ").append(quoted(word));
  return text;
}

void report(ReadContext& context,
            const ConfigNode& node,
            const std::string& path,
            std::string_view what) {
  context.problems.push_back({node.origin, fmt::format("{}: {}", path, what)});
}

void SchemaBase::read(void* owner,
                      const ConfigNode& node,
                      const std::string& path,
                      ReadContext& into) const {
  const auto* table = node.table();
  if (!table)
    return report(into, node, path, fmt::format("expected a table, found {}", node.type_name()));
  const auto prefix = path.empty() ? std::string() : path + ".";
  for (const auto& [key, value] : *table) {
    const auto field = std::ranges::find(fields_, key, &Field::key);
    if (field != fields_.end()) {
      field->read(owner, value, prefix + key, into);
      continue;
    }
    std::vector<std::string_view> known;
    for (const auto& one : fields_) known.push_back(one.key);
    const auto meant = nearest(key, known);
    report(into,
           value,
           prefix + key,
           meant ? fmt::format("unknown key; did you mean {}?", *meant) : "unknown key");
  }
}

void SchemaBase::list(const void* owner,
                      const ConfigNode* node,
                      const std::string& path,
                      std::vector<ValueInForce>& into) const {
  const auto prefix = path.empty() ? std::string() : path + ".";
  for (const auto& field : fields_) {
    if (field.kind == Kind::kValue) {
      const auto* set = node ? node->find(field.key) : nullptr;
      into.push_back({prefix + field.key, field.show(owner), set ? set->origin : "default"});
      continue;
    }
    for (const auto& [step, nested] : field.nested(owner)) {
      const auto at = field.key + step;
      field.schema->list(nested, node ? find(*node, at) : nullptr, prefix + at, into);
    }
  }
}

void SchemaBase::paths(const ConfigNode* node,
                       const std::string& path,
                       std::vector<std::string>& into) const {
  const auto prefix = path.empty() ? std::string() : path + ".";
  for (const auto& field : fields_) {
    const auto* set = node ? node->find(field.key) : nullptr;
    const auto at = prefix + field.key;
    if (field.kind == Kind::kValue) into.push_back(at);
    if (field.kind == Kind::kTable) field.schema->paths(set, at, into);
    if (field.kind != Kind::kNamedTables || !set || !set->table()) continue;
    for (const auto& [name, child] : *set->table())
      field.schema->paths(&child, at + "." + name, into);
  }
}

}  // namespace conciergus::gateway

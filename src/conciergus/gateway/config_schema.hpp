#pragma once
/// One list of fields per configuration struct, and everything else follows from it: reading,
/// checking, environment names, the printed values and docs/configuration.md.
#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conciergus/gateway/config_value.hpp"

namespace conciergus::gateway {

/// What a walk over the schema collects.
struct ReadContext {
  const ConfigSources& sources;
  ConfigProblems problems;
};

/// One value in force, for people: the path, the value with secrets masked, and where it is from.
struct ValueInForce {
  std::string path;
  std::string value;
  std::string origin;
};

/// A schema with the type of its struct erased; `Schema<S>` builds it.
class SchemaBase {
 public:
  enum class Kind { kValue, kTable, kNamedTables, kTableList };
  using Nested = std::vector<std::pair<std::string, const void*>>;
  struct Field {
    std::string key;
    Kind kind = Kind::kValue;
    std::string type;     ///< As the documentation calls it: "duration".
    std::string help;     ///< One sentence: what it does.
    std::string range{};  ///< "10ms to 60s", or empty.
    std::function<void(void* owner, const ConfigNode&, const std::string& path, ReadContext&)>
        read{};
    std::function<std::string(const void* owner)> show{};  ///< kValue only.
    /// The nested structs, each with its step from the key: "", ".name" or "[0]".
    std::function<Nested(const void* owner)> nested{};
    const SchemaBase* schema = nullptr;  ///< Of the nested structs.
    const void* defaults = nullptr;      ///< A nested struct with its default values.
  };

  /// Reads a table into `owner`; unknown keys are problems.
  void read(void* owner, const ConfigNode& node, const std::string& path, ReadContext& into) const;
  /// Appends every value of `owner`. `node` is what it was read from, or null.
  void list(const void* owner,
            const ConfigNode* node,
            const std::string& path,
            std::vector<ValueInForce>& into) const;
  /// Appends the paths of all fields that one environment variable can set; named tables count as
  /// far as `node` has them.
  void paths(const ConfigNode* node, const std::string& path, std::vector<std::string>& into) const;
  const std::vector<Field>& fields() const noexcept { return fields_; }

 protected:
  std::vector<Field> fields_;
};

/// As TOML spells it, with quotes.
std::string quoted(std::string_view text);
std::string show_number(double value);
/// `must be one of "a", "b"`
std::string must_be_one_of(const std::vector<std::string>& words);
/// Adds a problem at the place where `node` was set.
void report(ReadContext& context,
            const ConfigNode& node,
            const std::string& path,
            std::string_view what);

/// What a member holds, be it optional or not: an optional one that is not set is inherited.
template <class M>
struct ValueOf {
  using Type = M;
};
template <class T>
struct ValueOf<std::optional<T>> {
  using Type = T;
};

/// The fields of struct S in the order of their documentation. Nested schemas outlive it.
template <class S>
class Schema : public SchemaBase {
 public:
  using SchemaBase::list;
  using SchemaBase::read;

  template <class M>
  Schema& boolean(std::string key, M S::* member, std::string help) {
    return scalar(std::move(key), "true or false", member, std::move(help), read_bool, [](bool on) {
      return std::string(on ? "true" : "false");
    });
  }
  template <class T>
  Schema& integer(
      std::string key, T S::* member, std::string help, std::int64_t least, std::int64_t most) {
    return scalar(
               std::move(key),
               "whole number",
               member,
               std::move(help),
               [=](const ConfigNode& node) {
                 return within(read_integer(node), least, most, to_text);
               },
               [](const T& value) { return std::to_string(value); })
        .ranged(to_text(least) + " to " + to_text(most));
  }
  template <class M>
  Schema& number(std::string key, M S::* member, std::string help, double least, double most) {
    return scalar(
               std::move(key),
               "number",
               member,
               std::move(help),
               [=](const ConfigNode& node) {
                 return within(read_number(node), least, most, show_number);
               },
               show_number)
        .ranged(show_number(least) + " to " + show_number(most));
  }
  template <class M>
  Schema& duration(std::string key,
                   M S::* member,
                   std::string help,
                   std::chrono::milliseconds least,
                   std::chrono::milliseconds most) {
    using T = typename ValueOf<M>::Type;
    return scalar(
               std::move(key),
               "duration",
               member,
               std::move(help),
               [=](const ConfigNode& node) -> Read<T> {
                 auto value = within(read_duration(node), least, most, show_duration);
                 if (!value) return std::unexpected(std::move(value).error());
                 const auto kept = std::chrono::duration_cast<T>(*value);
                 if (kept != *value) return std::unexpected("must be whole seconds");
                 return kept;
               },
               [](const T& value) { return show_duration(value); })
        .ranged(show_duration(least) + " to " + show_duration(most));
  }
  template <class M>
  Schema& bytes(
      std::string key, M S::* member, std::string help, std::uint64_t least, std::uint64_t most) {
    return scalar(
               std::move(key),
               "size",
               member,
               std::move(help),
               [=](const ConfigNode& node) {
                 return within(read_bytes(node), least, most, show_bytes);
               },
               [](std::uint64_t value) { return show_bytes(value); })
        .ranged(show_bytes(least) + " to " + show_bytes(most));
  }
  Schema& text(std::string key, std::string S::* member, std::string help) {
    return scalar(std::move(key), "text", member, std::move(help), read_text, quoted);
  }
  /// Text that `check` takes: it returns what is wrong, or nothing.
  Schema& text(std::string key,
               std::string S::* member,
               std::string help,
               std::function<std::string(const std::string&)> check) {
    return scalar(
        std::move(key),
        "text",
        member,
        std::move(help),
        [check = std::move(check)](const ConfigNode& node) -> Read<std::string> {
          auto value = read_text(node);
          if (!value) return value;
          if (auto problem = check(*value); !problem.empty())
            return std::unexpected(std::move(problem));
          return value;
        },
        quoted);
  }
  template <class E, class M>
  Schema& choice(std::string key,
                 M S::* member,
                 std::vector<std::pair<std::string, E>> names,
                 std::string help) {
    std::string type;
    for (const auto& [name, value] : names) type += (type.empty() ? "" : " | ") + quoted(name);
    std::vector<std::string> words;
    for (const auto& [name, value] : names) words.push_back(name);
    return scalar(
        std::move(key),
        std::move(type),
        member,
        std::move(help),
        [names, words](const ConfigNode& node) -> Read<E> {
          const auto value = read_text(node);
          for (const auto& [name, meaning] : names) {
            if (value && *value == name) return meaning;
          }
          return std::unexpected(must_be_one_of(words));
        },
        [names](const E& value) {
          for (const auto& [name, meaning] : names) {
            if (meaning == value) return quoted(name);
          }
          return std::string();
        });
  }
  Schema& secret(std::string key, Secret S::* member, std::string help) {
    Field field{.key = std::move(key), .type = "secret", .help = std::move(help)};
    field.read = [member](
                     void* owner, const ConfigNode& node, const std::string& path, ReadContext& c) {
      store(static_cast<S*>(owner)->*member, read_secret(node, c.sources), node, path, c);
    };
    field.show = [member](const void* owner) {
      return quoted(to_string(static_cast<const S*>(owner)->*member));
    };
    return add(std::move(field));
  }
  Schema& secrets(std::string key, std::vector<Secret> S::* member, std::string help) {
    return listed<Secret>(
        std::move(key),
        "list of secrets",
        member,
        std::move(help),
        [](const ConfigNode& node, ReadContext& c) { return read_secret(node, c.sources); },
        [](const Secret& one) { return quoted(to_string(one)); });
  }
  Schema& texts(std::string key, std::vector<std::string> S::* member, std::string help) {
    return listed<std::string>(
        std::move(key),
        "list of texts",
        member,
        std::move(help),
        [](const ConfigNode& node, ReadContext&) { return read_text(node); },
        quoted);
  }
  /// A table of texts with free keys, such as header fields. Shown without the values, which may be
  /// credentials.
  Schema& text_table(std::string key,
                     std::vector<std::pair<std::string, std::string>> S::* member,
                     std::string help) {
    Field field{.key = std::move(key), .type = "table of texts", .help = std::move(help)};
    field.read = [member](
                     void* owner, const ConfigNode& node, const std::string& path, ReadContext& c) {
      if (!node.table()) return report(c, node, path, "expected a table of texts");
      auto& all = static_cast<S*>(owner)->*member;
      all.clear();
      for (const auto& [name, value] : *node.table()) {
        store(all.emplace_back(name, "").second, read_text(value), value, path + "." + name, c);
      }
    };
    field.show = [member](const void* owner) {
      std::string text = "{";
      for (const auto& [name, value] : static_cast<const S*>(owner)->*member)
        text.append(text.size() > 1 ? ", " : "").append(quoted(name)).append(" = \"***\"");
      return text += '}';
    };
    return add(std::move(field));
  }
  /// A nested struct: `[key]`.
  template <class N>
  Schema& table(std::string key, N S::* member, const Schema<N>& schema, std::string help) {
    auto field = nested_field(Kind::kTable, std::move(key), schema, std::move(help));
    field.read = [member, &schema](
                     void* owner, const ConfigNode& node, const std::string& path, ReadContext& c) {
      schema.read(&(static_cast<S*>(owner)->*member), node, path, c);
    };
    field.nested = [member](const void* owner) {
      return Nested{{"", &(static_cast<const S*>(owner)->*member)}};
    };
    return add(std::move(field));
  }
  /// Nested structs with names: `[key.name]`, in the order of the file; `name_member` takes the
  /// name.
  template <class N>
  Schema& named_tables(std::string key,
                       std::vector<N> S::* member,
                       std::string N::* name_member,
                       const Schema<N>& schema,
                       std::string help) {
    auto field = nested_field(Kind::kNamedTables, std::move(key), schema, std::move(help));
    field.read = [member, name_member, &schema](
                     void* owner, const ConfigNode& node, const std::string& path, ReadContext& c) {
      if (!node.table()) return report(c, node, path, "expected one table per name");
      auto& all = static_cast<S*>(owner)->*member;
      all.clear();
      for (const auto& [name, child] : *node.table()) {
        all.emplace_back().*name_member = name;
        schema.read(&all.back(), child, path + "." + name, c);
      }
    };
    field.nested = [member, name_member](const void* owner) {
      Nested found;
      for (const auto& one : static_cast<const S*>(owner)->*member)
        found.emplace_back("." + one.*name_member, &one);
      return found;
    };
    return add(std::move(field));
  }
  /// Nested structs in order: `[[key]]`.
  template <class N>
  Schema& table_list(std::string key,
                     std::vector<N> S::* member,
                     const Schema<N>& schema,
                     std::string help) {
    auto field = nested_field(Kind::kTableList, std::move(key), schema, std::move(help));
    field.read = [member, &schema](
                     void* owner, const ConfigNode& node, const std::string& path, ReadContext& c) {
      if (!node.list()) return report(c, node, path, "expected a list of tables");
      auto& all = static_cast<S*>(owner)->*member;
      all.clear();
      for (const auto& child : *node.list()) {
        const auto at = path + "[" + std::to_string(all.size()) + "]";
        schema.read(&all.emplace_back(), child, at, c);
      }
    };
    field.nested = [member](const void* owner) {
      Nested found;
      for (const auto& one : static_cast<const S*>(owner)->*member)
        found.emplace_back("[" + std::to_string(found.size()) + "]", &one);
      return found;
    };
    return add(std::move(field));
  }

 private:
  static std::string to_text(std::int64_t value) { return std::to_string(value); }

  Schema& ranged(std::string text) {
    fields_.back().range = std::move(text);
    return *this;
  }
  template <class N>
  static Field nested_field(Kind kind, std::string key, const Schema<N>& schema, std::string help) {
    static const N defaults{};
    return {.key = std::move(key),
            .kind = kind,
            .type = "table",
            .help = std::move(help),
            .schema = &schema,
            .defaults = &defaults};
  }
  Schema& add(Field field) {
    fields_.push_back(std::move(field));
    return *this;
  }
  template <class T, class Show>
  static Read<T> within(Read<T> value, T least, T most, Show show) {
    if (value && (*value < least || *value > most))
      return std::unexpected("must be between " + show(least) + " and " + show(most));
    return value;
  }
  template <class T, class V>
  static void store(
      T& to, Read<V> value, const ConfigNode& node, const std::string& path, ReadContext& c) {
    if (value) {
      to = static_cast<T>(*std::move(value));
    } else {
      report(c, node, path, value.error());
    }
  }
  template <class T, class Reader, class Show>
  Schema& scalar(std::string key,
                 std::string type,
                 T S::* member,
                 std::string help,
                 Reader reader,
                 Show shown) {
    Field field{.key = std::move(key), .type = std::move(type), .help = std::move(help)};
    field.read = [member, reader = std::move(reader)](
                     void* owner, const ConfigNode& node, const std::string& path, ReadContext& c) {
      store(static_cast<S*>(owner)->*member, reader(node), node, path, c);
    };
    field.show = [member, shown = std::move(shown)](const void* owner) {
      const T& value = static_cast<const S*>(owner)->*member;
      if constexpr (std::is_same_v<T, typename ValueOf<T>::Type>) {
        return shown(value);
      } else {
        return value ? shown(*value) : "inherited";
      }
    };
    return add(std::move(field));
  }
  template <class T, class Reader, class Show>
  Schema& listed(std::string key,
                 std::string type,
                 std::vector<T> S::* member,
                 std::string help,
                 Reader reader,
                 Show shown) {
    Field field{.key = std::move(key), .type = std::move(type), .help = std::move(help)};
    field.read = [member, reader](
                     void* owner, const ConfigNode& node, const std::string& path, ReadContext& c) {
      auto& all = static_cast<S*>(owner)->*member;
      all.clear();
      if (!node.list() && !node.is_untyped) return report(c, node, path, "expected a list");
      for (const auto& one : members(node)) store(all.emplace_back(), reader(one, c), one, path, c);
    };
    field.show = [member, shown](const void* owner) {
      std::string text = "[";
      for (const auto& one : static_cast<const S*>(owner)->*member)
        text.append(text.size() > 1 ? ", " : "").append(shown(one));
      return text += ']';
    };
    return add(std::move(field));
  }
};

}  // namespace conciergus::gateway

#include <optional>

#include <fmt/format.h>

#include "conciergus/gateway/config.hpp"

namespace conciergus::gateway {
namespace {

constexpr std::string_view kPrefix = "CONCIERGUS_";

std::string environment_name(std::string_view path) {
  std::string name(kPrefix);
  for (const char c : path) {
    const bool is_letter = c >= 'a' && c <= 'z';
    name += is_letter ? static_cast<char>(c - 'a' + 'A') : c == '.' || c == '-' ? '_' : c;
  }
  return name;
}

ConfigNode untyped(std::string value, std::string origin) {
  return {.value = std::move(value), .origin = std::move(origin), .is_untyped = true};
}

/// A variable of the environment as a node; an empty one counts as not set.
std::optional<ConfigNode> from_environment(const ConfigSources& sources, const std::string& name) {
  auto value = sources.environment(name);
  if (!value || value->empty()) return std::nullopt;
  return untyped(*std::move(value), "environment " + name);
}

/// The variables that every host and SDK knows.
void read_common_environment(const ConfigSources& sources, ConfigNode& into) {
  const auto take = [&](const std::string& name, std::string_view path) {
    auto node = from_environment(sources, name);
    if (!node) return false;
    put(into, path, *std::move(node));
    return true;
  };
  take("PORT", "server.port");
  take("HOST", "server.host");
  const auto provider = [&](const std::string& kind, std::string_view variable, std::string url) {
    const auto path = "llm.providers." + kind;
    const std::string key_name = fmt::format("{}_API_KEY", variable);
    const std::string url_name = fmt::format("{}_BASE_URL", variable);
    const bool has_key = take(key_name, path + ".keys");
    const bool has_url = take(url_name, path + ".base_url");
    if (!has_key && !has_url) return;
    const auto origin = "environment " + (has_key ? key_name : url_name);
    put(into, path + ".kind", untyped(kind, origin));
    if (!has_url) put(into, path + ".base_url", untyped(std::move(url), origin));
  };
  provider("openai", "OPENAI", "https://api.openai.com/v1");
  provider("anthropic", "ANTHROPIC", "https://api.anthropic.com");
}

/// CONCIERGUS_SECTION_KEY for every field that exists in `below`, the layers under this one.
void read_own_environment(const ConfigSources& sources, const ConfigNode& below, ConfigNode& into) {
  std::vector<std::string> paths;
  gateway_schema().paths(&below, "", paths);
  for (const auto& path : paths) {
    if (auto node = from_environment(sources, environment_name(path)))
      put(into, path, *std::move(node));
  }
}

std::optional<Profile> profile_named(std::string_view name) {
  if (name == "development") return Profile::kDevelopment;
  if (name == "staging") return Profile::kStaging;
  if (name == "production") return Profile::kProduction;
  return std::nullopt;
}

/// What follows from the rest where nothing was said: the provider and the routing of models.
void add_derived(ConfigNode& root, Profile profile) {
  const auto derived = [](std::string value) { return untyped(std::move(value), "derived"); };
  const auto* providers = find(root, "llm.providers");
  if (providers && !providers->table()) return;  // a problem, and reported as one
  if (!providers || providers->table()->empty()) {
    if (profile != Profile::kProduction)
      put(root, "llm.providers.simulated.kind", derived("simulated"));
    return;
  }
  if (find(root, "llm.models")) return;
  std::string anthropic;
  std::string other;
  for (const auto& [name, node] : *providers->table()) {
    const auto* kind = node.find("kind");
    const auto* text = kind ? std::get_if<std::string>(&kind->value) : nullptr;
    auto& first = text && *text == "anthropic" ? anthropic : other;
    if (first.empty()) first = name;
  }
  if (anthropic.empty() || other.empty()) return;  // one kind: its first provider takes everything
  const auto entry = [&](const std::string& pattern, const std::string& provider) {
    ConfigNode target{.value = ConfigNode::Table{}, .origin = "derived"};
    put(target, "provider", derived(provider));
    ConfigNode model{.value = ConfigNode::Table{}, .origin = "derived"};
    put(model, "pattern", derived(pattern));
    put(model, "targets", {.value = ConfigNode::List{std::move(target)}, .origin = "derived"});
    return model;
  };
  put(root,
      "llm.models",
      {.value = ConfigNode::List{entry("claude-*", anthropic), entry("*", other)},
       .origin = "derived"});
}

/// What one field alone cannot tell.
void check_whole(const GatewayConfig& config, const ConfigNode& root, ConfigProblems& problems) {
  const auto wrong = [&](std::string_view path, std::string_view what) {
    problems.push_back({origin_of(root, path), fmt::format("{}: {}", path, what)});
  };
  if (!config.app.url.empty() && !config.files.root.empty())
    wrong("static.root", "cannot be used together with app.url");
  if (config.server.host.empty()) wrong("server.host", "must not be empty");
  for (std::size_t i = 0; i < config.server.tls.size(); ++i) {
    if (config.server.tls[i].certificate.empty() || config.server.tls[i].key.empty())
      wrong(fmt::format("server.tls[{}]", i), "needs both certificate and key");
  }
  const auto token_size = config.admin.token.reveal().size();
  if (token_size > 0 && token_size < 16) wrong("admin.token", "must have at least 16 characters");
  for (const auto& origin : config.cors.origins) {
    const bool is_origin = origin.starts_with("http://") || origin.starts_with("https://");
    if (origin != "*" && (!is_origin || origin.ends_with('/')))
      wrong("cors.origins", "expected origins such as \"https://app.example\", or \"*\"");
  }
  for (std::size_t i = 0; i < config.responses.size(); ++i) {
    const std::string_view path = config.responses[i].path;
    const bool is_exact = path.starts_with('/') && path.find_first_of("{}*?#") == path.npos;
    if (!is_exact || path.starts_with("/_conciergus/"))
      wrong(fmt::format("responses[{}].path", i),
            "expected an exact path such as \"/robots.txt\", outside of /_conciergus/");
  }
  if (config.llm.providers.empty()) return;  // allowed: the LLM routes then say that there is none
  for (const auto& violation : config.llm.validate()) {
    const auto path = "llm." + violation.substr(0, violation.find(':'));
    problems.push_back({origin_of(root, path), "llm." + violation});
  }
}

std::vector<std::string> notices_of(const ConfigSources& sources) {
  std::vector<std::string> notices;
  for (const auto* name : {"REDIS_URL", "DATABASE_URL"}) {
    if (from_environment(sources, name))
      notices.push_back(fmt::format("{} is set; this version does not use it yet", name));
  }
  return notices;
}

}  // namespace

std::vector<std::pair<std::string, ConfigNode>> profile_defaults(Profile profile) {
  const auto origin = profile == Profile::kStaging ? "profile staging" : "profile production";
  const auto text = [&](std::string value) { return untyped(std::move(value), origin); };
  switch (profile) {
    case Profile::kDevelopment:
      return {};
    case Profile::kStaging:
      return {{"server.host", text("0.0.0.0")}, {"log.format", text("json")}};
    case Profile::kProduction:
      return {{"server.host", text("0.0.0.0")},
              {"server.show_error_detail", text("false")},
              {"admin.loopback", text("false")},
              {"log.format", text("json")}};
  }
  return {};
}

std::expected<LoadedConfig, ConfigProblems> load_config(const ConfigRequest& request,
                                                        const ConfigSources& sources) {
  ReadContext context{.sources = sources, .problems = {}};
  ConfigNode file{.value = ConfigNode::Table{}, .origin = "default"};
  const auto path =
      request.file.empty() ? sources.environment("CONCIERGUS_CONFIG").value_or("") : request.file;
  if (!path.empty()) {
    auto text = sources.read_file(path);
    if (!text) return std::unexpected(ConfigProblems{{path, text.error().detail()}});
    auto parsed = parse_toml(*text, path);
    if (!parsed) return std::unexpected(ConfigProblems{std::move(parsed).error()});
    file = *std::move(parsed);
  }
  ConfigNode upper{.value = ConfigNode::Table{}, .origin = "default"};
  read_common_environment(sources, upper);
  ConfigNode seen = file;
  overlay(seen, upper);
  read_own_environment(sources, seen, upper);
  for (const auto& flag : request.flags) put(upper, flag.path, untyped(flag.value, flag.name));
  overlay(file, std::move(upper));

  const auto* named = file.find("profile");
  const auto* name = named ? std::get_if<std::string>(&named->value) : nullptr;
  const auto profile = name ? profile_named(*name) : std::nullopt;
  ConfigNode root{.value = ConfigNode::Table{}, .origin = "default"};
  for (auto& [at, value] : profile_defaults(profile.value_or(Profile::kDevelopment)))
    put(root, at, std::move(value));
  overlay(root, std::move(file));
  add_derived(root, profile.value_or(Profile::kDevelopment));

  LoadedConfig loaded;
  gateway_schema().read(&loaded.config, root, "", context);
  if (context.problems.empty()) check_whole(loaded.config, root, context.problems);
  for (auto& problem : context.problems) {
    // what no line of the file is to blame for, such as a value that is missing
    if (problem.where.empty())
      problem.where = request.file.empty() ? "configuration" : request.file;
  }
  if (!context.problems.empty()) return std::unexpected(std::move(context.problems));
  gateway_schema().list(&loaded.config, &root, "", loaded.values);
  loaded.notices = notices_of(sources);
  return loaded;
}

}  // namespace conciergus::gateway

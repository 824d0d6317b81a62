#include "conciergus/llm/model_map.hpp"

#include <algorithm>

#include "conciergus/llm/glob.hpp"
#include "conciergus/llm/provider.hpp"

namespace conciergus::llm {
namespace {

bool is_pattern(std::string_view name) {
  return name.find('*') != std::string_view::npos;
}

std::string first_model(const LlmConfig& config) {
  for (const ModelConfig& model : config.models) {
    if (!is_pattern(model.pattern)) return model.pattern;
  }
  for (const ProviderConfig& provider : config.providers) {
    const auto& models = provider.kind == ProviderKind::kSimulated && provider.models.empty()
                             ? provider.simulated.models
                             : provider.models;
    if (!models.empty()) return models.front();
  }
  return "default";
}

}  // namespace

ModelMap::ModelMap(const LlmConfig& config)
    : config_(config),
      models_(config.models),
      default_model_(config.default_model.empty() ? first_model(config) : config.default_model) {
  if (models_.empty() && !config.providers.empty()) {
    models_.push_back(
        {.pattern = "*", .targets = {{.provider = config.providers.front().name, .model = {}}}});
  }
  for (const ModelConfig& model : models_) {
    labels_.push_back(model.pattern);
    policies_.push_back(RoutePolicy::of(config, model));
  }
}

ModelMap::Route ModelMap::resolve(std::string_view model, Protocol protocol) const {
  Route route;
  const auto matches = [&](const ModelConfig& entry) { return glob_matches(entry.pattern, model); };
  const auto entry = std::ranges::find_if(models_, matches);
  if (entry == models_.end()) return route;
  route.is_known = true;
  const auto place = static_cast<std::size_t>(entry - models_.begin());
  route.label = labels_[place];
  route.policy = &policies_[place];
  for (const TargetConfig& target : entry->targets) {
    const auto provider =
        std::ranges::find(config_.providers, target.provider, &ProviderConfig::name);
    if (provider == config_.providers.end()) continue;
    const auto spoken = Provider::upstream_protocol(provider->kind, protocol);
    if (!spoken) continue;
    route.choices.push_back(
        {.provider = static_cast<std::size_t>(provider - config_.providers.begin()),
         .protocol = *spoken,
         .model = target.model.empty() ? std::string(model) : target.model});
  }
  return route;
}

std::chrono::milliseconds ModelMap::longest_total() const noexcept {
  std::chrono::milliseconds longest{0};
  for (const RoutePolicy& policy : policies_) longest = std::max(longest, policy.timeouts.total);
  return longest;
}

std::vector<std::string> ModelMap::names() const {
  std::vector<std::string> names;
  for (const ModelConfig& model : models_) {
    if (!is_pattern(model.pattern)) names.push_back(model.pattern);
  }
  return names;
}

}  // namespace conciergus::llm

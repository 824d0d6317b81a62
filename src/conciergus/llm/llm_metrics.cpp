#include "conciergus/llm/llm_metrics.hpp"

namespace conciergus::llm {
namespace {

constexpr std::array<std::string_view, 6> kServed{
    "hit", "led", "joined", "resumed", "refused", "failed"};

}  // namespace

LlmMetrics::LlmMetrics(observe::Registry& registry,
                       const LlmConfig& config,
                       const std::vector<std::string>& model_labels)
    : open_streams(registry.gauge("conciergus_llm_open_streams", "Streams being sent to clients.")),
      unfinished(registry.counter("conciergus_llm_unfinished_total",
                                  "Answers that ended without a finish reason.")),
      cut_streams(registry.counter("conciergus_llm_cut_streams_total",
                                   "Streams to clients that ended with an error event.")) {
  for (std::size_t p = 0; p < requests_.size(); ++p) {
    for (std::size_t s = 0; s < kServed.size(); ++s) {
      requests_[p][s] =
          &registry.counter("conciergus_llm_requests_total",
                            "Requests by protocol and by how they were answered.",
                            {{"protocol", std::string(to_string(static_cast<Protocol>(p)))},
                             {"served", std::string(kServed[s])}});
    }
  }
  for (const ProviderConfig& provider : config.providers) {
    PerProvider& counts = providers_.emplace_back();
    for (std::size_t o = 0; o < counts.outcomes.size(); ++o) {
      counts.outcomes[o] =
          &registry.counter("conciergus_llm_attempts_total",
                            "Upstream calls by provider and outcome.",
                            {{"provider", provider.name},
                             {"outcome", std::string(to_string(static_cast<Outcome>(o)))}});
    }
    counts.first_content = &registry.histogram("conciergus_llm_first_content_seconds",
                                               "From dispatch to the first content.",
                                               observe::latency_buckets(),
                                               {{"provider", provider.name}});
  }
  for (const std::string& model : model_labels) {
    const auto tokens = [&](const char* kind) {
      return &registry.counter("conciergus_llm_tokens_total",
                               "Tokens as providers count them, by model and kind.",
                               {{"model", model}, {"kind", kind}});
    };
    models_[model] = {.input = tokens("input"),
                      .output = tokens("output"),
                      .cached = tokens("cached_input"),
                      .cost = &registry.double_counter("conciergus_llm_cost_dollars_total",
                                                       "Cost of upstream calls by model.",
                                                       {{"model", model}})};
  }
  const auto add_tenant = [&](const std::string& name) {
    tenants_[name] = {
        .cost = &registry.double_counter("conciergus_llm_tenant_cost_dollars_total",
                                         "Cost of upstream calls by tenant.",
                                         {{"tenant", name}}),
        .saved = &registry.double_counter("conciergus_llm_tenant_saved_dollars_total",
                                          "Cost that cached and shared answers did not cause.",
                                          {{"tenant", name}})};
  };
  add_tenant("other");
  for (const ApiKeyConfig& key : config.tenants.keys) add_tenant(key.name);
}

void LlmMetrics::count_request(Protocol protocol, Served served) {
  requests_[static_cast<std::size_t>(protocol)][static_cast<std::size_t>(served)]->add();
}

void LlmMetrics::count_attempt(std::size_t provider, Outcome outcome) {
  providers_[provider].outcomes[static_cast<std::size_t>(outcome)]->add();
}

void LlmMetrics::observe_first_content(std::size_t provider, double milliseconds) {
  if (milliseconds >= 0) providers_[provider].first_content->observe(milliseconds / 1e3);
}

void LlmMetrics::count_tokens(std::string_view model, const Usage& usage) {
  const auto found = models_.find(model);
  if (found == models_.end()) return;
  found->second.input->add(usage.input.value_or(0));
  found->second.output->add(usage.output.value_or(0));
  found->second.cached->add(usage.cached_input.value_or(0));
}

void LlmMetrics::count_cost(std::string_view tenant_name, std::string_view model, double dollars) {
  if (const auto found = models_.find(model); found != models_.end())
    found->second.cost->add(dollars);
  tenant(tenant_name).cost->add(dollars);
}

void LlmMetrics::count_saved(std::string_view tenant_name, double dollars) {
  tenant(tenant_name).saved->add(dollars);
}

LlmMetrics::PerTenant& LlmMetrics::tenant(std::string_view name) {
  const auto found = tenants_.find(name);
  return found == tenants_.end() ? tenants_.find("other")->second : found->second;
}

}  // namespace conciergus::llm

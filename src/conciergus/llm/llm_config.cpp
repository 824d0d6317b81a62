#include "conciergus/llm/llm_config.hpp"

#include <algorithm>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "conciergus/http/client.hpp"
#include "conciergus/llm/tenant.hpp"

namespace conciergus::llm {
namespace {

using namespace std::chrono_literals;

/// Collects violations under the path of the field that is looked at.
class Violations {
 public:
  void check(bool holds, std::string_view field, std::string_view what) {
    if (!holds) found_.push_back(fmt::format("{}: {}", field, what));
  }
  /// What is not set holds.
  void within(std::optional<std::chrono::milliseconds> value,
              std::chrono::milliseconds least,
              std::chrono::milliseconds most,
              std::string_view field) {
    check(!value || (*value >= least && *value <= most),
          field,
          fmt::format("must lie between {} ms and {} ms", least.count(), most.count()));
  }
  std::vector<std::string>& found() noexcept { return found_; }

 private:
  std::vector<std::string> found_;
};

bool is_name(std::string_view text) {
  const auto is_name_char = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, is_name_char);
}

bool is_sha256(std::string_view text) {
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return text.size() == 64 && std::ranges::all_of(text, is_hex);
}

void check_provider(const ProviderConfig& provider, const std::string& at, Violations& out) {
  out.check(is_name(provider.name), at + ".name", "lower-case letters, digits, '-' and '_' only");
  if (provider.kind == ProviderKind::kSimulated) {
    for (const std::string& violation : provider.simulated.validate()) {
      out.found().push_back(at + ".simulated." + violation);
    }
    return;
  }
  const auto origin = http::Origin::parse(provider.base_url);
  out.check(origin.has_value(), at + ".base_url", "must be an http or https address");
  out.check(!provider.azure || provider.kind == ProviderKind::kOpenAi,
            at + ".azure",
            "is for providers of kind openai");
  const bool has_empty = std::ranges::any_of(provider.keys, &Secret::empty);
  out.check(!has_empty, at + ".keys", "a key is empty");
}

/// Of all routes, or the overrides of one.
template <class Timeouts>
void check_timeouts(const Timeouts& timeouts, const std::string& at, Violations& out) {
  out.within(timeouts.connect, 10ms, 60s, at + ".connect");
  out.within(timeouts.headers, 10ms, 1h, at + ".headers");
  out.within(timeouts.first_content, 10ms, 1h, at + ".first_content");
  out.within(timeouts.stall, 10ms, 1h, at + ".stall");
  out.within(timeouts.total, 10ms, 24h, at + ".total");
}

template <class Cache>
void check_cache(const Cache& cache, const std::string& at, Violations& out) {
  out.within(cache.ttl, 1s, 30 * 24h, at + ".ttl");
  out.within(cache.short_ttl, 1s, 30 * 24h, at + ".short_ttl");
  const std::optional<double> bound = cache.temperature_bound;
  out.check(!bound || *bound >= 0, at + ".temperature_bound", "is not negative");
  const std::optional<std::size_t> record = cache.max_record_bytes;
  out.check(!record || (*record >= 4'096 && *record <= (64u << 20)),
            at + ".max_record_bytes",
            "4 KiB to 64 MiB");
}

void check_models(const LlmConfig& config, Violations& out) {
  const auto has_provider = [&](const std::string& name) {
    return std::ranges::find(config.providers, name, &ProviderConfig::name) !=
           config.providers.end();
  };
  for (std::size_t m = 0; m < config.models.size(); ++m) {
    const ModelConfig& model = config.models[m];
    const std::string at = fmt::format("models[{}]", m);
    out.check(!model.pattern.empty(), at + ".pattern", "is empty");
    out.check(!model.targets.empty(), at + ".targets", "needs at least one target");
    check_timeouts(model.timeouts, at + ".timeouts", out);
    check_cache(model.cache, at + ".cache", out);
    for (std::size_t t = 0; t < model.targets.size(); ++t) {
      const std::string& provider = model.targets[t].provider;
      out.check(has_provider(provider),
                fmt::format("{}.targets[{}].provider", at, t),
                fmt::format("there is no provider \"{}\"", provider));
    }
  }
}

void check_tenants(const TenantConfig& tenants, Violations& out) {
  for (std::size_t i = 0; i < tenants.keys.size(); ++i) {
    const std::string at = fmt::format("tenants.keys[{}]", i);
    out.check(!tenants.keys[i].name.empty(), at + ".name", "is empty");
    out.check(is_sha256(tenants.keys[i].sha256),
              at + ".sha256",
              "must be 64 lower-case hexadecimal digits");
  }
  for (std::size_t i = 0; i < tenants.trusted_peers.size(); ++i) {
    out.check(Network::parse(tenants.trusted_peers[i]).has_value(),
              fmt::format("tenants.trusted_peers[{}]", i),
              "must be an address or a network such as 10.0.0.0/8");
  }
  const std::size_t secret_size = tenants.scope_secret.reveal().size();
  out.check(secret_size == 0 || secret_size >= 16, "tenants.scope_secret", "at least 16 bytes");
}

}  // namespace

std::vector<std::string> SimulatedConfig::validate() const {
  Violations out;
  out.within(first_token, 0ms, 60s, "first_token");
  out.check(first_token_spread >= 0 && first_token_spread <= 2, "first_token_spread", "0 to 2");
  out.check(tokens_per_second >= 0.1 && tokens_per_second <= 100'000,
            "tokens_per_second",
            "0.1 to 100,000");
  out.check(token_spread >= 0 && token_spread <= 2, "token_spread", "0 to 2");
  return std::move(out.found());
}

std::vector<std::string> LlmConfig::validate() const {
  Violations out;
  out.check(!providers.empty(), "providers", "needs at least one");
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < providers.size(); ++i) {
    const std::string at = fmt::format("providers[{}]", i);
    check_provider(providers[i], at, out);
    out.check(names.insert(providers[i].name).second, at + ".name", "is used twice");
  }
  check_models(*this, out);
  check_tenants(tenants, out);
  for (std::size_t i = 0; i < prices.size(); ++i) {
    const std::string at = fmt::format("prices[{}]", i);
    out.check(!prices[i].model.empty(), at + ".model", "is empty");
    out.check(prices[i].input >= 0 && prices[i].output >= 0, at, "prices are not negative");
  }
  out.check(max_attempts >= 1 && max_attempts <= 10, "max_attempts", "1 to 10");
  check_timeouts(timeouts, "timeouts", out);
  check_cache(cache, "cache", out);
  out.within(resume.window, 1s, 24h, "resume.window");
  out.within(heartbeat, 100ms, 1h, "heartbeat");
  out.check(max_request_bytes >= 1'024 && max_request_bytes <= (1u << 30),
            "max_request_bytes",
            "1 KiB to 1 GiB");
  return std::move(out.found());
}

}  // namespace conciergus::llm

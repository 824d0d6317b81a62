/// The fields of the `llm` section.
#include "conciergus/gateway/config.hpp"

namespace conciergus::gateway {
namespace {

using namespace std::chrono_literals;
using namespace llm;  // NOLINT(google-build-using-namespace): every second word is from there

constexpr std::int64_t kMany = 1'000'000;

const Schema<SimulatedConfig>& simulated_schema() {
  static const Schema<SimulatedConfig> schema =
      Schema<SimulatedConfig>()
          .boolean("instant", &SimulatedConfig::instant, "Answer at once.")
          .duration("first_token",
                    &SimulatedConfig::first_token,
                    "Median time to the first token.",
                    0ms,
                    60s)
          .number("first_token_spread",
                  &SimulatedConfig::first_token_spread,
                  "Sigma of its log-normal distribution.",
                  0,
                  2)
          .number("tokens_per_second",
                  &SimulatedConfig::tokens_per_second,
                  "Median pace after that.",
                  0.1,
                  100'000)
          .number("token_spread",
                  &SimulatedConfig::token_spread,
                  "Sigma of the log-normal gaps between tokens.",
                  0,
                  2)
          .integer("seed",
                   &SimulatedConfig::seed,
                   "Same seed, same question: same answer at the same pace.",
                   0,
                   std::numeric_limits<std::int64_t>::max())
          .texts("models", &SimulatedConfig::models, "What `GET /v1/models` lists.");
  return schema;
}

const Schema<ProviderConfig>& provider_schema() {
  static const Schema<ProviderConfig> schema =
      Schema<ProviderConfig>()
          .choice<ProviderKind>("kind",
                                &ProviderConfig::kind,
                                {{"openai", ProviderKind::kOpenAi},
                                 {"anthropic", ProviderKind::kAnthropic},
                                 {"simulated", ProviderKind::kSimulated}},
                                "Protocol: `openai` for everything that speaks it; `simulated` is "
                                "built in and needs neither network nor key.")
          .text("base_url", &ProviderConfig::base_url, "Address, as the provider's SDK takes it.")
          .secrets("keys",
                   &ProviderConfig::keys,
                   "Used in turn; another one at once when one is refused or limited.")
          .boolean("forward_client_key",
                   &ProviderConfig::forward_client_key,
                   "Without keys of its own: send the caller's credential on.")
          .boolean("azure", &ProviderConfig::azure, "Key in `api-key` instead of `Authorization`.")
          .text("api_version",
                &ProviderConfig::api_version,
                "Azure: the `api-version` parameter; Anthropic: `anthropic-version`.")
          .boolean("finish_reason_is_terminal",
                   &ProviderConfig::finish_reason_is_terminal,
                   "For servers known to leave `[DONE]` out.")
          .text_table("headers", &ProviderConfig::headers, "Sent with every call.")
          .texts("models",
                 &ProviderConfig::models,
                 "Listed by `GET /v1/models` when the provider's own list cannot be had.")
          .table("simulated",
                 &ProviderConfig::simulated,
                 simulated_schema(),
                 "Behaviour of a simulated provider.");
  return schema;
}

const Schema<TargetConfig>& target_schema() {
  static const Schema<TargetConfig> schema =
      Schema<TargetConfig>()
          .text("provider", &TargetConfig::provider, "Name of a provider.")
          .text("model",
                &TargetConfig::model,
                "As that provider calls it; empty: as the client asked.");
  return schema;
}

/// Of all routes, or the overrides of one: LlmTimeouts or LlmTimeoutOverrides.
template <class T>
const Schema<T>& timeouts_schema() {
  static const Schema<T> schema =
      Schema<T>()
          .duration("connect", &T::connect, "DNS, TCP and TLS.", 10ms, 60s)
          .duration("headers", &T::headers, "From dispatch to the head.", 10ms, 1h)
          .duration("first_content",
                    &T::first_content,
                    "From dispatch to the first content; comments and pings do not count.",
                    10ms,
                    1h)
          .duration("stall", &T::stall, "From content to content.", 10ms, 1h)
          .duration("total", &T::total, "From arrival to the end.", 10ms, 24h);
  return schema;
}

template <class T>
const Schema<T>& cache_schema() {
  static const Schema<T> schema =
      Schema<T>()
          .template choice<CachePolicy>(
              "policy",
              &T::policy,
              {{"auto", CachePolicy::kAuto},
               {"deterministic-only", CachePolicy::kDeterministicOnly},
               {"any", CachePolicy::kAny},
               {"never", CachePolicy::kNever}},
              "Which answers may be given twice; `auto`: `ttl` at temperature 0 or "
              "with a seed, `short_ttl` without a temperature, else not.")
          .number("temperature_bound",
                  &T::temperature_bound,
                  "Highest temperature that counts as deterministic.",
                  0,
                  2)
          .duration("ttl", &T::ttl, "Of deterministic answers.", 1s, 720h)
          .duration("short_ttl", &T::short_ttl, "Of the others; never longer than `ttl`.", 1s, 720h)
          .boolean(
              "coalesce", &T::coalesce, "Identical simultaneous requests share one upstream call.")
          .boolean("tool_calls", &T::tool_calls, "Keep answers that call tools.")
          .bytes(
              "max_record", &T::max_record_bytes, "Larger answers are not kept.", 4'096, 64u << 20);
  return schema;
}

const std::vector<std::pair<std::string, DisconnectPolicy>>& disconnect_policies() {
  static const std::vector<std::pair<std::string, DisconnectPolicy>> kPolicies{
      {"cancel", DisconnectPolicy::kCancel}, {"drain", DisconnectPolicy::kDrain}};
  return kPolicies;
}

const Schema<ModelConfig>& model_schema() {
  static const Schema<ModelConfig> schema =
      Schema<ModelConfig>()
          .text("pattern",
                &ModelConfig::pattern,
                "Public name, or with `*`: `gpt-4o`, `claude-*`, `*`. The first match decides.")
          .table_list("targets",
                      &ModelConfig::targets,
                      target_schema(),
                      "In order: the next is tried when one fails.")
          .choice<DisconnectPolicy>("on_disconnect",
                                    &ModelConfig::on_disconnect,
                                    disconnect_policies(),
                                    "As in `[llm]`, for these models.")
          .table("timeouts",
                 &ModelConfig::timeouts,
                 timeouts_schema<LlmTimeoutOverrides>(),
                 "What is not set is as in `[llm.timeouts]`.")
          .table("cache",
                 &ModelConfig::cache,
                 cache_schema<LlmCacheOverrides>(),
                 "What is not set is as in `[llm.cache]`.");
  return schema;
}

const Schema<PriceConfig>& price_schema() {
  static const Schema<PriceConfig> schema =
      Schema<PriceConfig>()
          .text("model", &PriceConfig::model, "Name or pattern; the first match counts.")
          .number("input", &PriceConfig::input, "US dollars for a million input tokens.", 0, kMany)
          .number(
              "output", &PriceConfig::output, "US dollars for a million output tokens.", 0, kMany)
          .number("cached_input",
                  &PriceConfig::cached_input,
                  "For those read from the provider's own cache; negative: as `input`.",
                  -1,
                  kMany);
  return schema;
}

const Schema<ApiKeyConfig>& api_key_schema() {
  static const Schema<ApiKeyConfig> schema =
      Schema<ApiKeyConfig>()
          .text("name", &ApiKeyConfig::name, "The tenant; several keys may share it.")
          .text("sha256",
                &ApiKeyConfig::sha256,
                "Of the key, 64 hexadecimal digits: `printf %s KEY | sha256sum`.")
          .texts("models", &ApiKeyConfig::models, "Patterns of models it may ask for; empty: all.");
  return schema;
}

const Schema<TenantConfig>& tenant_schema() {
  static const Schema<TenantConfig> schema =
      Schema<TenantConfig>()
          .table_list("keys",
                      &TenantConfig::keys,
                      api_key_schema(),
                      "Issued keys; where there are any, other callers get 401.")
          .choice<Anonymous>("anonymous",
                             &TenantConfig::anonymous,
                             {{"auto", Anonymous::kAuto},
                              {"allow", Anonymous::kAllow},
                              {"refuse", Anonymous::kRefuse}},
                             "Callers without a credential; `auto`: allowed until keys are issued.")
          .text("trusted_header",
                &TenantConfig::trusted_header,
                "Field in which the application names the tenant; empty: none.")
          .texts("trusted_peers",
                 &TenantConfig::trusted_peers,
                 "Networks from which that field is believed.")
          .secret("scope_secret",
                  &TenantConfig::scope_secret,
                  "Turns credentials into scopes; at least 16 bytes, the same on all replicas. "
                  "Empty: made at random at start.");
  return schema;
}

const Schema<LlmResumeConfig>& resume_schema() {
  static const Schema<LlmResumeConfig> schema =
      Schema<LlmResumeConfig>()
          .boolean("api_chat", &LlmResumeConfig::api_chat, "Answers of `/api/chat` can be resumed.")
          .boolean("v1", &LlmResumeConfig::v1, "Streams of `/v1` too: their events carry ids.")
          .duration("window",
                    &LlmResumeConfig::window,
                    "How long after its end an answer can be had.",
                    1s,
                    24h);
  return schema;
}

}  // namespace

const Schema<LlmConfig>& llm_schema() {
  static const Schema<LlmConfig> schema =
      Schema<LlmConfig>()
          .text("default_model",
                &LlmConfig::default_model,
                "For `/api/chat`; empty: the first provider's first model.")
          .integer("max_attempts",
                   &LlmConfig::max_attempts,
                   "Upstream calls for one answer, in all.",
                   1,
                   10)
          .choice<DisconnectPolicy>(
              "on_disconnect",
              &LlmConfig::on_disconnect,
              disconnect_policies(),
              "When the last client leaves: end the upstream call, or read it to its end for the "
              "cache. Resumable answers are always read to the end.")
          .duration("heartbeat",
                    &LlmConfig::heartbeat,
                    "A comment is sent into a stream after that much silence.",
                    100ms,
                    1h)
          .bytes(
              "max_request", &LlmConfig::max_request_bytes, "Body of a request.", 1'024, 1u << 30)
          .named_tables(
              "providers",
              &LlmConfig::providers,
              &ProviderConfig::name,
              provider_schema(),
              "Upstreams by name. `OPENAI_API_KEY` or `OPENAI_BASE_URL` adds `openai`; "
              "`ANTHROPIC_API_KEY` or `ANTHROPIC_BASE_URL` adds `anthropic`. Without any, "
              "a simulated one serves, but in production.")
          .table_list("models",
                      &LlmConfig::models,
                      model_schema(),
                      "Which model goes where. Without any, `claude-*` goes to the first provider "
                      "of kind anthropic and everything else to the first of the others.")
          .table_list(
              "prices", &LlmConfig::prices, price_schema(), "For costs in logs and metrics.")
          .table("tenants", &LlmConfig::tenants, tenant_schema(), "Who is asking.")
          .table(
              "timeouts",
              &LlmConfig::timeouts,
              timeouts_schema<LlmTimeouts>(),
              "Waits for an upstream. A request may shorten each: `x-conciergus-timeout-connect`, "
              "`-headers`, `-first-content`, `-stall` and `-total`, in milliseconds.")
          .table("cache",
                 &LlmConfig::cache,
                 cache_schema<LlmCacheConfig>(),
                 "The response cache. A request may shorten the time its answer is kept: "
                 "`x-conciergus-cache-ttl`, in seconds.")
          .table("resume", &LlmConfig::resume, resume_schema(), "Continuing interrupted streams.");
  return schema;
}

}  // namespace conciergus::gateway

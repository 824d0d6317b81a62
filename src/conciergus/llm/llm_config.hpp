#pragma once
/// What an operator decides about providers, models, tenants, prices, time and caching.
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "conciergus/base/secret.hpp"
#include "conciergus/llm/simulated_config.hpp"

namespace conciergus::llm {

enum class ProviderKind : std::uint8_t {
  kOpenAi,     ///< Anything that speaks OpenAI's protocols: OpenAI, Azure, Ollama, vLLM, …
  kAnthropic,  ///< Anthropic messages.
  kSimulated,  ///< Built in; needs neither network nor key.
};

struct ProviderConfig {
  std::string name;  ///< Lower-case letters, digits, '-' and '_'; in headers, metrics and targets.
  ProviderKind kind = ProviderKind::kOpenAi;
  /// As the provider's SDK takes it: "https://api.openai.com/v1", "https://api.anthropic.com". A
  /// version ("/v1") is added where the address has no path.
  std::string base_url;
  std::vector<Secret> keys;  ///< Used in turn; another one at once when one is refused or limited.
  bool forward_client_key = false;  ///< Without keys of its own: send the caller's credential on.
  bool azure = false;               ///< Key in `api-key` instead of `Authorization`.
  std::string api_version;  ///< Azure: the api-version parameter; Anthropic: anthropic-version.
  bool finish_reason_is_terminal = false;  ///< For servers known to leave `[DONE]` out.
  std::vector<std::pair<std::string, std::string>> headers;  ///< Sent with every call.
  std::vector<std::string> models;  ///< Listed by GET /v1/models when its own list cannot be had.
  SimulatedConfig simulated;        ///< For kind simulated.
};

struct TargetConfig {
  std::string provider;  ///< Name of a provider.
  std::string model;     ///< As that provider calls it; empty: as the client asked.
};

struct PriceConfig {
  std::string model;         ///< Name or pattern of the upstream's model; the first match counts.
  double input = 0;          ///< US dollars for a million input tokens.
  double output = 0;         ///< US dollars for a million output tokens.
  double cached_input = -1;  ///< For those read from the provider's cache; negative: as `input`.
};

struct ApiKeyConfig {
  std::string name;    ///< The tenant, in logs and metrics; several keys may share it.
  std::string sha256;  ///< Of the key, 64 hexadecimal digits: the key itself is not kept.
  std::vector<std::string> models;  ///< Patterns of public names it may ask for; empty: all.
};

enum class Anonymous : std::uint8_t {
  kAuto,    ///< Allowed until keys are issued.
  kAllow,   ///< Callers without a credential share the scope `anonymous`.
  kRefuse,  ///< They get 401.
};

struct TenantConfig {
  std::vector<ApiKeyConfig> keys;          ///< Issued keys; when there are any, others get 401.
  Anonymous anonymous = Anonymous::kAuto;  ///< What happens to callers without a credential.
  std::string trusted_header;  ///< Field in which the application names the tenant; empty: none.
  std::vector<std::string> trusted_peers{"127.0.0.0/8", "::1"};  ///< Networks it is believed from.
  Secret scope_secret;  ///< Keys the HMAC that turns credentials into scopes; at least 16 bytes,
                        ///< and the same on all replicas. Empty: made at random at start.
};

/// The five waits for an upstream. Comments, pings and empty steps do not count as content.
struct LlmTimeouts {
  std::chrono::milliseconds connect{3'000};         ///< DNS, TCP and TLS; 10 ms to 60 s.
  std::chrono::milliseconds headers{30'000};        ///< From dispatch to the head; 10 ms to 1 h.
  std::chrono::milliseconds first_content{60'000};  ///< From dispatch to content; 10 ms to 1 h.
  std::chrono::milliseconds stall{30'000};          ///< From content to content; 10 ms to 1 h.
  std::chrono::milliseconds total{600'000};         ///< From arrival to the end; 10 ms to 24 h.
};

enum class DisconnectPolicy : std::uint8_t {
  kCancel,  ///< Nobody listens any more: the upstream call is ended and nothing is kept.
  kDrain,   ///< It is read to its end, for the cache, the bill and resuming.
};

enum class CachePolicy : std::uint8_t {
  kAuto,               ///< Deterministic requests for long, those without a temperature for short.
  kDeterministicOnly,  ///< Temperature within the bound, or a seed.
  kAny,                ///< Whatever the temperature and `n`.
  kNever,
};

struct LlmCacheConfig {
  CachePolicy policy = CachePolicy::kAuto;  ///< Which answers may be given twice.
  double temperature_bound = 0;             ///< Highest temperature that counts as deterministic.
  std::chrono::seconds ttl{86'400};         ///< Of deterministic answers; 1 s to 30 days.
  std::chrono::seconds short_ttl{600};      ///< When no temperature was given; at most `ttl`.
  bool coalesce = true;                     ///< Identical simultaneous requests share one call.
  bool tool_calls = false;                  ///< Keep answers that call tools.
  std::size_t max_record_bytes = 1u << 20;  ///< Larger answers are not kept; 4 KiB to 64 MiB.
};

/// LlmTimeouts of one route, as far as it differs.
struct LlmTimeoutOverrides {
  std::optional<std::chrono::milliseconds> connect{};
  std::optional<std::chrono::milliseconds> headers{};
  std::optional<std::chrono::milliseconds> first_content{};
  std::optional<std::chrono::milliseconds> stall{};
  std::optional<std::chrono::milliseconds> total{};
};

/// LlmCacheConfig of one route, as far as it differs.
struct LlmCacheOverrides {
  std::optional<CachePolicy> policy{};
  std::optional<double> temperature_bound{};
  std::optional<std::chrono::seconds> ttl{};
  std::optional<std::chrono::seconds> short_ttl{};
  std::optional<bool> coalesce{};
  std::optional<bool> tool_calls{};
  std::optional<std::size_t> max_record_bytes{};
};

/// A route: the first entry whose pattern matches decides. What it leaves open is as for all
/// (route_policy.hpp).
struct ModelConfig {
  std::string pattern{};                ///< Public name, or with `*`: "gpt-4o", "claude-*", "*".
  std::vector<TargetConfig> targets{};  ///< In order: the next is tried when one fails.
  LlmTimeoutOverrides timeouts{};
  LlmCacheOverrides cache{};
  std::optional<DisconnectPolicy> on_disconnect{};
};

struct LlmResumeConfig {
  bool api_chat = true;              ///< Answers of /api/chat can be resumed.
  bool v1 = false;                   ///< Streams of /v1 too: events carry ids.
  std::chrono::seconds window{300};  ///< How long after its end an answer can be had; 1 s to 1 day.
};

struct LlmConfig {
  std::vector<ProviderConfig> providers;  ///< At least one.
  std::vector<ModelConfig> models;  ///< Empty: every model goes to the first provider as it is.
  std::string default_model;        ///< For /api/chat; empty: the first provider's first model.
  unsigned max_attempts = 3;        ///< Upstream calls for one answer, in all; 1 to 10.
  TenantConfig tenants;
  std::vector<PriceConfig> prices;
  LlmTimeouts timeouts;
  LlmCacheConfig cache;
  DisconnectPolicy on_disconnect = DisconnectPolicy::kCancel;  ///< Resumable routes always drain.
  LlmResumeConfig resume;
  std::chrono::milliseconds heartbeat{15'000};  ///< Comment after that much silence; 100 ms to 1 h.
  std::size_t max_request_bytes = 32u << 20;    ///< Body of a request; 1 KiB to 1 GiB.

  /// Every violation, as "providers[0].base_url: what is wrong".
  std::vector<std::string> validate() const;
};

}  // namespace conciergus::llm

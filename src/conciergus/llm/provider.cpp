#include "conciergus/llm/provider.hpp"

#include <array>

namespace conciergus::llm {
namespace {

constexpr std::string_view kVersion = "/v1";  // what endpoint() begins with
constexpr std::string_view kAnthropicVersion = "2023-06-01";

constexpr std::array<std::string_view, 6> kForwarded{"anthropic-beta",
                                                     "anthropic-version",
                                                     "openai-beta",
                                                     "openai-organization",
                                                     "openai-project",
                                                     "x-sim-fault"};

}  // namespace

std::span<const std::string_view> forwarded_headers() noexcept {
  return kForwarded;
}

std::optional<Protocol> Provider::upstream_protocol(ProviderKind kind, Protocol client) noexcept {
  const bool is_chat = client == Protocol::kUiMessages || client == Protocol::kChatCompletions ||
                       client == Protocol::kMessages;
  switch (kind) {
    case ProviderKind::kAnthropic:
      return is_chat ? std::optional(Protocol::kMessages) : std::nullopt;
    case ProviderKind::kOpenAi:
      return is_chat ? Protocol::kChatCompletions : client;
    case ProviderKind::kSimulated:
      return client == Protocol::kUiMessages ? Protocol::kChatCompletions : client;
  }
  return std::nullopt;
}

Result<std::unique_ptr<Provider>> Provider::make(const ProviderConfig& config,
                                                 runtime::Shard& shard,
                                                 http::Client& client) {
  if (config.kind == ProviderKind::kSimulated) {
    auto transport = std::make_unique<InProcessTransport>(shard, config.simulated);
    return std::unique_ptr<Provider>(
        new Provider(config, std::move(transport), std::string(kVersion)));
  }
  CONCIERGUS_TRY(auto parsed, http::Origin::parse(config.base_url));
  auto& [origin, path] = parsed;
  // Anthropic's SDK adds the version to its address, OpenAI's expects it there.
  const bool adds_version =
      path.empty() || (config.kind == ProviderKind::kAnthropic && !path.ends_with(kVersion));
  if (adds_version) path += kVersion;
  auto transport = std::make_unique<NetworkTransport>(client, std::move(origin));
  return std::unique_ptr<Provider>(new Provider(config, std::move(transport), std::move(path)));
}

void Provider::add_credential(http::Headers& headers,
                              const UpstreamHead& head,
                              std::size_t key) const {
  std::string_view credential;
  if (key < config_.keys.size()) {
    credential = config_.keys[key].reveal();
  } else if (config_.forward_client_key) {
    credential = head.client_credential;
  }
  if (credential.empty()) return;
  if (config_.kind == ProviderKind::kAnthropic) {
    headers.set("x-api-key", credential);
  } else if (config_.azure) {
    headers.set("api-key", credential);
  } else {
    headers.set("authorization", "Bearer " + std::string(credential));
  }
}

http::ClientRequest Provider::make_request(std::string_view method,
                                           std::string_view endpoint,
                                           const UpstreamHead& head,
                                           std::size_t key) const {
  http::ClientRequest request;
  request.method = method;
  request.target = base_path_ + std::string(endpoint.substr(kVersion.size()));
  if (config_.azure && !config_.api_version.empty()) {
    request.target += "?api-version=" + config_.api_version;
  }
  request.headers = head.headers;
  request.headers.set("user-agent", "conciergus");
  if (!head.trace_parent.empty()) request.headers.set("traceparent", head.trace_parent);
  if (config_.kind == ProviderKind::kAnthropic && !request.headers.contains("anthropic-version")) {
    request.headers.add("anthropic-version",
                        config_.api_version.empty() ? kAnthropicVersion : config_.api_version);
  }
  if (config_.kind != ProviderKind::kSimulated) request.headers.remove("x-sim-fault");
  for (const auto& [name, value] : config_.headers) request.headers.set(name, value);
  add_credential(request.headers, head, key);
  return request;
}

Task<Result<http::Response>> Provider::post(Protocol protocol,
                                            std::string body,
                                            const UpstreamHead& head,
                                            std::size_t key,
                                            http::CallLimits limits,
                                            http::CallReport& report) {
  auto request = make_request("POST", endpoint(protocol), head, key);
  request.headers.set("content-type", "application/json");
  request.headers.set("accept", "text/event-stream, application/json");
  request.body = std::move(body);
  // A pooled connection that the provider had closed meanwhile says nothing about the provider.
  request.may_repeat = true;
  co_return co_await transport_->send(std::move(request), limits, report);
}

Task<Result<http::Response>> Provider::list_models(const UpstreamHead& head,
                                                   http::CallLimits limits) {
  auto request = make_request("GET", "/v1/models", head, next_key());
  request.headers.set("accept", "application/json");
  http::CallReport report;
  co_return co_await transport_->send(std::move(request), limits, report);
}

}  // namespace conciergus::llm

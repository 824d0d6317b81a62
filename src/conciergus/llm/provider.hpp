#pragma once
/// One provider as one shard calls it: address, credentials, and the headers of its protocol.
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "conciergus/llm/effective_request.hpp"
#include "conciergus/llm/llm_config.hpp"
#include "conciergus/llm/provider_transport.hpp"

namespace conciergus::llm {

/// What goes upstream besides the body.
struct UpstreamHead {
  http::Headers headers;          ///< Of the client, those that the provider is to see.
  std::string client_credential;  ///< For providers that take the caller's own key.
  std::string trace_parent;
};

/// Fields of a request that change the answer: part of the key, and sent on.
std::span<const std::string_view> forwarded_headers() noexcept;

/// Belongs to one shard.
class Provider {
 public:
  /// `config` outlives it. kConfig when the address cannot be understood.
  static Result<std::unique_ptr<Provider>> make(const ProviderConfig& config,
                                                runtime::Shard& shard,
                                                http::Client& client);

  const std::string& name() const noexcept { return config_.name; }
  const ProviderConfig& config() const noexcept { return config_; }

  /// The protocol to speak for a client of `client`; nothing when the provider has none for it.
  static std::optional<Protocol> upstream_protocol(ProviderKind kind, Protocol client) noexcept;

  std::size_t keys() const noexcept { return config_.keys.size(); }
  /// The place of the key that is next in turn.
  std::size_t next_key() noexcept { return config_.keys.empty() ? 0 : turn_++ % keys(); }
  bool uses_client_key() const noexcept {
    return config_.keys.empty() && config_.forward_client_key;
  }

  /// POSTs `body` to the endpoint of `protocol` with the key at that place.
  Task<Result<http::Response>> post(Protocol protocol,
                                    std::string body,
                                    const UpstreamHead& head,
                                    std::size_t key,
                                    http::CallLimits limits,
                                    http::CallReport& report);
  /// GETs the provider's own list of models.
  Task<Result<http::Response>> list_models(const UpstreamHead& head, http::CallLimits limits);

 private:
  Provider(const ProviderConfig& config,
           std::unique_ptr<ProviderTransport> transport,
           std::string base_path)
      : config_(config), transport_(std::move(transport)), base_path_(std::move(base_path)) {}

  http::ClientRequest make_request(std::string_view method,
                                   std::string_view endpoint,
                                   const UpstreamHead& head,
                                   std::size_t key) const;
  void add_credential(http::Headers& headers, const UpstreamHead& head, std::size_t key) const;

  const ProviderConfig& config_;
  std::unique_ptr<ProviderTransport> transport_;
  const std::string base_path_;
  std::size_t turn_ = 0;
};

}  // namespace conciergus::llm

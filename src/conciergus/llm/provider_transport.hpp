#pragma once
/// How calls reach a provider: over the network, or in process.
#include "conciergus/http/client.hpp"
#include "conciergus/http/handler.hpp"
#include "conciergus/llm/simulated_provider.hpp"

namespace conciergus::llm {

/// Belongs to one shard; outlives the responses it has given.
class ProviderTransport {
 public:
  virtual ~ProviderTransport() = default;
  /// As http::Client::send. `target` is in origin form, below the provider's base path.
  virtual Task<Result<http::Response>> send(http::ClientRequest request,
                                            http::CallLimits limits,
                                            http::CallReport& report) = 0;
};

class NetworkTransport final : public ProviderTransport {
 public:
  NetworkTransport(http::Client& client, http::Origin origin)
      : client_(client), origin_(std::move(origin)) {}
  Task<Result<http::Response>> send(http::ClientRequest request,
                                    http::CallLimits limits,
                                    http::CallReport& report) override;

 private:
  http::Client& client_;
  const http::Origin origin_;
};

/// Calls a handler directly, with a context of its own for each call.
class InProcessTransport final : public ProviderTransport {
 public:
  InProcessTransport(runtime::Shard& shard, SimulatedConfig config)
      : shard_(shard), provider_(std::move(config)) {}
  Task<Result<http::Response>> send(http::ClientRequest request,
                                    http::CallLimits limits,
                                    http::CallReport& report) override;

 private:
  runtime::Shard& shard_;
  const SimulatedProvider provider_;
};

}  // namespace conciergus::llm

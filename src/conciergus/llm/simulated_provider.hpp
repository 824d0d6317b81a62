#pragma once
/// A provider that costs nothing and needs no network: for the demo, tests, and trying out faults.
/// It speaks chat completions, responses, embeddings and model lists as OpenAI does, and messages
/// as Anthropic does.
#include <string>

#include "conciergus/http/handler.hpp"
#include "conciergus/llm/simulated_config.hpp"
#include "conciergus/llm/simulated_fault.hpp"

namespace conciergus::llm {

/// Stateless and thread-safe: the same question gets the same answer from every instance with the
/// same seed. A fault is asked for by the field `x-sim-fault`, or behind a '!' in the model's name.
class SimulatedProvider final : public http::Handler {
 public:
  explicit SimulatedProvider(SimulatedConfig config) : config_(std::move(config)) {}

  /// Cancelled while it is "thinking" it leaves nothing behind.
  Task<Result<http::Response>> handle(http::RequestContext& context,
                                      http::Request& request) const override;

 private:
  http::Response list_models(std::int64_t now) const;

  const SimulatedConfig config_;
};

}  // namespace conciergus::llm

#pragma once
/// Which providers are asked for a model, in which order.
#include <string>
#include <string_view>
#include <vector>

#include "conciergus/llm/llm_config.hpp"
#include "conciergus/llm/protocol.hpp"
#include "conciergus/llm/route_policy.hpp"

namespace conciergus::llm {

/// Immutable; any thread. Borrows the configuration.
class ModelMap {
 public:
  explicit ModelMap(const LlmConfig& config);

  struct Route {
    struct Choice {
      std::size_t provider;  ///< Place in the configuration.
      Protocol protocol;     ///< To speak to it.
      std::string model;     ///< As it calls the model.
    };
    std::vector<Choice> choices;          ///< Empty: nobody has the model in that protocol.
    std::string_view label;               ///< For metrics: the pattern, never what a client wrote.
    const RoutePolicy* policy = nullptr;  ///< The map's own; null when not known.
    bool is_known = false;                ///< Some pattern matches.
  };
  /// `model` is the public name that a client of `protocol` asks for.
  Route resolve(std::string_view model, Protocol protocol) const;

  /// For requests that name none.
  const std::string& default_model() const noexcept { return default_model_; }
  /// All labels that resolve() gives.
  const std::vector<std::string>& labels() const noexcept { return labels_; }
  /// The longest that any route lets an answer take.
  std::chrono::milliseconds longest_total() const noexcept;
  /// Public names without a wildcard.
  std::vector<std::string> names() const;

 private:
  const LlmConfig& config_;
  std::vector<ModelConfig> models_;
  std::vector<std::string> labels_;  // one per model, as are these:
  std::vector<RoutePolicy> policies_;
  std::string default_model_;
};

}  // namespace conciergus::llm

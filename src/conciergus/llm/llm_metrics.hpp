#pragma once
/// What the LLM routes count. All label values come from the configuration or from closed sets,
/// never from a request.
#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "conciergus/llm/answer.hpp"
#include "conciergus/llm/llm_config.hpp"
#include "conciergus/llm/outcome.hpp"
#include "conciergus/llm/protocol.hpp"
#include "conciergus/observe/metrics.hpp"

namespace conciergus::llm {

/// How a request was answered.
enum class Served : std::uint8_t {
  kHit,      ///< From the cache.
  kLed,      ///< By an upstream call of its own.
  kJoined,   ///< By the upstream call of another request.
  kResumed,  ///< It went on with an earlier stream.
  kRefused,  ///< Not at all: the request was at fault.
  kFailed,   ///< Not at all: we or the provider were.
};

/// Any thread; handles are resolved at construction.
class LlmMetrics {
 public:
  LlmMetrics(observe::Registry& registry,
             const LlmConfig& config,
             const std::vector<std::string>& model_labels);

  void count_request(Protocol protocol, Served served);
  void count_attempt(std::size_t provider, Outcome outcome);
  void observe_first_content(std::size_t provider, double milliseconds);
  /// `model` is a label of the model map.
  void count_tokens(std::string_view model, const Usage& usage);
  /// `tenant` is told apart only when it was issued a key.
  void count_cost(std::string_view tenant, std::string_view model, double dollars);
  void count_saved(std::string_view tenant, double dollars);

  observe::Gauge& open_streams;
  observe::Counter& unfinished;   ///< Streams with a last word but no finish reason.
  observe::Counter& cut_streams;  ///< Ended by an error event, to each client.

 private:
  struct PerProvider {
    std::array<observe::Counter*, 18> outcomes{};
    observe::Histogram* first_content = nullptr;
  };
  struct PerModel {
    observe::Counter* input = nullptr;
    observe::Counter* output = nullptr;
    observe::Counter* cached = nullptr;
    observe::DoubleCounter* cost = nullptr;
  };
  struct PerTenant {
    observe::DoubleCounter* cost = nullptr;
    observe::DoubleCounter* saved = nullptr;
  };
  PerTenant& tenant(std::string_view name);

  std::array<std::array<observe::Counter*, 6>, 5> requests_{};
  std::vector<PerProvider> providers_;
  std::map<std::string, PerModel, std::less<>> models_;
  std::map<std::string, PerTenant, std::less<>> tenants_;
};

}  // namespace conciergus::llm

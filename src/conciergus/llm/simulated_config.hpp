#pragma once
/// How the simulated provider behaves when nobody asks for a fault.
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace conciergus::llm {

struct SimulatedConfig {
  bool instant = false;  ///< Answers at once: for tests and for measuring the gateway itself.
  std::chrono::milliseconds first_token{350};  ///< Median time to the first token; 0 to 60 s.
  double first_token_spread = 0.35;            ///< Sigma of its log-normal distribution; 0 to 2.
  double tokens_per_second = 60;               ///< Median pace after that; 0.1 to 100,000.
  double token_spread = 0.4;  ///< Sigma of the log-normal gaps between tokens; 0 to 2.
  std::uint64_t seed = 1;     ///< Same seed, same question: same answer at the same pace.
  std::vector<std::string> models{"simulated", "simulated-mini"};  ///< What GET /v1/models lists.

  /// Every violation, as "field: what is wrong".
  std::vector<std::string> validate() const;
};

}  // namespace conciergus::llm

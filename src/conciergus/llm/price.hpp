#pragma once
/// What an answer costs, from the provider's own count of tokens.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conciergus/llm/answer.hpp"
#include "conciergus/llm/llm_config.hpp"

namespace conciergus::llm {

/// Immutable; any thread.
class PriceTable {
 public:
  explicit PriceTable(std::vector<PriceConfig> prices) : prices_(std::move(prices)) {}

  /// US dollars; nothing when the model has no price or the provider told no tokens.
  std::optional<double> cost(std::string_view model, const Usage& usage) const;

 private:
  std::vector<PriceConfig> prices_;
};

/// As headers show it: "0.001234", without an exponent and without trailing zeros; exact to a
/// hundred-millionth of a dollar.
std::string format_dollars(double dollars);

}  // namespace conciergus::llm

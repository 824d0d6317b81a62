#include "conciergus/llm/price.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "conciergus/llm/glob.hpp"

namespace conciergus::llm {

std::optional<double> PriceTable::cost(std::string_view model, const Usage& usage) const {
  if (usage.empty()) return std::nullopt;
  const auto matches = [&](const PriceConfig& price) { return glob_matches(price.model, model); };
  const auto price = std::ranges::find_if(prices_, matches);
  if (price == prices_.end()) return std::nullopt;

  const std::uint64_t input = usage.input.value_or(0);
  const std::uint64_t cached = std::min(usage.cached_input.value_or(0), input);
  const double cached_price = price->cached_input < 0 ? price->input : price->cached_input;
  return (static_cast<double>(input - cached) * price->input +
          static_cast<double>(cached) * cached_price +
          static_cast<double>(usage.output.value_or(0)) * price->output) /
         1e6;
}

std::string format_dollars(double dollars) {
  std::string text = fmt::format("{:.8f}", dollars);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

}  // namespace conciergus::llm

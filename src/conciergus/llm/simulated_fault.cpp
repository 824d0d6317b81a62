#include "conciergus/llm/simulated_fault.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "conciergus/base/text.hpp"

namespace conciergus::llm {
namespace {

/// In the order of SimulatedFaultKind, without kNone.
constexpr std::array<std::string_view, 24> kNames{
    "status",   "silence", "pings",     "lifecycle", "error-in-200",   "lifecycle-error",
    "error",    "cut",     "early-end", "stall",     "drip",           "malformed",
    "oversize", "html",    "redirect",  "no-done",   "no-finish",      "after-done",
    "empty",    "whole",   "stream",    "length",    "content-filter", "bad-arguments"};

}  // namespace

std::span<const std::string_view> simulated_fault_names() noexcept {
  return kNames;
}

Result<SimulatedFault> SimulatedFault::parse(std::string_view text) {
  SimulatedFault fault;
  const auto semicolon = text.find(';');
  const std::string_view first = trim(text.substr(0, semicolon));
  const auto equals = first.find('=');
  const auto known = std::ranges::find(kNames, first.substr(0, equals));
  if (known == kNames.end()) {
    return fail(ErrorCode::kInvalidRequest,
                fmt::format("unknown fault; there are: {}", fmt::join(kNames, ", ")));
  }
  fault.kind = static_cast<SimulatedFaultKind>(known - kNames.begin() + 1);
  if (equals != std::string_view::npos) {
    const auto value = parse_decimal(first.substr(equals + 1));
    if (!value) return fail(ErrorCode::kInvalidRequest, "the fault's value must be a number");
    fault.value = *value;
  }
  if (fault.is(SimulatedFaultKind::kStatus) && (fault.value < 400 || fault.value > 599)) {
    return fail(ErrorCode::kInvalidRequest, "status must be 400 to 599");
  }

  std::string_view rest = semicolon == text.npos ? "" : text.substr(semicolon + 1);
  while (!rest.empty()) {
    const auto end = rest.find(';');
    const std::string_view option = trim(rest.substr(0, end));
    rest = end == rest.npos ? "" : rest.substr(end + 1);
    const auto sign = option.find('=');
    const std::string_view name = option.substr(0, sign);
    std::string value(sign == option.npos ? "" : option.substr(sign + 1));
    if (name == "retry-after") {
      fault.retry_after = std::move(value);
    } else if (name == "retry-after-ms") {
      fault.retry_after_ms = std::move(value);
    } else {
      return fail(ErrorCode::kInvalidRequest, "a fault's option is retry-after or retry-after-ms");
    }
  }
  return fault;
}

}  // namespace conciergus::llm

#pragma once
/// The faults that a simulated answer shows on demand: the field `x-sim-fault: cut=3`, or a model
/// called `simulated!cut=3`.
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "conciergus/base/result.hpp"

namespace conciergus::llm {

enum class SimulatedFaultKind : std::uint8_t {
  kNone,
  kStatus,          ///< status=N: that status with an error body.
  kSilence,         ///< Never a head.
  kPings,           ///< A head, then signs of life but no content.
  kLifecycle,       ///< lifecycle=N: N events without content before the first content.
  kErrorIn200,      ///< error-in-200: the stream's first event is an error.
  kLifecycleError,  ///< lifecycle-error: an error after the events that open the stream.
  kError,           ///< error=N: an error event after N events of content.
  kCut,             ///< cut=N: the connection breaks after N events of content.
  kEarlyEnd,        ///< early-end=N: a clean end after N events of content.
  kStall,           ///< stall=N: nothing more after N events of content.
  kDrip,            ///< drip=N: N milliseconds between tokens.
  kMalformed,       ///< malformed=N: an event that is not JSON after N events of content.
  kOversize,        ///< oversize=N: an event of N KiB in place of the first token.
  kHtml,            ///< 200 with a web page.
  kRedirect,        ///< 307 to another place.
  kNoDone,          ///< no-done: without the terminal event.
  kNoFinish,        ///< no-finish: without a finish reason.
  kAfterDone,       ///< after-done: more data after the terminal event.
  kEmpty,           ///< An answer without content.
  kWhole,           ///< A whole answer although a stream was asked for.
  kStream,          ///< A stream although a whole answer was asked for.
  kLength,          ///< Finished by the token limit.
  kFiltered,        ///< content-filter: finished by a filter.
  kBadArguments,    ///< bad-arguments: a tool call whose arguments are not JSON.
};

struct SimulatedFault {
  SimulatedFaultKind kind = SimulatedFaultKind::kNone;
  std::uint64_t value = 0;  ///< Behind the '='; 0 when left out.
  std::string retry_after;  ///< With status: `status=429;retry-after=2`.
  std::string retry_after_ms;

  /// kInvalidRequest, naming the faults there are, for one that is not known.
  static Result<SimulatedFault> parse(std::string_view text);
  bool is(SimulatedFaultKind which) const noexcept { return kind == which; }
};

/// Names of all faults, for --help and documentation.
std::span<const std::string_view> simulated_fault_names() noexcept;

}  // namespace conciergus::llm

#pragma once
/// What became of one call to an upstream, and what may follow from it. One table, so that retries,
/// breakers, error answers and metrics never disagree. Pure.
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "conciergus/base/clock.hpp"
#include "conciergus/http/client.hpp"
#include "conciergus/llm/answer.hpp"

namespace conciergus::llm {

enum class Outcome : std::uint8_t {
  kOk,
  kConnectFailed,  ///< Refused, reset, unreachable, or no such name.
  kConnectTimeout,
  kTlsFailed,       ///< Handshake or certificate.
  kQueueFull,       ///< Our own pool had no room.
  kSilent,          ///< No head in time.
  kNoContent,       ///< A head, but no content in time.
  kStalled,         ///< No more content in time.
  kOutOfTime,       ///< The total time is over.
  kTruncated,       ///< Cut, or ended without its terminal event.
  kMalformed,       ///< Not the protocol: wrong type, broken JSON, too large, a redirect.
  kServerError,     ///< 500, 502, 504 and other 5xx.
  kOverloaded,      ///< 503, 529.
  kRequestTimeout,  ///< 408, 409.
  kRateLimited,     ///< 429.
  kKeyRefused,      ///< 401, 402, 403.
  kRejected,        ///< Any other 4xx: the request itself is at fault.
  kCancelled,       ///< Nobody listened any more.
};

/// Lower-case name, as a metric label: "connect_failed".
std::string_view to_string(Outcome outcome) noexcept;

enum class Evidence : std::uint8_t { kNone, kFailure, kCooldown };

/// What may be tried before the answer is committed, and what a breaker learns.
struct Reaction {
  bool same_key = false;     ///< Again after a pause.
  bool other_key = false;    ///< At once with another key.
  bool next_target = false;  ///< At once elsewhere.
  Evidence evidence = Evidence::kNone;
};
Reaction reaction_to(Outcome outcome) noexcept;

Outcome outcome_of_status(unsigned status) noexcept;
/// Of a call that failed on its way to the response's head.
Outcome outcome_of_error(const Error& error, http::CallReport::Phase phase) noexcept;

/// When the upstream wants to be asked again: of `retry-after-ms`, `x-ms-retry-after-ms`,
/// `retry-after` in seconds or as a date, in this order; none when negative, past or unreadable.
std::optional<std::chrono::milliseconds> retry_after(const http::Headers& headers,
                                                     Clock::WallTime now) noexcept;

/// A call that did not succeed, ready to be told to a client.
struct CallFailure {
  Outcome outcome = Outcome::kOk;
  Failure failure;  ///< Status, code and message as the client gets them.
  std::optional<std::chrono::milliseconds> retry_after;
  std::optional<bool> should_retry;  ///< For `x-should-retry`; none: the SDK decides by the status.
};

/// `told` is what the upstream itself said, if anything; `is_client_key` when it was the caller's
/// own credential that it refused.
CallFailure make_call_failure(Outcome outcome,
                              const std::optional<Failure>& told = std::nullopt,
                              std::optional<std::chrono::milliseconds> retry_after = std::nullopt,
                              bool is_client_key = false);

}  // namespace conciergus::llm

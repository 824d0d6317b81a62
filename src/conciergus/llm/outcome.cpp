#include "conciergus/llm/outcome.hpp"

#include <algorithm>
#include <array>

#include "conciergus/base/text.hpp"
#include "conciergus/codec/http_date.hpp"

namespace conciergus::llm {
namespace {

/// One row an outcome: its name, what may follow, and how a client hears of it.
struct Row {
  std::string_view name;
  Reaction reaction;
  unsigned status;  ///< 0: the upstream's own.
  std::string_view code;
  std::string_view message;
  std::optional<bool> should_retry;
};

constexpr Reaction kAgain{true, true, true, Evidence::kFailure};
constexpr Reaction kElsewhere{false, false, true, Evidence::kFailure};
constexpr Reaction kNothing{};

constexpr std::array<Row, 18> kRows{{
    {"ok", kNothing, 200, "", "", {}},
    {"connect_failed",
     kAgain,
     502,
     "upstream_unreachable",
     "The model's provider cannot be reached.",
     false},
    {"connect_timeout",
     kAgain,
     504,
     "upstream_timeout",
     "The model's provider cannot be reached in time.",
     {}},
    {"tls_failed",
     kElsewhere,
     502,
     "upstream_unreachable",
     "There is no safe connection to the model's provider.",
     false},
    {"queue_full",
     {false, false, true, Evidence::kNone},
     503,
     "overloaded",
     "Too many requests are waiting for the model. Try again in a moment.",
     {}},
    {"silent", kAgain, 504, "upstream_timeout", "The model did not answer in time.", {}},
    {"no_content",
     kAgain,
     504,
     "upstream_timeout",
     "The model did not begin its answer in time.",
     {}},
    {"stalled",
     kAgain,
     504,
     "upstream_timeout",
     "The model stopped in the middle of its answer.",
     {}},
    {"out_of_time", kNothing, 504, "timeout", "The answer took longer than allowed.", {}},
    {"truncated", kAgain, 502, "upstream_truncated", "The answer was cut off before its end.", {}},
    {"malformed",
     kElsewhere,
     502,
     "upstream_invalid",
     "The model's provider sent an answer that cannot be read.",
     false},
    {"server_error", kAgain, 502, "upstream_error", "The model's provider failed.", false},
    {"overloaded", kAgain, 503, "upstream_error", "The model's provider is overloaded.", false},
    {"request_timeout",
     {true, true, true, Evidence::kNone},
     504,
     "upstream_timeout",
     "The model's provider gave up waiting.",
     {}},
    {"rate_limited",
     {false, true, true, Evidence::kCooldown},
     429,
     "rate_limit_exceeded",
     "The model's provider limits the rate of requests.",
     {}},
    {"key_refused",
     {false, true, true, Evidence::kNone},
     502,
     "upstream_auth",
     "The model's provider refuses the gateway's key.",
     false},
    {"rejected", kNothing, 0, "invalid_request", "The model's provider refuses the request.", {}},
    {"cancelled", kNothing, 499, "cancelled", "The request was cancelled.", {}},
}};

const Row& row(Outcome outcome) noexcept {
  return kRows[static_cast<std::size_t>(outcome)];
}

std::string_view type_of(unsigned status) noexcept {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 429:
      return "rate_limit_error";
    default:
      return status >= 500 ? "server_error" : "invalid_request_error";
  }
}

}  // namespace

std::string_view to_string(Outcome outcome) noexcept {
  return row(outcome).name;
}

Reaction reaction_to(Outcome outcome) noexcept {
  return row(outcome).reaction;
}

Outcome outcome_of_status(unsigned status) noexcept {
  switch (status) {
    case 200:
      return Outcome::kOk;
    case 401:
    case 402:
    case 403:
      return Outcome::kKeyRefused;
    case 408:
    case 409:
      return Outcome::kRequestTimeout;
    case 429:
      return Outcome::kRateLimited;
    case 503:
    case 529:
      return Outcome::kOverloaded;
    default:
      break;
  }
  if (status >= 500) return Outcome::kServerError;
  return status >= 400 ? Outcome::kRejected : Outcome::kMalformed;
}

Outcome outcome_of_error(const Error& error, http::CallReport::Phase phase) noexcept {
  using Phase = http::CallReport::Phase;
  switch (error.code()) {
    case ErrorCode::kCancelled:
      return Outcome::kCancelled;
    case ErrorCode::kOverloaded:
      return Outcome::kQueueFull;
    case ErrorCode::kTimeout:
      if (phase == Phase::kQueue) return Outcome::kQueueFull;
      return phase < Phase::kSend ? Outcome::kConnectTimeout : Outcome::kSilent;
    default:
      break;
  }
  if (phase == Phase::kTls) return Outcome::kTlsFailed;
  if (error.code() == ErrorCode::kUnavailable) return Outcome::kConnectFailed;
  return Outcome::kMalformed;
}

std::optional<std::chrono::milliseconds> retry_after(const http::Headers& headers,
                                                     Clock::WallTime now) noexcept {
  for (const char* const name : {"retry-after-ms", "x-ms-retry-after-ms"}) {
    if (const auto wait = parse_decimal(headers.get(name)); wait && *wait > 0) {
      return std::chrono::milliseconds(
          static_cast<std::int64_t>(std::min<std::uint64_t>(*wait, 86'400'000)));
    }
  }
  const std::string_view text = headers.get("retry-after");
  if (const auto wait = parse_decimal(text); wait && *wait > 0) {
    return std::chrono::seconds(static_cast<std::int64_t>(std::min<std::uint64_t>(*wait, 86'400)));
  }
  if (const auto date = codec::parse_http_date(text, now); date && *date > now) {
    return std::chrono::ceil<std::chrono::milliseconds>(*date - now);
  }
  return std::nullopt;
}

CallFailure make_call_failure(Outcome outcome,
                              const std::optional<Failure>& told,
                              std::optional<std::chrono::milliseconds> retry_after,
                              bool is_client_key) {
  const Row& is = row(outcome);
  CallFailure made{.outcome = outcome,
                   .failure = {.status = is.status,
                               .type = std::string(type_of(is.status)),
                               .code = std::string(is.code),
                               .message = std::string(is.message)},
                   .retry_after = retry_after,
                   .should_retry = is.should_retry};
  const bool is_clients_business = outcome == Outcome::kRejected ||
                                   outcome == Outcome::kRateLimited ||
                                   (outcome == Outcome::kKeyRefused && is_client_key);
  if (is_clients_business) {
    if (told) made.failure = *told;
    if (outcome == Outcome::kKeyRefused) made.should_retry.reset();
  }
  return made;
}

}  // namespace conciergus::llm

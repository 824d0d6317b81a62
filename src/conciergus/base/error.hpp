#pragma once
/// The vocabulary of failure: an error code says what the caller can do, not where it happened.
/// The table of reactions is docs/errors.md.
#include <cstdint>
#include <string>
#include <string_view>

namespace conciergus {

enum class ErrorCode : std::uint8_t {
  kInvalidRequest,   ///< Change the request.
  kUnauthenticated,  ///< Say who you are.
  kForbidden,        ///< Nothing can be done.
  kNotFound,         ///< Nothing can be done.
  kTooLarge,         ///< Send less.
  kOverloaded,       ///< Come back later.
  kUnavailable,      ///< Try another upstream.
  kTimeout,          ///< Try another upstream if time is left.
  kCancelled,        ///< Stop: nobody listens any more.
  kProtocol,         ///< Close the connection; the peer does not speak the protocol.
  kConfig,           ///< Fix the configuration.
  kInternal,         ///< Report a bug.
};

/// Lower-case name for logs and metrics, such as "invalid_request".
std::string_view to_string(ErrorCode code) noexcept;

/// The HTTP status that tells a client of this error; 499 for kCancelled, which is only ever
/// logged.
unsigned http_status(ErrorCode code) noexcept;

/// A code and a sentence for people. The detail never holds a secret, a prompt or a body.
class Error {
 public:
  Error(ErrorCode code, std::string detail) noexcept : code_(code), detail_(std::move(detail)) {}

  ErrorCode code() const noexcept { return code_; }
  const std::string& detail() const noexcept { return detail_; }
  /// "timeout: deadline passed"
  std::string to_string() const;

 private:
  ErrorCode code_;
  std::string detail_;
};

}  // namespace conciergus

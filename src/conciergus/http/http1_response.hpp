#pragma once
/// How a response is framed on HTTP/1, RFC 9112 section 6: pure, so that the rules can be tested
/// without a connection.
#include <cstdint>
#include <string>
#include <string_view>

#include "conciergus/base/result.hpp"
#include "conciergus/http/message.hpp"

namespace conciergus::http {

/// What the response's framing depends on besides the response.
struct Http1Exchange {
  Version version = Version::kHttp11;  ///< Of the request.
  bool is_head = false;                ///< The method is HEAD.
  bool keep_alive = true;              ///< Both sides want the connection to stay.
};

enum class Http1BodyFraming : std::uint8_t { kNone, kLength, kChunked, kUntilClose };

struct Http1ResponsePlan {
  Http1BodyFraming framing = Http1BodyFraming::kNone;
  std::uint64_t length = 0;  ///< For kLength.
  bool keep_alive = true;    ///< False also where only the end of the connection ends the body.
};

Http1ResponsePlan plan_response(const Response& response, const Http1Exchange& exchange) noexcept;

/// Appends the head. Fields that belong to the connection are ours and not taken from the response;
/// its Content-Length counts only where no body follows (HEAD, 304). `date` is left out when the
/// response has a Date, or when empty. kInternal, with `out` as it was, if a field cannot be
/// written.
Result<void> write_response_head(std::string& out,
                                 const Response& response,
                                 const Http1Exchange& exchange,
                                 const Http1ResponsePlan& plan,
                                 std::string_view date);

/// A 1xx head, 101 apart.
Result<void> write_interim_head(std::string& out, unsigned status, const Headers& headers);

}  // namespace conciergus::http

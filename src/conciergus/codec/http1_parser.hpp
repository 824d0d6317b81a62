#pragma once
/// Parsers of HTTP/1 request and response heads, RFC 9112. They do no I/O, copy nothing, and are
/// strict: what two implementations might read differently is refused, which is what request
/// smuggling lives on.
///
/// The head is looked at twice and never more, however small the pieces it arrives in. First a scan
/// finds where it ends; it remembers how far it got. Then one pass over the whole head does the
/// rest, so no view outlives a buffer that had to grow.
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "conciergus/codec/http1_grammar.hpp"

namespace conciergus::codec {

struct Http1Limits {
  std::size_t line_bytes =
      16'384;  ///< Request line, status line or one field line; else 414 or 431.
  std::size_t head_bytes = 32'768;   ///< From the first byte to the empty line; else 431.
  std::size_t target_bytes = 8'192;  ///< Request target; else 414.
  std::size_t fields = 100;          ///< Else 431.
};

enum class HeadStatus : std::uint8_t { kComplete, kNeedMore, kError };

/// What a message head says about its body and its connection.
struct Framing {
  std::optional<std::uint64_t> content_length;
  bool chunked = false;      ///< Transfer-Encoding is exactly `chunked`.
  bool keep_alive = true;    ///< The sender wants the connection to stay open after this message.
  bool has_upgrade = false;  ///< HTTP/1.1 with Upgrade and `Connection: upgrade`.
};

/// Views point into the buffer given to RequestParser::parse().
struct RequestHead : Framing {
  std::string_view method;
  std::string_view
      target;  ///< As sent: origin form, absolute form, authority form (CONNECT) or `*`.
  /// The Host field, which the authority of an absolute form equals; empty only in HTTP/1.0.
  std::string_view host;
  unsigned minor_version = 1;  ///< 0 or 1.
  bool expect_continue = false;
  std::vector<Field> fields;

  bool has_body() const noexcept { return chunked || content_length.value_or(0) > 0; }
};

enum class BodyKind : std::uint8_t { kNone, kLength, kChunked, kUntilClose };

/// Views point into the buffer given to ResponseParser::parse().
struct ResponseHead : Framing {
  unsigned status = 0;  ///< 100 to 599.
  std::string_view reason;
  unsigned minor_version = 1;
  BodyKind body = BodyKind::kNone;  ///< Takes the request method and the status into account.
  std::vector<Field> fields;

  bool is_interim() const noexcept { return status < 200 && status != 101; }
};

/// Finds the end of a head, in time linear in its size over all calls.
class HeadScanner {
 public:
  /// `buffer` starts where it did in the last call and holds at least as much.
  HeadStatus scan(std::string_view buffer, const Http1Limits& limits, Http1Error& error) noexcept;
  /// Bytes up to and including the empty line, once complete.
  std::size_t head_size() const noexcept { return line_; }

 private:
  std::size_t line_ = 0;     // start of the first line whose end has not been seen
  std::size_t scanned_ = 0;  // no line feed in [line_, scanned_)
  unsigned lines_ = 0;       // lines seen, without an empty one at the start
};

/// One connection's requests, one after the other. Belongs to that connection.
class RequestParser {
 public:
  explicit RequestParser(const Http1Limits& limits = {}) : limits_(limits) {}

  /// `buffer` is everything received since the message began: contiguous, free to have moved since
  /// the last call. After kComplete or kError call reset() before the next message.
  HeadStatus parse(std::string_view buffer);

  /// After kComplete; valid until reset() and as long as the buffer is.
  const RequestHead& head() const noexcept { return head_; }
  /// After kComplete: size of the head, where the body begins.
  std::size_t consumed() const noexcept { return scanner_.head_size(); }
  /// After kError. Answer with its status and close the connection.
  const Http1Error& error() const noexcept { return error_; }
  /// Ready for the next message; keeps its memory.
  void reset() noexcept;

 private:
  bool parse_head(std::string_view message);
  const char* parse_request_line(std::string_view message);
  bool check_target(std::string_view message);

  Http1Limits limits_;
  HeadScanner scanner_;
  RequestHead head_;
  Http1Error error_;
};

/// One connection's responses. Belongs to that connection. Every error has the status 502.
class ResponseParser {
 public:
  explicit ResponseParser(const Http1Limits& limits = {}) : limits_(limits) {}

  /// As RequestParser::parse(). `request_method` is that of the request being answered.
  HeadStatus parse(std::string_view buffer, std::string_view request_method);

  const ResponseHead& head() const noexcept { return head_; }
  std::size_t consumed() const noexcept { return scanner_.head_size(); }
  const Http1Error& error() const noexcept { return error_; }
  /// Ready for the next message, which after an interim response is the next one on the wire.
  void reset() noexcept;

 private:
  bool parse_head(std::string_view message, std::string_view request_method);
  const char* parse_status_line(std::string_view message);

  Http1Limits limits_;
  HeadScanner scanner_;
  ResponseHead head_;
  Http1Error error_;
};

/// True for `uri-host [":" port]` with a host and, after a colon, one to five digits up to 65535:
/// no user information, path, space or percent-encoding.
bool is_valid_authority(std::string_view text) noexcept;

}  // namespace conciergus::codec

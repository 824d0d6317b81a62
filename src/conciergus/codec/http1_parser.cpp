#include "conciergus/codec/http1_parser.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "conciergus/base/text.hpp"
#include "conciergus/codec/http1_framing.hpp"

namespace conciergus::codec {
namespace {

constexpr std::string_view kEmptyLine = "\r\n";

/// The minor version of `HTTP/1.x` at `at`, where eight bytes are; nothing if it is no HTTP
/// version, 9 if it is one we do not speak.
std::optional<unsigned> parse_version(const char* at) noexcept {
  if (std::memcmp(at, "HTTP/", 5) != 0 || !grammar::is_digit(at[5]) || at[6] != '.' ||
      !grammar::is_digit(at[7])) {
    return std::nullopt;
  }
  if (at[5] != '1' || at[7] > '1') return 9;
  return static_cast<unsigned>(at[7] - '0');
}

/// unreserved and sub-delims, RFC 3986 section 3.2.2; not percent, which could hide a delimiter
constexpr auto kHostTable = [] {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[c] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[c] = table[c - 'a' + 'A'] = true;
  for (const unsigned char c : std::string_view("-._~!$&'()*+,;=")) table[c] = true;
  return table;
}();

bool is_host_char(char c) noexcept {
  return kHostTable[static_cast<unsigned char>(c)];
}

bool is_address_literal_char(char c) noexcept {
  return (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || grammar::is_digit(c) || c == ':' ||
         c == '.';
}

/// The authority of an `http://` or `https://` target; nothing for other targets.
std::optional<std::string_view> authority_of(std::string_view target) noexcept {
  const auto colon = target.find("://");
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view scheme = target.substr(0, colon);
  if (!iequals(scheme, "http") && !iequals(scheme, "https")) return std::nullopt;
  const std::string_view rest = target.substr(colon + 3);
  return rest.substr(0, rest.find_first_of("/?"));
}

/// Empties a head, but keeps the memory of its fields.
template <class Head>
void clear(Head& head) noexcept {
  auto fields = std::move(head.fields);
  fields.clear();
  head = {};
  head.fields = std::move(fields);
}

}  // namespace

bool is_valid_authority(std::string_view text) noexcept {
  std::size_t host_end = 0;
  if (text.starts_with('[')) {
    host_end = text.find(']');
    if (host_end == std::string_view::npos || host_end < 3) return false;
    if (!std::ranges::all_of(text.substr(1, host_end - 1), is_address_literal_char)) return false;
    ++host_end;
  } else {
    host_end = std::min(text.find(':'), text.size());
    if (host_end == 0 || !std::ranges::all_of(text.substr(0, host_end), is_host_char)) return false;
  }
  if (host_end == text.size()) return true;
  const std::string_view port = text.substr(host_end + 1);
  if (text[host_end] != ':' || port.size() > 5) return false;
  const auto number = parse_decimal(port);
  return number && *number <= 65535;
}

HeadStatus HeadScanner::scan(std::string_view buffer,
                             const Http1Limits& limits,
                             Http1Error& error) noexcept {
  for (;;) {
    const void* const found =
        scanned_ < buffer.size()
            ? std::memchr(buffer.data() + scanned_, '\n', buffer.size() - scanned_)
            : nullptr;
    const std::size_t reached =
        found ? static_cast<std::size_t>(static_cast<const char*>(found) - buffer.data()) + 1
              : buffer.size();
    // Whichever limit comes first on the wire, so that the answer does not depend on the pieces.
    if (reached > std::min(line_ + limits.line_bytes, limits.head_bytes)) {
      if (line_ + limits.line_bytes > limits.head_bytes) {
        error = {431, "header section too large", limits.head_bytes};
      } else if (lines_ == 0) {
        error = {414, "first line too long", line_ + limits.line_bytes};
      } else {
        error = {431, "field line too long", line_ + limits.line_bytes};
      }
      return HeadStatus::kError;
    }
    scanned_ = reached;
    if (found == nullptr) return HeadStatus::kNeedMore;

    const std::size_t size = reached - line_;
    if (size < 2 || buffer[reached - 2] != '\r') {
      error = {400, "line feed without carriage return", reached - 1};
      return HeadStatus::kError;
    }
    const bool is_leading = line_ == 0 && size == 2;
    line_ = reached;
    if (is_leading) continue;  // RFC 9112 section 2.2: one empty line before a request
    if (size == 2) return HeadStatus::kComplete;
    if (lines_++ > limits.fields) {
      error = {431, "too many fields", reached - size};
      return HeadStatus::kError;
    }
  }
}

void RequestParser::reset() noexcept {
  scanner_ = {};
  clear(head_);
}

HeadStatus RequestParser::parse(std::string_view buffer) {
  // Garbage, such as TLS on a plain port, is refused at its first byte instead of awaited to its
  // end.
  if (!buffer.empty() && !grammar::is_token_char(buffer[0]) && buffer[0] != '\r') {
    error_ = {400, "not a request line", 0};
    return HeadStatus::kError;
  }
  const HeadStatus status = scanner_.scan(buffer, limits_, error_);
  if (status != HeadStatus::kComplete) return status;
  return parse_head(buffer.substr(0, scanner_.head_size())) ? HeadStatus::kComplete
                                                            : HeadStatus::kError;
}

bool RequestParser::parse_head(std::string_view message) {
  const char* const fields = parse_request_line(message);
  FramingFields known;
  if (fields == nullptr || !parse_fields(message, fields, head_.fields, known, error_) ||
      !decide_framing(message, known, head_.minor_version, head_, error_)) {
    return false;
  }
  const auto refuse = [&](unsigned status, std::string_view what, std::string_view where) {
    error_ = {status, what, static_cast<std::size_t>(where.data() - message.data())};
    return false;
  };
  if (known.hosts > 1) return refuse(400, "more than one Host", known.host);
  if (known.hosts == 1) {
    if (!is_valid_authority(known.host)) return refuse(400, "malformed Host", known.host);
    head_.host = known.host;
  } else if (head_.minor_version == 1) {
    return refuse(400, "no Host", message.substr(message.size() - kEmptyLine.size()));
  }
  if (!known.expect.empty() && head_.minor_version == 1) {
    if (!iequals(known.expect, "100-continue"))
      return refuse(417, "unknown expectation", known.expect);
    head_.expect_continue = true;
  }
  return check_target(message);
}

const char* RequestParser::parse_request_line(std::string_view message) {
  const auto refuse = [&](unsigned status, std::string_view what, const char* where) {
    error_ = {status, what, static_cast<std::size_t>(where - message.data())};
    return nullptr;
  };
  // The head ends with two line ends, so loops that stop at '\r' need no other bound.
  const char* at = message.data() + (message.starts_with(kEmptyLine) ? kEmptyLine.size() : 0);
  const char* const method = at;
  while (grammar::is_token_char(*at)) ++at;
  if (at == method || *at != ' ') return refuse(400, "malformed method", at);
  head_.method = {method, at};

  const char* const target = ++at;
  while (*at > 0x20 && *at < 0x7f && *at != '#') ++at;  // char is signed: 80–FF fail the first
  head_.target = {target, at};
  if (head_.target.empty() || *at != ' ') return refuse(400, "malformed target", at);
  if (head_.target.size() > limits_.target_bytes) return refuse(414, "target too long", target);

  const char* const version = ++at;
  const auto line_end = std::string_view(at, message.end()).find('\r');
  const auto minor = line_end == 8 ? parse_version(version) : std::nullopt;
  if (!minor) return refuse(400, "malformed version", version);
  if (*minor > 1) return refuse(505, "unknown version", version);
  head_.minor_version = *minor;
  at += line_end;
  if (at[1] != '\n') return refuse(400, "carriage return without line feed", at);
  return at + 2;
}

bool RequestParser::check_target(std::string_view message) {
  const auto refuse = [&](std::string_view what) {
    error_ = {400, what, static_cast<std::size_t>(head_.target.data() - message.data())};
    return false;
  };
  const std::string_view target = head_.target;
  if (head_.method == "CONNECT") {
    return is_valid_authority(target) || refuse("CONNECT without an authority");
  }
  if (target.starts_with('/')) return true;
  if (target == "*") return head_.method == "OPTIONS" || refuse("asterisk without OPTIONS");
  const auto authority = authority_of(target);
  if (!authority || !is_valid_authority(*authority)) return refuse("malformed target");
  if (head_.host.empty()) head_.host = *authority;
  return iequals(*authority, head_.host) || refuse("target disagrees with Host");
}

void ResponseParser::reset() noexcept {
  scanner_ = {};
  clear(head_);
}

HeadStatus ResponseParser::parse(std::string_view buffer, std::string_view request_method) {
  HeadStatus status = HeadStatus::kError;
  if (!buffer.empty() && buffer[0] != 'H') {
    error_ = {502, "not a status line", 0};
  } else {
    status = scanner_.scan(buffer, limits_, error_);
    if (status == HeadStatus::kComplete &&
        !parse_head(buffer.substr(0, scanner_.head_size()), request_method)) {
      status = HeadStatus::kError;
    }
  }
  if (status == HeadStatus::kError) error_.status = 502;
  return status;
}

bool ResponseParser::parse_head(std::string_view message, std::string_view request_method) {
  const char* const fields = parse_status_line(message);
  FramingFields known;
  if (fields == nullptr || !parse_fields(message, fields, head_.fields, known, error_) ||
      !decide_framing(message, known, head_.minor_version, head_, error_)) {
    return false;
  }
  // RFC 9112 section 6.3, rules 1 to 8.
  if (request_method == "HEAD" || head_.status < 200 || head_.status == 204 ||
      head_.status == 304 || (request_method == "CONNECT" && head_.status < 300)) {
    head_.body = BodyKind::kNone;
  } else if (head_.chunked) {
    head_.body = BodyKind::kChunked;
  } else if (head_.content_length) {
    head_.body = *head_.content_length > 0 ? BodyKind::kLength : BodyKind::kNone;
  } else {
    head_.body = BodyKind::kUntilClose;
    head_.keep_alive = false;
  }
  return true;
}

const char* ResponseParser::parse_status_line(std::string_view message) {
  const auto refuse = [&](std::string_view what, const char* where) {
    error_ = {502, what, static_cast<std::size_t>(where - message.data())};
    return nullptr;
  };
  const char* at = message.data();
  const char* const end = at + message.size();
  if (message.find('\r') < 12) return refuse("status line too short", at);
  const auto minor = parse_version(at);
  if (!minor || *minor > 1) return refuse("unknown version", at);
  head_.minor_version = *minor;
  at += 8;
  if (*at != ' ') return refuse("malformed status line", at);
  ++at;
  const auto status = parse_decimal({at, 3});
  if (!status || *status < 100 || *status > 599) return refuse("malformed status", at);
  head_.status = static_cast<unsigned>(*status);
  at += 3;
  if (*at == ' ') {
    const char* const reason = ++at;
    at = grammar::find_value_end(at, end);
    head_.reason = {reason, at};
  }  // some servers leave the space out when there is no reason
  if (at[0] != '\r' || at[1] != '\n') return refuse("malformed status line", at);
  return at + 2;
}

}  // namespace conciergus::codec

#include "conciergus/http/http1_response.hpp"

#include "conciergus/base/text.hpp"
#include "conciergus/codec/http1_writer.hpp"

namespace conciergus::http {
namespace {

constexpr unsigned kSwitchingProtocols = 101;
constexpr unsigned kNoContent = 204;
constexpr unsigned kNotModified = 304;

enum class FieldKind : std::uint8_t { kPlain, kConnection, kUpgrade, kLength, kDate };

/// The names are told apart by their length first: nearly every field is plain.
FieldKind kind_of(std::string_view name) noexcept {
  switch (name.size()) {
    case 4:
      return iequals(name, "date") ? FieldKind::kDate : FieldKind::kPlain;
    case 7:
      return iequals(name, "upgrade") ? FieldKind::kUpgrade : FieldKind::kPlain;
    case 10:
      return iequals(name, "connection") || iequals(name, "keep-alive") ? FieldKind::kConnection
                                                                        : FieldKind::kPlain;
    case 14:
      return iequals(name, "content-length") ? FieldKind::kLength : FieldKind::kPlain;
    case 16:
      return iequals(name, "proxy-connection") ? FieldKind::kConnection : FieldKind::kPlain;
    case 17:
      return iequals(name, "transfer-encoding") ? FieldKind::kConnection : FieldKind::kPlain;
    default:
      return FieldKind::kPlain;
  }
}

bool has_no_body(unsigned status) noexcept {
  return status < 200 || status == kNoContent || status == kNotModified;
}

/// The length that a body would have had, where none follows.
std::optional<std::uint64_t> absent_length(const Response& response) noexcept {
  if (response.status < 200 || response.status == kNoContent) return std::nullopt;
  if (response.body.is_stream()) return response.body.size();
  if (!response.body.text().empty()) return response.body.text().size();
  return parse_decimal(response.headers.get("content-length"));
}

}  // namespace

Http1ResponsePlan plan_response(const Response& response, const Http1Exchange& exchange) noexcept {
  Http1ResponsePlan plan{.keep_alive = exchange.keep_alive};
  if (exchange.is_head || has_no_body(response.status)) return plan;
  if (const auto size = response.body.size()) {
    plan.framing = Http1BodyFraming::kLength;
    plan.length = *size;
  } else if (exchange.version == Version::kHttp10) {
    plan.framing = Http1BodyFraming::kUntilClose;
    plan.keep_alive = false;
  } else {
    plan.framing = Http1BodyFraming::kChunked;
  }
  return plan;
}

Result<void> write_response_head(std::string& out,
                                 const Response& response,
                                 const Http1Exchange& exchange,
                                 const Http1ResponsePlan& plan,
                                 std::string_view date) {
  codec::HeadWriter head(out);
  head.status(response.status);
  const bool is_upgrade = response.status == kSwitchingProtocols;
  for (const auto field : response.headers) {
    switch (kind_of(field.name)) {
      case FieldKind::kConnection:
      case FieldKind::kLength:
        continue;
      case FieldKind::kUpgrade:
        if (!is_upgrade) continue;
        break;
      case FieldKind::kDate:
        date = {};
        break;
      case FieldKind::kPlain:
        break;
    }
    head.field(field.name, field.value);
  }
  if (!date.empty()) head.field("date", date);

  if (plan.framing == Http1BodyFraming::kLength) {
    head.field("content-length", plan.length);
  } else if (plan.framing == Http1BodyFraming::kChunked) {
    head.field("transfer-encoding", "chunked");
  } else if (plan.framing == Http1BodyFraming::kNone) {
    if (const auto length = absent_length(response)) head.field("content-length", *length);
  }

  if (is_upgrade) {
    head.field("connection", "upgrade");
  } else if (!plan.keep_alive) {
    head.field("connection", "close");
  } else if (exchange.version == Version::kHttp10) {
    head.field("connection", "keep-alive");
  }
  return head.finish();
}

Result<void> write_interim_head(std::string& out, unsigned status, const Headers& headers) {
  codec::HeadWriter head(out);
  head.status(status);
  for (const auto field : headers) {
    if (kind_of(field.name) == FieldKind::kPlain) head.field(field.name, field.value);
  }
  return head.finish();
}

}  // namespace conciergus::http

#include "conciergus/codec/http1_framing.hpp"

#include <limits>

#include "conciergus/base/text.hpp"
#include "conciergus/codec/list.hpp"

namespace conciergus::codec {
namespace {

void note_connection_options(std::string_view list, FramingFields& known) noexcept {
  while (const auto option = take_element(list)) {
    if (iequals(*option, "close")) {
      known.close_option = true;
    } else if (iequals(*option, "keep-alive")) {
      known.keep_alive_option = true;
    } else if (iequals(*option, "upgrade")) {
      known.upgrade_option = true;
    }
  }
}

void note(const Field& field, FramingFields& known) noexcept {
  switch (field.name.size()) {  // most fields are told from the known ones by their length
    case 4:
      if (iequals(field.name, "host")) {
        ++known.hosts;
        known.host = field.value;
      }
      break;
    case 6:
      if (iequals(field.name, "expect")) known.expect = field.value;
      break;
    case 7:
      if (iequals(field.name, "upgrade")) known.upgrade = true;
      break;
    case 10:
      if (iequals(field.name, "connection")) note_connection_options(field.value, known);
      break;
    case 14:
      if (iequals(field.name, "content-length")) {
        ++known.lengths;
        known.length = field.value;
      } else if (iequals(field.name, "content_length")) {
        known.lookalike = field.name;
      }
      break;
    case 17:
      if (iequals(field.name, "transfer-encoding")) {
        ++known.codings;
        known.coding = field.value;
      } else if (iequals(field.name, "transfer_encoding")) {
        known.lookalike = field.name;
      }
      break;
    default:
      break;
  }
}

/// 0 for `chunked`; 501 for a list of codings that we do not know but which frames its body, as far
/// as can be told; 400 for everything else.
unsigned judge_coding(std::string_view value) noexcept {
  if (iequals(value, "chunked")) return 0;
  bool chunked_seen = false;
  bool any = false;
  while (const auto coding = take_element(value)) {
    if (!grammar::is_token(*coding) || chunked_seen) return 400;
    chunked_seen = iequals(*coding, "chunked");
    any = true;
  }
  return any ? 501 : 400;
}

}  // namespace

bool parse_fields(std::string_view message,
                  const char* at,
                  std::vector<Field>& fields,
                  FramingFields& known,
                  Http1Error& error) {
  const char* const end = message.data() + message.size() - 2;  // the empty line
  Field field;
  while (at != end) {
    at = grammar::parse_field_line(
        message.data(), at, message.data() + message.size(), field, error);
    if (at == nullptr) return false;
    fields.push_back(field);
    note(field, known);
  }
  return true;
}

bool decide_framing(std::string_view message,
                    const FramingFields& known,
                    unsigned minor_version,
                    Framing& framing,
                    Http1Error& error) noexcept {
  const auto refuse = [&](unsigned status, std::string_view what, std::string_view where) {
    error = {status, what, static_cast<std::size_t>(where.data() - message.data())};
    return false;
  };
  if (!known.lookalike.empty()) {
    return refuse(400, "framing field with an underscore", known.lookalike);
  }
  if (known.codings > 0) {
    if (minor_version == 0) return refuse(400, "Transfer-Encoding in HTTP/1.0", known.coding);
    if (known.lengths > 0) {
      return refuse(400, "Content-Length together with Transfer-Encoding", known.coding);
    }
    if (known.codings > 1) return refuse(400, "more than one Transfer-Encoding", known.coding);
    if (const unsigned status = judge_coding(known.coding); status != 0) {
      return refuse(status, "Transfer-Encoding other than chunked", known.coding);
    }
    framing.chunked = true;
  }
  if (known.lengths > 1) return refuse(400, "more than one Content-Length", known.length);
  if (known.lengths == 1) {
    constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();
    framing.content_length = parse_decimal(known.length);
    if (!framing.content_length || *framing.content_length > kMax) {
      return refuse(400, "Content-Length is not a number of bytes", known.length);
    }
  }
  framing.keep_alive = !known.close_option && (minor_version == 1 || known.keep_alive_option);
  framing.has_upgrade = minor_version == 1 && known.upgrade && known.upgrade_option;
  return true;
}

}  // namespace conciergus::codec

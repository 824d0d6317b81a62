/// Small field values: dates, trace context, Cache-Control, negotiation, percent-encoding. Oracle:
/// what is understood, written again, is understood as the same.
#include <chrono>
#include <string>

#include "conciergus/codec/accept.hpp"
#include "conciergus/codec/cache_control.hpp"
#include "conciergus/codec/http_date.hpp"
#include "conciergus/codec/percent.hpp"
#include "conciergus/codec/traceparent.hpp"
#include "fuzz.hpp"

using namespace conciergus;
using fuzz::require;

namespace {

void check_date(std::string_view text) {
  const auto now = std::chrono::sys_days(std::chrono::year(2026) / 11 / 22);
  const auto date = codec::parse_http_date(text, now);
  if (date) require(codec::parse_http_date(codec::format_http_date(*date), now) == date);
}

void check_trace(std::string_view text) {
  if (const auto parent = codec::parse_traceparent(text)) {
    const std::string written = codec::format_traceparent(*parent);
    require(written.size() == 55 && written.substr(0, 53).substr(2) == text.substr(2, 51));
  }
  const std::string state = codec::update_tracestate({&text, 1}, "us", "1");
  require(state.starts_with("us=1") && state.size() <= 512);
  const std::string_view view = state;
  require(codec::update_tracestate({&view, 1}, "us", "1") == state);
}

void check_cache_control(std::string_view text) {
  codec::CacheControlRequest request;
  request.add(text);
  if (request.max_age)
    require(request.max_age->count() >= 0 && request.max_age->count() <= 1LL << 31);
  codec::is_pragma_no_cache(text);
}

void check_negotiation(std::string_view text) {
  using enum codec::ContentCoding;
  constexpr codec::ContentCoding kOffered[] = {kBrotli, kZstd, kGzip, kIdentity};
  const auto chosen = codec::choose_coding(text, kOffered);
  if (chosen) {
    for (const auto other : kOffered) {
      require(codec::coding_quality(text, other) <= codec::coding_quality(text, *chosen));
    }
  }
  require(codec::media_type_quality(text, "image/avif") <= codec::kFullQuality);
}

void check_percent(std::string_view text) {
  require(codec::percent_decode(codec::percent_encode(text)) == text);
  if (const auto path = codec::decode_path(text)) {
    require(path->starts_with('/') && (*path + "/").find("/../") == std::string::npos);
    require(path->find('\0') == std::string::npos && path->find('\\') == std::string::npos);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::ExactCopy copy({reinterpret_cast<const char*>(data), size});
  check_date(copy.view());
  check_trace(copy.view());
  check_cache_control(copy.view());
  check_negotiation(copy.view());
  check_percent(copy.view());
  return 0;
}

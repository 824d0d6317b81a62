#include "conciergus/http/event_stream.hpp"

#include "conciergus/base/text.hpp"

namespace conciergus::http {

bool is_event_stream(const Headers& headers) noexcept {
  const auto content_type = headers.get("content-type");
  const auto type = trim(content_type.substr(0, content_type.find(';')));
  return iequals(type, "text/event-stream") || iequals(type, "application/x-ndjson") ||
         headers.contains("x-vercel-ai-ui-message-stream") ||
         iequals(headers.get("x-accel-buffering"), "no");
}

void mark_event_stream(Headers& headers) {
  if (!headers.has_token("cache-control", "no-transform")) {
    const auto before = headers.joined("cache-control");
    headers.set("cache-control",
                before.empty() ? "no-cache, no-transform" : before + ", no-transform");
  }
  headers.set("x-accel-buffering", "no");
}

}  // namespace conciergus::http

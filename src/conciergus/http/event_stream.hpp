#pragma once
/// Answers that come in pieces over time and must not be held back anywhere.
#include "conciergus/http/headers.hpp"

namespace conciergus::http {

/// Server-sent events, NDJSON, the AI SDK's message stream, or what says so by X-Accel-Buffering.
bool is_event_stream(const Headers& headers) noexcept;

/// Tells later proxies and compressors to leave the stream alone: Cache-Control gets no-transform
/// (rewrites of Next.js hold back compressible streams without it), and X-Accel-Buffering is "no".
void mark_event_stream(Headers& headers);

}  // namespace conciergus::http

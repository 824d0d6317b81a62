#pragma once
/// A recorded answer as the client asked for it: stream or whole, in its own protocol.
#include <string>

#include "conciergus/http/message.hpp"
#include "conciergus/llm/response_cache.hpp"
#include "conciergus/llm/stream_encoder.hpp"

namespace conciergus::llm {

struct HitView {
  Protocol client = Protocol::kChatCompletions;
  bool is_stream = false;
  bool strips_usage = false;
  EncoderOptions encoder;
  std::string signal;  ///< JSON for a UI stream's private signal, or empty.
};

/// The body. In the protocol of the record it is the record's own bytes, shared and not copied.
http::Body render_hit(const ResponseCache::Hit& hit, const HitView& view);

}  // namespace conciergus::llm

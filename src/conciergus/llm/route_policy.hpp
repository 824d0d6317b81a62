#pragma once
/// What a route decides about time, caching and clients that leave, and what a client may ask for
/// in its stead. Pure.
#include <string>

#include "conciergus/base/result.hpp"
#include "conciergus/http/headers.hpp"
#include "conciergus/llm/llm_config.hpp"

namespace conciergus::llm {

struct RoutePolicy {
  LlmTimeouts timeouts;
  LlmCacheConfig cache;
  DisconnectPolicy on_disconnect = DisconnectPolicy::kCancel;

  /// What `model` sets, and for the rest what holds for all.
  static RoutePolicy of(const LlmConfig& config, const ModelConfig& model);
};

/// Obeys the fields of a request that are about its time, for us alone and so never sent on:
///   x-conciergus-cache-ttl: seconds
///   x-conciergus-timeout-connect|headers|first-content|stall|total: milliseconds
/// They shorten only: what is longer than the route's own has no effect. kInvalidRequest, naming
/// the field, unless they are whole numbers above 0; `policy` is then not to be used.
Result<void> tighten(RoutePolicy& policy, const http::Headers& headers);

/// All that tighten() sees of `headers`, as one text; empty for most requests.
std::string limit_fields(const http::Headers& headers);

}  // namespace conciergus::llm

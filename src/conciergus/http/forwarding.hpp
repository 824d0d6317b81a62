#pragma once
/// What a reverse proxy tells the application of the connection it answers on: Forwarded (RFC
/// 7239), its older relatives, and Via (RFC 9110 section 7.6.3).
#include <string>

#include "conciergus/http/message.hpp"
#include "conciergus/http/request_context.hpp"

namespace conciergus::http {

/// True for fields that add_forwarding() writes itself, and for those that applications trust
/// likewise: a client's own are never passed on as they are.
bool is_forwarding_field(std::string_view name) noexcept;

/// Adds Forwarded and X-Forwarded-For, -Proto and -Host to `out`, which has none yet. What the
/// request says already is believed, and extended, only if the peer is a trusted proxy: then the
/// context's client address is not the peer's own.
void add_forwarding(Headers& out, const RequestContext& context, const Request& request);

/// "1.1 conciergus" behind what is there.
void add_via(Headers& headers, Version received);

}  // namespace conciergus::http

#pragma once
/// Validators of things that are served as they are. RFC 9110 sections 8.8.3 and 13.1.2.
#include <string_view>

#include "conciergus/http/message.hpp"

namespace conciergus::gateway {

/// Whether the client holds `etag` (with its quotes) already: answer 304. Weak comparison.
bool is_not_modified(const http::Request& request, std::string_view etag);

/// By the name's ending; "application/octet-stream" for unknown ones.
std::string_view content_type_of(std::string_view path);

}  // namespace conciergus::gateway

#pragma once
/// Limits of the HTTP server. Each refusal has a status of its own and is counted.
#include <chrono>
#include <cstdint>

#include "conciergus/codec/http1_body.hpp"
#include "conciergus/codec/http1_parser.hpp"
#include "conciergus/codec/http2_session.hpp"
#include "conciergus/net/connection_limiter.hpp"

namespace conciergus::http {

struct ServerConfig {
  net::ConnectionLimits connections{};
  codec::Http1Limits head{};
  codec::ChunkLimits chunks{};
  codec::Http2Limits http2{};

  std::chrono::milliseconds head_timeout{10'000};  ///< From the first byte of a head to its end.
  std::chrono::milliseconds head_idle_timeout{5'000};           ///< Between two pieces of a head.
  std::chrono::milliseconds keep_alive_timeout{75'000};         ///< Between two requests.
  std::chrono::milliseconds http2_keep_alive_timeout{180'000};  ///< Without an open stream.
  std::chrono::milliseconds body_idle_timeout{30'000};          ///< Between two pieces of a body.
  std::uint32_t min_body_rate = 1'024;  ///< Bytes a second in the long run; 0 switches it off.
  std::chrono::milliseconds body_grace{5'000};  ///< How long a body may be slower than that.
  /// For each 64 KiB of a response to be taken by the client.
  std::chrono::milliseconds write_timeout{30'000};
  std::chrono::milliseconds handshake_timeout{10'000};  ///< TLS.
  /// How long a connection that is being closed waits for the client to close its side.
  std::chrono::milliseconds linger{2'000};
  std::uint32_t max_requests_per_connection = 10'000;  ///< Then it is closed in order.
  std::uint32_t max_drained_body =
      65'536;  ///< Unread bytes of a body read away to keep a connection.

  /// Left to streams for their last words when a drain has taken its time.
  std::chrono::milliseconds farewell{1'000};
  bool show_error_detail = false;  ///< In error pages; for development.
};

}  // namespace conciergus::http

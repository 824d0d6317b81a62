#pragma once
/// What travels with a request through the chain besides the message itself.
#include <string>
#include <string_view>
#include <vector>

#include "conciergus/base/deadline.hpp"
#include "conciergus/http/message.hpp"
#include "conciergus/net/stream.hpp"
#include "conciergus/observe/trace.hpp"
#include "conciergus/runtime/shard.hpp"

namespace conciergus::http {

class DrainSignal;

/// One stage for the Server-Timing field: {"cache", 0.4 ms, "l1-hit"}.
struct Timing {
  std::string_view name;     ///< A literal.
  double milliseconds = -1;  ///< Left out when negative.
  std::string description;
};

/// What the access log and the metrics tell of a request, filled in on the way. Empty text is left
/// out.
struct RequestNotes {
  std::string_view route =
      "none";  ///< A name of the configuration or a literal: it is a metric label.
  std::string upstream;
  std::string model;
  std::string cache;   ///< The member for Cache-Status, without "conciergus; ".
  std::string tenant;  ///< A public name or hash, never a credential.
  std::uint64_t input_tokens = 0;
  std::uint64_t output_tokens = 0;
  double cost = 0;
  std::string error;  ///< Code of the error that was answered.
};

/// Belongs to the request's shard; lives until the response has been sent.
struct RequestContext {
  runtime::Shard& shard;
  const net::Endpoint& peer;     ///< Of the connection.
  std::string client_address{};  ///< Of the client, behind trusted proxies too.
  Clock::Instant started;
  Deadline deadline{};
  InterimSink* interim = nullptr;
  DrainSignal* drain = nullptr;  ///< Tells streams of the server's shutdown; null without a server.
  std::string request_id{};
  observe::TraceId trace_id{};
  observe::SpanId span_id{};      ///< Ours.
  observe::SpanId parent_span{};  ///< The caller's, if it sent one.
  bool is_sampled = false;
  std::string trace_state{};                   ///< As it goes on to upstreams.
  std::vector<std::string> path_parameters{};  ///< Of the route's pattern, decoded, in its order.
  std::string scope{};  ///< Tenant scope that the server derived; empty: nothing may be shared.
  std::vector<Timing> timings{};
  RequestNotes notes{};
};

}  // namespace conciergus::http

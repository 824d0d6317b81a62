#include "conciergus/http/trace_middleware.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "conciergus/codec/traceparent.hpp"

namespace conciergus::http {
namespace {

void start(RequestContext& context, const Request& request) {
  auto& random = context.shard.random();
  const auto received = codec::parse_traceparent(request.headers.get("traceparent"));
  const auto own = received ? codec::continue_trace(*received, random)
                            : codec::start_trace(random, /*is_sampled=*/false);
  context.trace_id.bytes = own.trace_id;
  context.span_id.bytes = own.span_id;
  context.is_sampled = own.is_sampled();
  if (received) {
    context.parent_span.bytes = received->span_id;
    const auto states = request.headers.find_all("tracestate");
    if (!states.empty()) context.trace_state = codec::update_tracestate(states, "", "");
  }
}

/// Milliseconds with a thousandth; whole numbers are a tenth of the cost of floating point.
void append_duration(std::string& out, double milliseconds) {
  const auto micros = static_cast<std::uint64_t>(std::max(milliseconds, 0.0) * 1'000);
  fmt::format_to(std::back_inserter(out), ";dur={}.{:03}", micros / 1'000, micros % 1'000);
}

/// A quoted string, RFC 9110 section 5.6.4; descriptions may hold names from outside.
void append_description(std::string& out, std::string_view text) {
  out += ";desc=\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c >= ' ' && c <= '~') out += c;
  }
  out += '"';
}

}  // namespace

std::string server_timing(const RequestContext& context, Clock::Instant now) {
  std::string out;
  for (const auto& timing : context.timings) {
    out.append(timing.name);
    if (!timing.description.empty()) append_description(out, timing.description);
    if (timing.milliseconds >= 0) append_duration(out, timing.milliseconds);
    out += ", ";
  }
  out += "total";
  append_duration(out, std::chrono::duration<double, std::milli>(now - context.started).count());
  return out;
}

Task<Result<Response>> TraceMiddleware::handle(RequestContext& context,
                                               Request& request,
                                               Next next) const {
  start(context, request);
  auto response = co_await next.run(context, request);
  if (!response) co_return response;
  auto& headers = response->headers;
  headers.set("x-request-id", context.request_id);
  headers.add("server-timing", server_timing(context, context.shard.now()));
  if (context.parent_span.is_valid()) {
    headers.set(
        "traceparent",
        codec::format_traceparent(
            {.trace_id = context.trace_id.bytes,
             .span_id = context.span_id.bytes,
             .flags = context.is_sampled ? codec::TraceParent::kSampled : std::uint8_t{0}}));
  }
  co_return response;
}

}  // namespace conciergus::http

#include "conciergus/http/proxy_handler.hpp"

#include "conciergus/base/text.hpp"
#include "conciergus/codec/traceparent.hpp"
#include "conciergus/http/event_stream.hpp"
#include "conciergus/http/forwarding.hpp"
#include "conciergus/http/hop_by_hop.hpp"
#include "conciergus/http/tunnel.hpp"

namespace conciergus::http {
namespace {

/// A request's body as the client's: it is valid for as long as the exchange.
class BorrowedBody final : public BodyReader {
 public:
  explicit BorrowedBody(BodyReader& body) noexcept : body_(body) {}
  Task<Result<std::string_view>> read() override { return body_.read(); }
  std::optional<std::uint64_t> size() const noexcept override { return body_.size(); }
  const Headers* trailers() const noexcept override { return body_.trailers(); }

 private:
  BodyReader& body_;
};

/// Ours to set; a client that sends them means to be somebody else.
bool is_internal_field(std::string_view name) noexcept {
  constexpr std::string_view kPrefix = "x-conciergus-";
  return name.size() > kPrefix.size() && iequals(name.substr(0, kPrefix.size()), kPrefix);
}

/// The protocol that the client wants to change to; empty for none. h2c is for us to refuse.
std::string_view wanted_upgrade(const Request& request) noexcept {
  if (request.version != Version::kHttp11 || !request.headers.has_token("connection", "upgrade")) {
    return {};
  }
  const auto protocol = request.headers.get("upgrade");
  return iequals(protocol, "h2c") ? std::string_view() : protocol;
}

/// From absolute to origin form.
std::string_view origin_form(std::string_view target) noexcept {
  const auto scheme_end = target.find("://");
  if (target.starts_with('/') || scheme_end == target.npos) return target;
  const auto path_at = target.find('/', scheme_end + 3);
  return path_at == target.npos ? std::string_view("/") : target.substr(path_at);
}

void add_trace(Headers& headers, const RequestContext& context) {
  if (!context.trace_id.is_valid()) return;
  const std::uint8_t flags = context.is_sampled ? codec::TraceParent::kSampled : 0;
  headers.add("traceparent",
              codec::format_traceparent({context.trace_id.bytes, context.span_id.bytes, flags}));
  if (!context.trace_state.empty()) headers.add("tracestate", context.trace_state);
}

}  // namespace

ProxyHandler::ProxyHandler(ClientSet& clients, ProxyConfig config)
    : clients_(clients), config_(std::move(config)) {}

Task<Result<Response>> ProxyHandler::handle(RequestContext& context, Request& request) const {
  if (request.method == "CONNECT") {
    co_return fail(ErrorCode::kInvalidRequest, "this is no proxy to other servers");
  }
  context.notes.upstream = config_.origin.authority();
  CallReport report;
  CallLimits limits;
  limits.deadline = context.deadline;
  auto response =
      co_await clients_.on(context.shard)
          .send(config_.origin, make_request(context, request), limits, context.interim, &report);
  if (report.head_ms >= 0) context.timings.push_back({"app", report.head_ms, {}});
  if (response) finish(*response, context.shard);
  co_return response;
}

ClientRequest ProxyHandler::make_request(const RequestContext& context,
                                         const Request& request) const {
  ClientRequest out;
  out.method = request.method;
  const auto target = origin_form(request.target);
  out.target = target.starts_with('/') ? config_.base_path + std::string(target) : target;
  if (config_.preserve_host) out.host = request.authority;
  out.upgrade = wanted_upgrade(request);

  const HopByHop hop_by_hop(request.headers);
  out.headers.reserve(request.headers.size() + 8, request.headers.text_size() + 512);
  for (const auto field : request.headers) {
    if (hop_by_hop.contains(field.name) || is_forwarding_field(field.name) ||
        is_internal_field(field.name) || iequals(field.name, "traceparent") ||
        iequals(field.name, "tracestate") || iequals(field.name, "x-request-id")) {
      continue;
    }
    out.headers.add(field.name, field.value);
  }
  if (request.headers.has_token("te", "trailers")) out.headers.add("te", "trailers");
  add_forwarding(out.headers, context, request);
  add_via(out.headers, request.version);
  add_trace(out.headers, context);
  if (!context.request_id.empty()) out.headers.add("x-request-id", context.request_id);
  if (request.body != nullptr && request.body->size() != 0u) {
    out.body = Body(std::make_unique<BorrowedBody>(*request.body));
  }
  return out;
}

void ProxyHandler::finish(Response& response, runtime::Shard& shard) const {
  if (response.status == 101) {
    auto carry = [&shard, idle = config_.tunnel_idle, upstream = take_upgraded(response)](
                     net::Stream& client, std::string early) mutable {
      return run_tunnel(shard, client, std::move(early), std::move(upstream), idle);
    };
    response.tunnel = std::move(carry);
    response.body = {};
    add_via(response.headers, Version::kHttp11);
    return;
  }
  const HopByHop hop_by_hop(response.headers);
  Headers headers;
  headers.reserve(response.headers.size() + 3, response.headers.text_size() + 128);
  for (const auto field : response.headers) {
    if (!hop_by_hop.contains(field.name)) headers.add(field.name, field.value);
  }
  add_via(headers, Version::kHttp11);
  if (config_.mark_streams && is_event_stream(headers)) mark_event_stream(headers);
  response.headers = std::move(headers);
}

}  // namespace conciergus::http

#include "conciergus/llm/chat_handler.hpp"

#include <array>

#include "conciergus/codec/traceparent.hpp"
#include "conciergus/llm/delivery.hpp"
#include "conciergus/llm/error_reply.hpp"
#include "conciergus/llm/failure_response.hpp"
#include "conciergus/llm/sha256.hpp"

namespace conciergus::llm {
namespace {

/// Values of the fields that decide how a request is understood, in a fixed order.
std::array<std::string_view, 8> deciding_values(const http::Headers& headers,
                                                std::string_view limits) {
  std::array<std::string_view, 8> values;
  std::size_t i = 0;
  for (const std::string_view name : forwarded_headers()) values[i++] = headers.get(name);
  values[i++] = headers.get("cache-control");
  values[i] = limits;
  return values;
}

std::string trace_parent(const http::RequestContext& context) {
  if (!context.trace_id.is_valid() || !context.span_id.is_valid()) return {};
  return codec::format_traceparent(
      {.trace_id = context.trace_id.bytes,
       .span_id = context.span_id.bytes,
       .flags = context.is_sampled ? codec::TraceParent::kSampled : std::uint8_t{0}});
}

UpstreamHead upstream_head(const http::RequestContext& context, const http::Request& request) {
  UpstreamHead head;
  for (const std::string_view name : forwarded_headers()) {
    if (const auto value = request.headers.find(name)) head.headers.add(name, *value);
  }
  head.client_credential = credential(request.headers);
  head.trace_parent = trace_parent(context);
  return head;
}

/// A body that could not be read; nothing when the client has gone.
std::optional<Failure> unreadable(const Error& error) {
  switch (error.code()) {
    case ErrorCode::kTooLarge:
      return make_failure(413, "request_too_large", "The request is larger than allowed.");
    case ErrorCode::kTimeout:
      return make_failure(408, "request_timeout", "The request took too long to arrive.");
    default:
      return std::nullopt;
  }
}

Delivery delivery_of(Protocol client, const Understood& understood) {
  return {.client = client,
          .is_stream = understood.is_stream,
          .strips_usage = understood.strips_usage,
          .stream = {},
          .from = 0,
          .cache = {},
          .served = Served::kHit,
          .deadline = {}};
}

/// A call ends when its leader's time is up: it is shared by those who wait as long.
CacheKey flight_key(const CacheKey& key, const LlmTimeouts& timeouts) {
  static_assert(std::has_unique_object_representations_v<LlmTimeouts>);
  const std::string_view parts[]{key.view(),
                                 {reinterpret_cast<const char*>(&timeouts), sizeof(timeouts)}};
  return sha256(parts);
}

CacheStatus hit_status(const ResponseCache::Hit& hit) {
  return {.how = CacheStatus::How::kHit, .ttl = hit.ttl, .stored = false, .detail = {}};
}

}  // namespace

Task<Result<http::Response>> ChatHandler::handle(http::RequestContext& context,
                                                 http::Request& request) const {
  auto body = co_await http::read_all(*request.body, engine_->config().max_request_bytes);
  if (!body) {
    const auto failure = unreadable(body.error());
    if (!failure) co_return std::unexpected(std::move(body).error());
    co_return refuse(*engine_, protocol_, *failure, context, request);
  }
  const std::string limits = limit_fields(request.headers);
  const auto values = deciding_values(request.headers, limits);
  const CacheKey digest = llm::digest({.generation = engine_->generation(),
                                       .protocol = protocol_,
                                       .scope = context.scope,
                                       .body = *body,
                                       .headers = values});
  // The way of a repeated question: a hash and a look, no parsing.
  bool was_looked_up = false;
  if (const Understood* const found = engine_->on(context.shard).memo().find(digest);
      found && found->decision.may_look_up && !request.headers.contains("last-event-id")) {
    const Understood known = *found;
    const auto hit = co_await engine_->cache().look_up(known.key, known.decision, context.deadline);
    if (hit) {
      Delivery delivery = delivery_of(protocol_, known);
      delivery.cache = hit_status(*hit);
      co_return deliver_hit(*engine_, context, request, *hit, delivery);
    }
    was_looked_up = true;
  }
  co_return co_await answer(context, request, *std::move(body), digest, was_looked_up);
}

Task<Result<http::Response>> ChatHandler::answer(http::RequestContext& context,
                                                 http::Request& request,
                                                 std::string body,
                                                 const CacheKey& digest,
                                                 bool was_looked_up) const {
  Refusal refusal;
  const auto prepared = prepare(context, request, std::move(body), refusal);
  if (!prepared) co_return refusal;
  if (request.headers.contains("last-event-id") && is_resumable(*prepared)) {
    co_return co_await resume(context, request, *prepared);
  }
  LlmShard& part = engine_->on(context.shard);
  const RequestFacts& facts = prepared->client.facts();
  Understood understood{.key = prepared->key.value_or(CacheKey{}),
                        .decision = prepared->decision,
                        .is_stream = facts.is_stream,
                        .strips_usage = protocol_ == Protocol::kChatCompletions &&
                                        facts.is_stream && !facts.wants_usage};
  if (prepared->key) part.memo().put(digest, understood);
  Delivery delivery = delivery_of(protocol_, understood);
  delivery.deadline = prepared->deadline;

  if (prepared->decision.may_look_up && !was_looked_up) {
    const auto hit =
        co_await engine_->cache().look_up(*prepared->key, prepared->decision, context.deadline);
    if (hit) {
      delivery.cache = hit_status(*hit);
      co_return deliver_hit(*engine_, context, request, *hit, delivery);
    }
  }
  if (prepared->decision.only_if_cached) {
    const Failure failure = make_failure(504, "not_cached", "There is no cached answer.");
    http::Headers headers{{"cache-status", "conciergus; fwd=miss; detail=only-if-cached"},
                          {"x-should-retry", "false"}};
    co_return refuse(*engine_, protocol_, failure, context, request, headers);
  }

  StreamHub::Joined joined = join(part, prepared);
  const bool is_leader = joined.leader.has_value();
  delivery.served = is_leader ? Served::kLed : Served::kJoined;
  delivery.cache = forwarded(prepared->decision, !is_leader);
  if (is_resumable(*prepared)) {
    delivery.stream = engine_->resume().add(context.scope, facts.chat_id, *joined.subscription);
  }
  if (is_leader) {
    const auto flight = joined.leader->flight();
    const auto member = part.calls().spawn(
        "llm.call", lead_flight(engine_, &part, prepared, *std::move(joined.leader)));
    if (member) {
      FlightLeader::on_abandoned(*flight, [member = *member] { runtime::Gate::cancel(member); });
    }  // else we are stopping, and the leader has failed the flight on its way out
  }
  co_return co_await deliver_flight(
      engine_, context, request, std::move(joined.subscription), std::move(delivery));
}

std::shared_ptr<const PreparedRequest> ChatHandler::prepare(http::RequestContext& context,
                                                            const http::Request& request,
                                                            std::string body,
                                                            Refusal& refusal) const {
  const LlmConfig& config = engine_->config();
  const auto refused = [&](const Failure& failure) {
    refusal = refuse(*engine_, protocol_, failure, context, request);
    return nullptr;
  };
  auto client = ClientRequest::parse(protocol_, std::move(body));
  if (!client) return refused(to_failure(client.error(), "invalid_request"));
  const std::string_view named = client->facts().model;
  const std::string model(named.empty() ? engine_->models().default_model() : named);
  if (!engine_->tenants().may_use(context.scope, model)) {
    return refused(make_failure(403, "model_not_allowed", "This key may not use the model."));
  }
  auto route = engine_->models().resolve(model, protocol_);
  if (!route.is_known) {
    return refused(make_failure(404, "model_not_found", "There is no such model here."));
  }
  if (route.choices.empty()) {
    return refused(
        make_failure(400, "unsupported_endpoint", "The model cannot be reached by this protocol."));
  }

  RoutePolicy policy = *route.policy;
  if (const auto tightened = tighten(policy, request.headers); !tightened) {
    return refused(to_failure(tightened.error(), "invalid_header"));
  }

  const Deadline deadline = context.deadline.within(context.started, policy.timeouts.total);
  auto prepared =
      std::make_shared<PreparedRequest>(PreparedRequest{.client = *std::move(client),
                                                        .route = std::move(route),
                                                        .policy = policy,
                                                        .scope = context.scope,
                                                        .tenant = context.notes.tenant,
                                                        .head = upstream_head(context, request),
                                                        .decision = {},
                                                        .key = {},
                                                        .deadline = deadline});
  const auto effective = prepared->effective(config, 0);
  if (!effective && prepared->route.choices.size() == 1) {
    return refused(to_failure(effective.error(), "unsupported_request"));
  }
  if (effective) prepared->key = effective->key(context.scope, prepared->key_headers());
  prepared->decision =
      decide_caching(policy.cache,
                     prepared->client.facts(),
                     RequestCacheControl::parse(request.headers.joined("cache-control")),
                     !context.scope.empty(),
                     prepared->key.has_value());
  return prepared;
}

bool ChatHandler::is_resumable(const PreparedRequest& prepared) const {
  const LlmResumeConfig& config = engine_->config().resume;
  const bool is_on = protocol_ == Protocol::kUiMessages ? config.api_chat : config.v1;
  return is_on && prepared.client.facts().is_stream && !prepared.scope.empty();
}

StreamHub::Joined ChatHandler::join(LlmShard& part,
                                    const std::shared_ptr<const PreparedRequest>& prepared) const {
  const RoutePolicy& policy = prepared->policy;
  const CacheDecision& decision = prepared->decision;
  const bool drains = policy.on_disconnect == DisconnectPolicy::kDrain;
  FlightConfig flight;
  flight.when_left = drains ? FlightConfig::WhenLeft::kDrain : FlightConfig::WhenLeft::kCancel;
  flight.prefix_bytes = policy.cache.max_record_bytes;
  flight.keeps_prefix = decision.may_store || decision.may_coalesce || is_resumable(*prepared);
  if (decision.may_coalesce && prepared->key) {
    const CacheKey key = flight_key(*prepared->key, policy.timeouts);
    return engine_->hub().join_or_lead(key, part.shard(), flight);
  }
  return engine_->hub().lead(part.shard(), flight);
}

Task<Result<http::Response>> ChatHandler::resume(http::RequestContext& context,
                                                 http::Request& request,
                                                 const PreparedRequest& prepared) const {
  const auto last = EventId::parse(request.headers.get("last-event-id"));
  auto found = last ? engine_->resume().resume(context.scope, *last, context.shard)
                    : ResumeRegistry::Found{};
  switch (found.outcome) {
    case ResumeRegistry::Outcome::kFound:
      break;
    case ResumeRegistry::Outcome::kNothing:
      co_return http::Response{.status = 204, .headers = {}, .body = {}, .tunnel = {}};
    case ResumeRegistry::Outcome::kGone:
      co_return refuse(*engine_,
                       protocol_,
                       make_failure(410, "stream_gone", "The stream is no longer kept."),
                       context,
                       request);
    case ResumeRegistry::Outcome::kNotFound:
      co_return refuse(*engine_,
                       protocol_,
                       make_failure(404, "stream_not_found", "There is no such stream."),
                       context,
                       request);
  }
  const RequestFacts& facts = prepared.client.facts();
  Delivery delivery{
      .client = protocol_,
      .is_stream = true,
      .strips_usage = protocol_ == Protocol::kChatCompletions && !facts.wants_usage,
      .stream = std::move(found.stream),
      .from = last->seq + 1,
      .cache = {.how = CacheStatus::How::kCollapsed, .ttl = {}, .stored = false, .detail = {}},
      .served = Served::kResumed,
      .deadline = prepared.deadline};
  co_return co_await deliver_flight(
      engine_, context, request, std::move(found.subscription), std::move(delivery));
}

}  // namespace conciergus::llm

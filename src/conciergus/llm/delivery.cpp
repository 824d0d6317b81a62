#include "conciergus/llm/delivery.hpp"

#include <fmt/format.h>

#include "conciergus/llm/answer_builder.hpp"
#include "conciergus/llm/answer_stream.hpp"
#include "conciergus/llm/failure_response.hpp"
#include "conciergus/llm/hit_response.hpp"
#include "conciergus/llm/json_writer.hpp"

namespace conciergus::llm {
namespace {

double milliseconds_since(const http::RequestContext& context) {
  return std::chrono::duration<double, std::milli>(context.shard.now() - context.started).count();
}

void set_cache_status(http::Headers& headers,
                      http::RequestContext& context,
                      const CacheStatus& status) {
  context.notes.cache = status.to_string();
  headers.set("cache-status", "conciergus; " + context.notes.cache);
}

EncoderOptions encoder_options(http::RequestContext& context,
                               const Delivery& delivery,
                               std::string_view model) {
  const std::uint64_t number = context.shard.random()();
  return {
      .fallback_id = fmt::format("gen-{:016x}", number),
      .fallback_model = std::string(model),
      .fallback_created = std::chrono::system_clock::to_time_t(context.shard.clock().wall_now()),
      .include_usage = !delivery.strips_usage,
      .request_id = context.request_id,
      .ui_message_id =
          delivery.stream.empty() ? fmt::format("msg-{:016x}", number) : "msg-" + delivery.stream};
}

/// The private signal of a UI stream, without its closing brace; empty when nobody asked for it.
std::string make_signal(const http::Request& request,
                        const Delivery& delivery,
                        std::string_view model,
                        double first_content_ms) {
  if (delivery.client != Protocol::kUiMessages || !wants_signals(request.headers)) return {};
  const bool is_hit = delivery.cache.how == CacheStatus::How::kHit;
  const bool is_collapsed = delivery.cache.how == CacheStatus::How::kCollapsed;
  std::string json;
  JsonWriter out(json);
  out.begin_object().member("cache", is_hit ? "l1-hit" : is_collapsed ? "collapsed" : "miss");
  out.name("ttftMs").raw(fmt::format("{:.1f}", first_content_ms)).member("model", model);
  return json;
}

/// What a hit spared the client, for the signal: the time the upstream took, where it was recorded.
std::string saved_members(const RecordView& record) {
  const auto tokens = record.facts().usage.output.value_or(0);
  if (record.size() == 0) return fmt::format(R"(,"saved":{{"tokens":{}}})", tokens);
  const auto took = record[record.size() - 1].at.count();
  return fmt::format(R"(,"saved":{{"ms":{},"tokens":{}}})", took, tokens);
}

/// Ends the wait for an answer when the server does.
class EndOnDrain {
 public:
  EndOnDrain(http::RequestContext& context, Subscription& subscription) {
    if (!context.drain) return;
    if (context.drain->is_ending()) subscription.interrupt();
    on_ending_.emplace(*context.drain, [&subscription] { subscription.interrupt(); });
  }

 private:
  std::optional<http::DrainSignal::Subscription> on_ending_;
};

/// Holds the engine while a body is being sent.
class HoldingBody final : public http::BodyReader {
 public:
  HoldingBody(std::shared_ptr<const LlmEngine> engine, std::unique_ptr<http::BodyReader> inner)
      : engine_(std::move(engine)), inner_(std::move(inner)) {}
  Task<Result<std::string_view>> read() override { return inner_->read(); }

 private:
  std::shared_ptr<const LlmEngine> engine_;
  std::unique_ptr<http::BodyReader> inner_;
};

void describe_flight(const FlightHead& head,
                     http::RequestContext& context,
                     http::Headers& headers) {
  headers.set("x-conciergus-provider", head.provider);
  headers.set("x-conciergus-model", head.model);
  headers.set("x-conciergus-attempts", std::to_string(head.attempts));
  if (head.fallback > 0) headers.set("x-conciergus-fallback", std::to_string(head.fallback));
  context.notes.upstream = head.provider;
  context.notes.model = head.model;
}

http::Response refuse_flight(const LlmEngine& engine,
                             http::RequestContext& context,
                             const http::Request& request,
                             const FlightFailure& failure,
                             const Delivery& delivery) {
  const bool was_left = failure.failure.status == 499;  // its leader was ended from outside
  auto response = refuse(engine,
                         delivery.client,
                         was_left ? shutdown_failure() : failure.failure,
                         context,
                         request,
                         failure.headers);
  set_cache_status(response.headers, context, delivery.cache);
  return response;
}

/// Waits to the end and renders the whole.
Task<Result<http::Response>> deliver_whole(const LlmEngine& engine,
                                           http::RequestContext& context,
                                           http::Request& request,
                                           Subscription& subscription,
                                           const Delivery& delivery,
                                           Deadline deadline) {
  std::vector<PiecePtr> pieces;
  AnswerBuilder builder;
  auto end = Batch::End::kNone;
  while (end == Batch::End::kNone) {
    Batch batch = co_await subscription.next(deadline);
    for (PiecePtr& piece : batch.pieces) {
      for (const Delta& delta : piece->deltas) builder.add(delta);
      pieces.push_back(std::move(piece));
    }
    end = batch.end;
    if (end != Batch::End::kNone || !batch.pieces.empty()) continue;
    const Failure failure = subscription.is_interrupted() ? shutdown_failure() : timeout_failure();
    co_return refuse(engine, delivery.client, failure, context, request);
  }
  const Flight& flight = *subscription.flight();
  if (end == Batch::End::kFailed) {
    co_return refuse_flight(engine, context, request, flight.failure(), delivery);
  }
  if (end != Batch::End::kDone) {
    const Failure failure = make_failure(503, "slow_reader", "The answer was read too slowly.");
    co_return refuse(engine, delivery.client, failure, context, request);
  }

  const FlightHead& head = flight.head();
  http::Response response;
  response.headers.add("content-type", "application/json");
  describe_flight(head, context, response.headers);
  set_cache_status(response.headers, context, delivery.cache);
  const bool is_same = head.protocol == delivery.client && !head.is_stream && pieces.size() == 1;
  if (is_same) {
    response.body = http::Body::shared(pieces.front(), pieces.front()->bytes);
  } else {
    response.body = encode_whole(
        delivery.client, builder.answer(), encoder_options(context, delivery, head.model));
  }
  const FlightResult& result = flight.result();
  context.notes.input_tokens = builder.answer().usage.input.value_or(0);
  context.notes.output_tokens = builder.answer().usage.output.value_or(0);
  const bool is_joined = delivery.served == Served::kJoined;
  if (result.cost > 0) {
    response.headers.set(is_joined ? "x-conciergus-saved" : "x-conciergus-cost",
                         format_dollars(result.cost));
  }
  context.notes.cost = is_joined ? 0 : result.cost;
  if (is_joined) engine.metrics().count_saved(context.notes.tenant, result.cost);
  co_return response;
}

}  // namespace

http::Response refuse(const LlmEngine& engine,
                      Protocol client,
                      const Failure& failure,
                      http::RequestContext& context,
                      const http::Request& request,
                      const http::Headers& headers) {
  const bool is_clients_fault = failure.status < 500 && failure.status != 429;
  engine.metrics().count_request(client, is_clients_fault ? Served::kRefused : Served::kFailed);
  return failure_response(client, failure, context, request, headers);
}

Task<Result<http::Response>> deliver_flight(std::shared_ptr<const LlmEngine> engine,
                                            http::RequestContext& context,
                                            http::Request& request,
                                            std::unique_ptr<Subscription> subscription,
                                            Delivery delivery) {
  const Deadline deadline = delivery.deadline;
  std::optional<EndOnDrain> end_on_drain(std::in_place, context, *subscription);
  const bool is_open = co_await subscription->opened(deadline);
  if (!is_open) {
    const Failure failure = subscription->is_interrupted() ? shutdown_failure() : timeout_failure();
    co_return refuse(*engine, delivery.client, failure, context, request);
  }
  const Flight& flight = *subscription->flight();
  if (flight.head().provider.empty()) {  // it never came to a head
    co_return refuse_flight(*engine, context, request, flight.failure(), delivery);
  }
  const double waited = milliseconds_since(context);
  context.timings.push_back({"ttft", waited, {}});
  if (!delivery.is_stream) {
    auto whole =
        co_await deliver_whole(*engine, context, request, *subscription, delivery, deadline);
    if (whole && whole->status == 200) {
      context.timings.push_back({"upstream", milliseconds_since(context), {}});
      engine->metrics().count_request(delivery.client, delivery.served);
    }
    co_return whole;
  }

  engine->metrics().count_request(delivery.client, delivery.served);
  const FlightHead& head = flight.head();
  http::Response response;
  set_stream_head(response.headers, delivery.client);
  describe_flight(head, context, response.headers);
  set_cache_status(response.headers, context, delivery.cache);
  AnswerStreamOptions options{.client = delivery.client,
                              .strips_usage = delivery.strips_usage,
                              .encoder = encoder_options(context, delivery, head.model),
                              .stream = delivery.stream,
                              .from = delivery.from,
                              .heartbeat = engine->config().heartbeat,
                              .deadline = deadline,
                              .signal = make_signal(request, delivery, head.model, waited)};
  end_on_drain.reset();  // the stream listens for itself
  auto stream = std::make_unique<AnswerStream>(
      context, std::move(subscription), std::move(options), engine->metrics());
  std::unique_ptr<http::BodyReader> body =
      std::make_unique<HoldingBody>(std::move(engine), std::move(stream));
  response.body = std::move(body);
  co_return response;
}

http::Response deliver_hit(const LlmEngine& engine,
                           http::RequestContext& context,
                           const http::Request& request,
                           const ResponseCache::Hit& hit,
                           const Delivery& delivery) {
  const RecordFacts& facts = hit.record.facts();
  http::Response response;
  response.headers.reserve(10, 512);
  if (delivery.is_stream) {
    set_stream_head(response.headers, delivery.client);
  } else {
    response.headers.add("content-type", "application/json");
  }
  set_cache_status(response.headers, context, delivery.cache);
  response.headers.add("age", std::to_string(hit.age.count()));
  response.headers.add("x-conciergus-provider", facts.provider);
  response.headers.add("x-conciergus-model", facts.model);
  if (facts.cost > 0) {
    response.headers.add("x-conciergus-cost", "0");
    response.headers.add("x-conciergus-saved", format_dollars(facts.cost));
    engine.metrics().count_saved(context.notes.tenant, facts.cost);
  }
  context.notes.model = facts.model;
  context.notes.input_tokens = facts.usage.input.value_or(0);
  context.notes.output_tokens = facts.usage.output.value_or(0);
  const double waited = milliseconds_since(context);
  context.timings.push_back({"cache", waited, "hit"});

  HitView view{.client = delivery.client,
               .is_stream = delivery.is_stream,
               .strips_usage = delivery.strips_usage,
               .encoder = {},
               .signal = {}};
  if (facts.protocol != delivery.client || !facts.is_stream) {
    view.encoder = encoder_options(context, delivery, facts.model);
    view.signal = make_signal(request, delivery, facts.model, waited);
    if (!view.signal.empty()) view.signal += saved_members(hit.record) + '}';
  }
  response.body = render_hit(hit, view);
  engine.metrics().count_request(delivery.client, Served::kHit);
  return response;
}

}  // namespace conciergus::llm

#include "conciergus/llm/upstream_chain.hpp"

#include <algorithm>

#include "conciergus/llm/answer_builder.hpp"
#include "conciergus/llm/record.hpp"
#include "conciergus/llm/stream_encoder.hpp"
#include "conciergus/llm/upstream_call.hpp"

namespace conciergus::llm {
namespace {

constexpr std::chrono::milliseconds kDefaultCooldown{5'000};  // of a 429 that names no time

/// What goes to the client with a failure.
FlightFailure to_flight_failure(const CallFailure& failure) {
  FlightFailure made{.failure = failure.failure, .headers = {}, .body = {}};
  auto wait = failure.retry_after;
  if (!wait && failure.outcome == Outcome::kRateLimited) wait = kDefaultCooldown;
  if (wait) {
    made.headers.add("retry-after",
                     std::to_string(std::chrono::ceil<std::chrono::seconds>(*wait).count()));
    made.headers.add("retry-after-ms", std::to_string(wait->count()));
  }
  if (failure.should_retry) {
    made.headers.add("x-should-retry", *failure.should_retry ? "true" : "false");
  }
  return made;
}

/// One run through the targets of a route, and through what the answering one says.
class Chain {
 public:
  Chain(const LlmEngine& engine,
        LlmShard& part,
        const PreparedRequest& request,
        FlightLeader& leader)
      : engine_(engine), part_(part), request_(request), leader_(leader) {}

  Task<void> run() {
    for (choice_ = 0; choice_ < request_.route.choices.size(); ++choice_) {
      if (co_await try_target()) co_return co_await pass_on();
      if (!may_go_on_) break;
    }
    if (failure_) leader_.fail(to_flight_failure(*failure_));
  }

 private:
  const ModelMap::Route::Choice& choice() const { return request_.route.choices[choice_]; }

  /// True once a target has begun to answer. Its keys are tried in turn as long as that may help.
  Task<bool> try_target() {
    Provider& provider = part_.provider(choice().provider);
    auto effective = request_.effective(engine_.config(), choice_);
    if (!effective) {  // cannot be said in the target's protocol: the client's to know, or to skip
      if (!failure_) {
        failure_ = make_call_failure(Outcome::kRejected,
                                     Failure{.status = 400,
                                             .type = "invalid_request_error",
                                             .code = "unsupported_request",
                                             .message = effective.error().detail()});
      }
      co_return false;
    }
    const std::size_t first_key = provider.next_key();
    const std::size_t keys = std::max<std::size_t>(provider.keys(), 1);
    for (std::size_t k = 0; k < keys && attempts_ < engine_.config().max_attempts; ++k) {
      ++attempts_;
      call_.emplace(provider,
                    choice().protocol,
                    part_.shard(),
                    UpstreamCallLimits{request_.policy.timeouts, request_.deadline});
      pieces_.clear();
      auto failure = co_await call_->begin(
          effective->upstream_body(), request_.head, (first_key + k) % keys, pieces_);
      if (!failure) {
        effective_.emplace(*std::move(effective));
        co_return true;
      }
      call_.reset();
      note(*failure, provider);
      const Reaction reaction = reaction_to(failure->outcome);
      const bool is_clients_key =
          provider.uses_client_key() && failure->outcome == Outcome::kKeyRefused;
      may_go_on_ =
          reaction.next_target && !is_clients_key && attempts_ < engine_.config().max_attempts;
      // The first failure is the primary's: the most useful one to tell.
      if (!failure_ || !may_go_on_) failure_ = std::move(failure);
      if (!reaction.other_key || is_clients_key) break;
    }
    co_return false;
  }

  void note(const CallFailure& failure, const Provider& provider) {
    engine_.metrics().count_attempt(choice().provider, failure.outcome);
    if (failure.outcome == Outcome::kCancelled) return;
    auto& log = part_.shard().log();
    const observe::LogFields fields{{"provider", provider.name()},
                                    {"model", choice().model},
                                    {"outcome", to_string(failure.outcome)},
                                    {"attempt", attempts_}};
    const bool needs_a_look =
        failure.outcome == Outcome::kKeyRefused || failure.outcome == Outcome::kTlsFailed;
    if (needs_a_look) {
      log.error("llm.attempt_failed", fields);
    } else {
      log.warn("llm.attempt_failed", fields);
    }
  }

  Task<void> pass_on() {
    engine_.metrics().observe_first_content(choice().provider, call_->first_content_ms());
    leader_.open({.protocol = choice().protocol,
                  .is_stream = call_->is_stream(),
                  .status = 200,
                  .headers = {},
                  .provider = part_.provider(choice().provider).name(),
                  .model = choice().model,
                  .attempts = attempts_,
                  .fallback = static_cast<std::uint32_t>(choice_)});
    for (;;) {
      for (Piece& piece : pieces_) {
        for (const Delta& delta : piece.deltas) builder_.add(delta);
        if (!leader_.append(std::move(piece))) co_return abandon();
      }
      pieces_.clear();
      if (call_->is_done()) break;
      if (!co_await leader_.room(request_.deadline)) {
        co_return break_off(make_call_failure(Outcome::kOutOfTime));
      }
      if (auto failure = co_await call_->next(pieces_)) {
        for (Piece& piece : pieces_) {
          if (!leader_.append(std::move(piece))) co_return abandon();
        }
        co_return break_off(*failure);
      }
    }
    co_await complete();
  }

  void abandon() { engine_.metrics().count_attempt(choice().provider, Outcome::kCancelled); }

  void break_off(const CallFailure& failure) {
    note(failure, part_.provider(choice().provider));
    leader_.fail(to_flight_failure(failure));
  }

  Task<void> complete() {
    engine_.metrics().count_attempt(choice().provider, Outcome::kOk);
    const AnswerBuilder::Rules rules{
        .allow_tool_calls = request_.policy.cache.tool_calls,
        .finish_reason_is_terminal =
            engine_.config().providers[choice().provider].finish_reason_is_terminal};
    std::string_view obstacle = builder_.storage_obstacle(rules);
    // Vectors are no content in the sense of a chat.
    if (choice().protocol == Protocol::kEmbeddings && obstacle == "empty") obstacle = {};
    // The last word was ours where the provider left it out: only its profile makes that whole.
    if (call_->lacked_terminal_event() && !rules.finish_reason_is_terminal) obstacle = "truncated";
    if (builder_.answer().finish.reason == FinishReason::kNone) engine_.metrics().unfinished.add();
    const bool is_stream = call_->is_stream();
    call_.reset();  // the connection is free for others while we store

    auto answer = std::make_shared<const Answer>(std::move(builder_).take());
    const double cost = engine_.prices().cost(choice().model, answer->usage).value_or(0);
    engine_.metrics().count_tokens(request_.route.label, answer->usage);
    engine_.metrics().count_cost(request_.tenant, request_.route.label, cost);
    leader_.finish({.answer = answer, .cost = cost});
    if (obstacle.empty() && request_.decision.may_store) co_await store(*answer, cost, is_stream);
  }

  Task<void> store(const Answer& answer, double cost, bool is_stream) {
    const auto key =
        choice_ == 0 ? request_.key : effective_->key(request_.scope, request_.key_headers());
    const auto pieces = leader_.flight()->pieces();
    if (!key || !pieces || pieces->empty()) co_return;
    std::string whole;
    if (!is_stream) {
      whole = pieces->front()->bytes;
    } else {
      whole = encode_whole(choice().protocol, answer, {});
    }
    const RecordFacts facts{.protocol = choice().protocol,
                            .is_stream = is_stream,
                            .id = answer.id,
                            .model = choice().model,
                            .provider = part_.provider(choice().provider).name(),
                            .finish = answer.finish.reason,
                            .usage = answer.usage,
                            .cost = cost,
                            .created = part_.shard().clock().wall_now()};
    const auto events =
        is_stream ? std::span<const PiecePtr>(*pieces) : std::span<const PiecePtr>();
    const auto record = make_record(facts, events, whole, request_.policy.cache.max_record_bytes);
    if (record) co_await engine_.cache().store(*key, *record, request_.decision);
  }

  const LlmEngine& engine_;
  LlmShard& part_;
  const PreparedRequest& request_;
  FlightLeader& leader_;
  std::size_t choice_ = 0;
  std::uint32_t attempts_ = 0;
  bool may_go_on_ = true;
  std::optional<CallFailure> failure_;
  std::optional<EffectiveRequest> effective_;
  std::optional<UpstreamCall> call_;
  std::vector<Piece> pieces_;
  AnswerBuilder builder_;
};

}  // namespace

std::vector<HeaderField> PreparedRequest::key_headers() const {
  std::vector<HeaderField> fields;
  for (const std::string_view name : forwarded_headers()) {
    if (const auto value = head.headers.find(name)) fields.push_back({name, *value});
  }
  return fields;
}

Result<EffectiveRequest> PreparedRequest::effective(const LlmConfig& config,
                                                    std::size_t choice) const {
  const auto& is = route.choices[choice];
  return EffectiveRequest::make(
      client,
      {.provider = config.providers[is.provider].name, .protocol = is.protocol, .model = is.model});
}

Task<void> lead_flight(std::shared_ptr<const LlmEngine> engine,
                       LlmShard* part,
                       std::shared_ptr<const PreparedRequest> request,
                       FlightLeader leader) {
  Chain chain(*engine, *part, *request, leader);
  co_await chain.run();
}

}  // namespace conciergus::llm

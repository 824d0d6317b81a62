#include "conciergus/llm/answer_stream.hpp"

#include <fmt/format.h>

#include "conciergus/llm/answer_builder.hpp"
#include "conciergus/llm/error_reply.hpp"
#include "conciergus/llm/failure_response.hpp"
#include "conciergus/llm/stream_decoder.hpp"

namespace conciergus::llm {
namespace {

constexpr std::string_view kHeartbeat = ": hb\n\n";
constexpr unsigned kLeft = 499;  // of a flight whose leader was ended from outside

}  // namespace

void set_stream_head(http::Headers& headers, Protocol client) {
  headers.set("content-type", "text/event-stream");
  headers.set("cache-control", "no-cache, no-transform");
  headers.set("x-accel-buffering", "no");
  if (client == Protocol::kUiMessages) headers.set("x-vercel-ai-ui-message-stream", "v1");
}

AnswerStream::AnswerStream(http::RequestContext& context,
                           std::unique_ptr<Subscription> subscription,
                           AnswerStreamOptions options,
                           LlmMetrics& metrics)
    : context_(context),
      subscription_(std::move(subscription)),
      options_(std::move(options)),
      metrics_(metrics),
      is_passed_on_(subscription_->flight()->head().is_stream &&
                    subscription_->flight()->head().protocol == options_.client),
      sent_(options_.from) {
  if (!is_passed_on_) {
    encoder_ = make_stream_encoder(options_.client, options_.encoder);
    if (!options_.signal.empty()) encoder_->set_signal(options_.signal + "}");
    catch_up();
  }
  if (context.drain) {
    on_ending_.emplace(*context.drain, [this] { subscription_->interrupt(); });
    if (context.drain->is_ending()) subscription_->interrupt();
  }
  metrics_.open_streams.add(1);
}

AnswerStream::~AnswerStream() {
  metrics_.open_streams.add(-1);
}

/// Brings the encoder to where the client left off.
void AnswerStream::catch_up() {
  if (options_.from == 0) return;
  const auto pieces = subscription_->flight()->pieces();
  if (!pieces) return;
  for (std::uint64_t n = 0; n < options_.from && n < pieces->size(); ++n) encode(*(*pieces)[n], n);
  out_.clear();
}

Task<Result<std::string_view>> AnswerStream::read() {
  out_.clear();
  while (out_.empty() && !is_ended_) {
    const auto now = context_.shard.now();
    const Batch batch =
        co_await subscription_->next(options_.deadline.within(now, options_.heartbeat));
    std::uint64_t number = batch.first;
    for (const PiecePtr& piece : batch.pieces) render(*piece, number++);
    if (!batch.pieces.empty()) sent_ = number;
    if (batch.end != Batch::End::kNone) {
      end(batch.end);
    } else if (!batch.pieces.empty()) {
      continue;
    } else if (subscription_->is_interrupted()) {
      fail(shutdown_failure());
    } else if (options_.deadline.has_passed(context_.shard.now())) {
      fail(timeout_failure());
    } else {
      out_ = kHeartbeat;
    }
  }
  co_return out_;
}

void AnswerStream::render(const Piece& piece, std::uint64_t number) {
  if (is_passed_on_) {
    pass_on(piece, number);
  } else {
    encode(piece, number);
  }
}

void AnswerStream::pass_on(const Piece& piece, std::uint64_t number) {
  if (options_.strips_usage && is_usage_only(piece.deltas)) return;
  if (!options_.stream.empty()) {
    out_ += fmt::format("id: {}:{}\n", options_.stream, number);
  }
  out_ += piece.bytes;
}

void AnswerStream::encode(const Piece& piece, std::uint64_t number) {
  std::string events;
  if (subscription_->flight()->head().is_stream) {
    for (const Delta& delta : piece.deltas) encoder_->encode(delta, events);
  } else {
    for (const Delta& delta : replay(fold(piece.deltas))) encoder_->encode(delta, events);
  }
  add_with_ids(events, number);
}

/// A client resumes behind the last id it has seen, so only the last event that a piece became
/// carries the piece's own number; those before it carry the one before.
void AnswerStream::add_with_ids(std::string_view events, std::uint64_t number) {
  if (options_.stream.empty()) {
    out_ += events;
    return;
  }
  while (!events.empty()) {
    const std::size_t end = std::min(events.find("\n\n"), events.size() - 2) + 2;
    const bool is_last = end == events.size();
    if (is_last || number > 0) {
      out_ += fmt::format("id: {}:{}\n", options_.stream, is_last ? number : number - 1);
    }
    out_ += events.substr(0, end);
    events.remove_prefix(end);
  }
}

void AnswerStream::end(Batch::End how) {
  const auto& flight = *subscription_->flight();
  switch (how) {
    case Batch::End::kDone:
      is_ended_ = true;
      return note_result();
    case Batch::End::kFailed:
      return fail(flight.failure().failure.status == kLeft ? shutdown_failure()
                                                           : flight.failure().failure);
    case Batch::End::kStopped:
      return fail(make_failure(kLeft, "stopped", "The answer was stopped."));
    case Batch::End::kOverrun:
      return fail(make_failure(503, "slow_reader", "The answer was read too slowly."));
    case Batch::End::kNone:
      return;
  }
}

void AnswerStream::fail(const Failure& failure) {
  is_ended_ = true;
  context_.notes.error = failure.code;
  metrics_.cut_streams.add();
  if (encoder_) {
    encoder_->encode(delta::Failed{failure}, out_);
  } else {
    append_error_event(out_, options_.client, failure, sent_, context_.request_id);
  }
}

void AnswerStream::note_result() {
  const FlightResult& result = subscription_->flight()->result();
  if (!result.answer) return;
  context_.notes.input_tokens = result.answer->usage.input.value_or(0);
  context_.notes.output_tokens = result.answer->usage.output.value_or(0);
  context_.notes.cost = result.cost;
}

}  // namespace conciergus::llm

#include "conciergus/llm/upstream_call.hpp"

#include <algorithm>

#include "conciergus/base/text.hpp"
#include "conciergus/llm/error_reply.hpp"
#include "conciergus/runtime/with_deadline.hpp"

namespace conciergus::llm {
namespace {

constexpr std::size_t kMaxErrorBytes = 64 * 1024;
constexpr std::chrono::seconds kErrorBodyTime{2};

std::string_view media_type(const http::Headers& headers) noexcept {
  const std::string_view field = headers.get("content-type");
  return trim(field.substr(0, field.find(';')));
}

bool is_json(std::string_view type) noexcept {
  return iequals(type, "application/json") || type.ends_with("+json");
}

/// An error that the provider tells inside a 200 counts as the status it would have had.
CallFailure told_inside(const Failure& told) {
  const Outcome outcome = outcome_of_status(told.status);
  return make_call_failure(outcome == Outcome::kOk ? Outcome::kServerError : outcome, told);
}

}  // namespace

Deadline UpstreamCall::content_deadline() const noexcept {
  const auto limit = has_content_ ? last_content_ + limits_.timeouts.stall
                                  : dispatched_ + limits_.timeouts.first_content;
  return Deadline(std::min(limit, limits_.deadline.at()));
}

CallFailure UpstreamCall::broken_off(const Error& error) const {
  if (error.code() == ErrorCode::kCancelled) return make_call_failure(Outcome::kCancelled);
  if (error.code() != ErrorCode::kTimeout) return make_call_failure(Outcome::kTruncated);
  if (limits_.deadline.has_passed(shard_.now())) return make_call_failure(Outcome::kOutOfTime);
  return make_call_failure(has_content_ ? Outcome::kStalled : Outcome::kNoContent);
}

Task<Result<std::string_view>> UpstreamCall::read_body(Deadline deadline) {
  if (auto* const stream = response_.body.stream()) {
    if (stream->limit_next_read(deadline.at())) co_return co_await stream->read();
    co_return co_await runtime::with_deadline(stream->read(), deadline);
  }
  co_return std::exchange(is_text_read_, true) ? std::string_view{} : response_.body.text();
}

void UpstreamCall::note_content(const std::vector<Delta>& deltas) {
  for (const Delta& delta : deltas) {
    if (std::holds_alternative<delta::Finished>(delta)) has_finish_ = true;
  }
  if (!std::ranges::any_of(deltas, is_content)) return;
  last_content_ = shard_.now();
  if (has_content_) return;
  has_content_ = true;
  first_content_ms_ =
      std::chrono::duration<double, std::milli>(last_content_ - dispatched_).count();
}

Task<std::optional<CallFailure>> UpstreamCall::begin(std::string body,
                                                     const UpstreamHead& head,
                                                     std::size_t key,
                                                     std::vector<Piece>& pieces) {
  if (auto failure = co_await send(std::move(body), head, key)) co_return failure;
  if (!is_stream_) co_return co_await read_whole(pieces);

  decoder_ = make_stream_decoder(protocol_);
  for (;;) {
    auto failure = co_await read_events(pieces);
    if (failure && !has_content_) co_return failure;
    later_ = std::move(failure);  // behind content that came in the same read
    std::size_t bytes = 0;
    for (const Piece& piece : pieces) bytes += piece.bytes.size();
    if (has_content_ || is_done_) co_return std::nullopt;
    if (pieces.size() > kMaxHeldEvents || bytes > kMaxHeldBytes) co_return std::nullopt;
  }
}

Task<std::optional<CallFailure>> UpstreamCall::next(std::vector<Piece>& pieces) {
  if (later_ || is_done_) co_return std::exchange(later_, std::nullopt);
  co_return co_await read_events(pieces);
}

Task<std::optional<CallFailure>> UpstreamCall::send(std::string body,
                                                    const UpstreamHead& head,
                                                    std::size_t key) {
  const LlmTimeouts& timeouts = limits_.timeouts;
  dispatched_ = shard_.now();
  const http::CallLimits limits{.connect = timeouts.connect,
                                .head = std::min(timeouts.headers, timeouts.first_content),
                                .idle = std::max(timeouts.first_content, timeouts.stall),
                                .deadline = limits_.deadline};
  http::CallReport report;
  auto response = co_await provider_.post(protocol_, std::move(body), head, key, limits, report);
  if (!response) {
    if (limits_.deadline.has_passed(shard_.now())) co_return make_call_failure(Outcome::kOutOfTime);
    co_return make_call_failure(outcome_of_error(response.error(), report.phase));
  }
  response_ = *std::move(response);
  if (response_.status != 200) co_return co_await read_error(response_);
  const std::string_view type = media_type(response_.headers);
  is_stream_ = iequals(type, "text/event-stream");
  if (!is_stream_ && !is_json(type)) co_return make_call_failure(Outcome::kMalformed);
  co_return std::nullopt;
}

Task<CallFailure> UpstreamCall::read_error(const http::Response& response) {
  const Outcome outcome = outcome_of_status(response.status);
  std::string body(response.body.text());
  if (auto* const stream = response.body.stream()) {
    const auto deadline = limits_.deadline.within(shard_.now(), kErrorBodyTime);
    auto read = co_await runtime::with_deadline(http::read_all(*stream, kMaxErrorBytes), deadline);
    if (read) body = *std::move(read);  // a body that cannot be read tells nothing, that is all
  }
  co_return make_call_failure(outcome,
                              decode_error(response.status, body),
                              retry_after(response.headers, shard_.clock().wall_now()),
                              provider_.uses_client_key());
}

Task<std::optional<CallFailure>> UpstreamCall::read_whole(std::vector<Piece>& pieces) {
  Piece piece;
  for (;;) {
    const auto read = co_await read_body(content_deadline());
    if (!read) co_return broken_off(read.error());
    if (read->empty()) break;
    piece.bytes += *read;
    if (piece.bytes.size() > kMaxWholeBytes) co_return make_call_failure(Outcome::kMalformed);
  }
  piece.deltas = decode_whole(protocol_, piece.bytes);
  for (const Delta& delta : piece.deltas) {
    if (const auto* const failed = std::get_if<delta::Failed>(&delta)) {
      co_return told_inside(failed->failure);
    }
  }
  note_content(piece.deltas);
  if (!has_content_ && protocol_ != Protocol::kEmbeddings) {
    co_return make_call_failure(Outcome::kMalformed);
  }
  is_done_ = true;
  pieces.push_back(std::move(piece));
  co_return std::nullopt;
}

Task<std::optional<CallFailure>> UpstreamCall::read_events(std::vector<Piece>& pieces) {
  const std::size_t before = pieces.size();
  for (;;) {
    if (auto failure = take_events(pieces)) co_return failure;
    if (is_done_ || pieces.size() > before) co_return std::nullopt;
    const auto read = co_await read_body(content_deadline());
    if (!read) co_return broken_off(read.error());
    if (read->empty()) {
      parser_.finish();
      if (auto failure = take_events(pieces)) co_return failure;
      if (is_done_) co_return std::nullopt;
      co_return take_end(pieces);
    }
    parser_.push(*read);
  }
}

std::optional<CallFailure> UpstreamCall::take_events(std::vector<Piece>& pieces) {
  while (!is_done_) {
    const auto event = parser_.next();
    if (!event) return make_call_failure(Outcome::kMalformed);
    if (!*event) break;
    const codec::SseEvent& is = **event;
    if (!is.has_data) continue;  // heartbeats: clients get our own
    Piece piece{.bytes = std::string(is.raw), .deltas = {}};
    decoder_->decode(is.event, is.data, piece.deltas);
    for (const Delta& delta : piece.deltas) {
      if (const auto* const failed = std::get_if<delta::Failed>(&delta)) {
        return told_inside(failed->failure);
      }
      if (std::holds_alternative<delta::Done>(delta)) is_done_ = true;
    }
    note_content(piece.deltas);
    pieces.push_back(std::move(piece));
  }
  return std::nullopt;
}

/// The upstream has closed in order, but without its last word.
std::optional<CallFailure> UpstreamCall::take_end(std::vector<Piece>& pieces) {
  if (!has_finish_) return make_call_failure(Outcome::kTruncated);
  Piece piece;
  if (protocol_ == Protocol::kMessages) {
    piece.bytes = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
  } else {
    append_stream_end(piece.bytes, protocol_);
  }
  piece.deltas.emplace_back(delta::Done{});
  pieces.push_back(std::move(piece));
  lacked_terminal_event_ = true;
  is_done_ = true;
  return std::nullopt;
}

}  // namespace conciergus::llm

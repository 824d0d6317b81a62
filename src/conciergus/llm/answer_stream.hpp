#pragma once
/// A flight as the stream that one client reads: passed on byte by byte where client and upstream
/// speak the same protocol, else rendered; with heartbeats, ids to resume by, and an honest end.
#include <memory>
#include <optional>
#include <string>

#include "conciergus/http/drain_signal.hpp"
#include "conciergus/http/request_context.hpp"
#include "conciergus/llm/flight.hpp"
#include "conciergus/llm/llm_metrics.hpp"
#include "conciergus/llm/stream_encoder.hpp"

namespace conciergus::llm {

struct AnswerStreamOptions {
  Protocol client = Protocol::kChatCompletions;
  bool strips_usage = false;  ///< The usage chunk was asked for by us alone.
  EncoderOptions encoder;
  std::string stream;      ///< Its name, when it can be resumed: events get ids.
  std::uint64_t from = 0;  ///< First piece that the client has not seen.
  std::chrono::milliseconds heartbeat{15'000};
  Deadline deadline;
  std::string signal;  ///< For a UI stream whose client wants it: a JSON object, without its brace.
};

/// Belongs to the request's shard; `context` and `metrics` outlive it. Dropping it is leaving.
class AnswerStream final : public http::BodyReader {
 public:
  AnswerStream(http::RequestContext& context,
               std::unique_ptr<Subscription> subscription,
               AnswerStreamOptions options,
               LlmMetrics& metrics);
  ~AnswerStream() override;

  Task<Result<std::string_view>> read() override;

 private:
  void render(const Piece& piece, std::uint64_t number);
  void pass_on(const Piece& piece, std::uint64_t number);
  void encode(const Piece& piece, std::uint64_t number);
  void add_with_ids(std::string_view events, std::uint64_t number);
  void end(Batch::End how);
  void fail(const Failure& failure);
  void note_result();
  void catch_up();

  http::RequestContext& context_;
  const std::unique_ptr<Subscription> subscription_;
  const AnswerStreamOptions options_;
  LlmMetrics& metrics_;
  const bool is_passed_on_;
  std::unique_ptr<StreamEncoder> encoder_;
  std::optional<http::DrainSignal::Subscription> on_ending_;
  std::string out_;
  std::uint64_t sent_ = 0;  // pieces
  bool is_ended_ = false;
};

/// Sets the head of a stream of server-sent events for clients of that protocol.
void set_stream_head(http::Headers& headers, Protocol client);

}  // namespace conciergus::llm

#pragma once
/// One call to one provider, from dispatch to the last event: its five timeouts, what it says in
/// deltas beside its bytes, and what went wrong in the words of outcome.hpp.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "conciergus/codec/sse.hpp"
#include "conciergus/llm/flight.hpp"
#include "conciergus/llm/outcome.hpp"
#include "conciergus/llm/provider.hpp"
#include "conciergus/llm/stream_decoder.hpp"

namespace conciergus::llm {

struct UpstreamCallLimits {
  LlmTimeouts timeouts;  ///< `total` is not used: `deadline` is.
  Deadline deadline;     ///< Arrival of the request plus the total time.
};

/// Belongs to one shard and to the coroutine that makes the call. Destroyed or cancelled before its
/// end it closes the connection, which is how a provider learns that nobody listens any more.
class UpstreamCall {
 public:
  static constexpr std::size_t kMaxHeldEvents = 64;
  static constexpr std::size_t kMaxHeldBytes = 256 * 1024;
  static constexpr std::size_t kMaxWholeBytes = 64u << 20;

  UpstreamCall(Provider& provider,
               Protocol protocol,
               runtime::Shard& shard,
               UpstreamCallLimits limits)
      : provider_(provider), protocol_(protocol), shard_(shard), limits_(limits) {}

  /// Sends the request and returns once content has come, or the whole answer, or a failure; until
  /// then nothing of the answer may reach a client. Events without content are held back and
  /// appended to `pieces` with the first one that has some, or when they are too many.
  Task<std::optional<CallFailure>> begin(std::string body,
                                         const UpstreamHead& head,
                                         std::size_t key,
                                         std::vector<Piece>& pieces);
  /// Appends what comes next, at least one piece unless is_done() holds afterwards.
  Task<std::optional<CallFailure>> next(std::vector<Piece>& pieces);

  bool is_done() const noexcept { return is_done_; }
  bool is_stream() const noexcept { return is_stream_; }
  /// Milliseconds from dispatch to the first content; negative before.
  double first_content_ms() const noexcept { return first_content_ms_; }
  /// The upstream ended without its last word, which was put in its place.
  bool lacked_terminal_event() const noexcept { return lacked_terminal_event_; }

 private:
  Task<std::optional<CallFailure>> send(std::string body,
                                        const UpstreamHead& head,
                                        std::size_t key);
  Task<CallFailure> read_error(const http::Response& response);
  Task<std::optional<CallFailure>> read_whole(std::vector<Piece>& pieces);
  Task<std::optional<CallFailure>> read_events(std::vector<Piece>& pieces);
  std::optional<CallFailure> take_events(std::vector<Piece>& pieces);
  std::optional<CallFailure> take_end(std::vector<Piece>& pieces);
  void note_content(const std::vector<Delta>& deltas);
  Deadline content_deadline() const noexcept;
  Task<Result<std::string_view>> read_body(Deadline deadline);
  CallFailure broken_off(const Error& error) const;

  Provider& provider_;
  const Protocol protocol_;
  runtime::Shard& shard_;
  const UpstreamCallLimits limits_;

  Clock::Instant dispatched_{};
  Clock::Instant last_content_{};
  double first_content_ms_ = -1;
  bool has_content_ = false;
  bool has_finish_ = false;
  bool is_stream_ = false;
  bool is_done_ = false;
  bool lacked_terminal_event_ = false;
  bool is_text_read_ = false;  // of a body that is no stream
  std::optional<CallFailure> later_;
  http::Response response_;
  codec::SseParser parser_;
  std::unique_ptr<StreamDecoder> decoder_;
};

}  // namespace conciergus::llm

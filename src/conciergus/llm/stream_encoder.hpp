#pragma once
/// Renders deltas and answers in the client's protocol.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conciergus/llm/answer.hpp"
#include "conciergus/llm/protocol.hpp"

namespace conciergus::llm {

/// What an answer needs that its upstream may not have told.
struct EncoderOptions {
  std::string fallback_id{};          ///< Where the upstream gave no id; unique per answer.
  std::string fallback_model{};       ///< Where it named no model.
  std::int64_t fallback_created = 0;  ///< Unix seconds, where it told no time.
  bool include_usage = true;          ///< Chat completions: the usage chunk was asked for.
  std::string request_id{};  ///< Told in error events where the protocol has a place for it.
  std::string
      ui_message_id{};  ///< UI stream: new for each delivery, as clients use it as list key.
  bool ui_finish_reason =
      false;  ///< UI stream: off, as closed schemas of older clients break on it.
};

/// One answer to one client. Not thread-safe. Whatever the deltas are, the bytes are the
/// protocol's: parts are opened before they are written to and closed before another kind starts,
/// before an error and at the end; nothing follows the end.
class StreamEncoder {
 public:
  virtual ~StreamEncoder() = default;

  /// Appends the events that render `delta`, possibly none. delta::Failed gives the protocol's
  /// error event and the end of the stream, without any sign of success; delta::Done the proper
  /// end.
  virtual void encode(const Delta& delta, std::string& out) = 0;

  /// UI stream only: JSON for a transient `data-conciergus` part, sent after the start when set
  /// before it, and with its last value before the finish. Other protocols have no place for it.
  virtual void set_signal(std::string json) { static_cast<void>(json); }
};

/// `client` is any but embeddings, which has no streams.
std::unique_ptr<StreamEncoder> make_stream_encoder(Protocol client, EncoderOptions options);

/// The whole answer as one body; for the UI stream, which has no such form, the stream of it.
std::string encode_whole(Protocol client, const Answer& answer, const EncoderOptions& options);

/// The deltas of an answer that was recorded whole: text and reasoning are cut at word boundaries
/// into pieces of 8 to 20 characters, tool arguments likewise by length. Ends with delta::Done.
std::vector<Delta> replay(const Answer& answer);

/// The deltas of an answer without any cut: each block at once.
std::vector<Delta> unfold(const Answer& answer);

}  // namespace conciergus::llm

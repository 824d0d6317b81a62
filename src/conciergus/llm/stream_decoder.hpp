#pragma once
/// Reads what upstreams answer into deltas, event by event or whole.
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "conciergus/llm/answer.hpp"
#include "conciergus/llm/protocol.hpp"

namespace conciergus::llm {

/// The state of one upstream stream. Not thread-safe; keeps no views of what it was given.
class StreamDecoder {
 public:
  virtual ~StreamDecoder() = default;

  /// Appends what the event says. Never fails: an error event, and what is not JSON, is
  /// delta::Failed; what the model has no place for is delta::Unknown; an event that says nothing
  /// is delta::Ping. After delta::Failed or delta::Done nothing more is to be handed in.
  virtual void decode(std::string_view event, std::string_view data, std::vector<Delta>& out) = 0;

  /// For the responses protocol, whose events are numbered: the number that an event of ours must
  /// have.
  virtual std::uint64_t next_sequence_number() const noexcept { return 0; }
};

/// `upstream` is chat completions, messages or responses; anything else is a bug and aborts.
std::unique_ptr<StreamDecoder> make_stream_decoder(Protocol upstream);

/// The whole body of a 200 as the deltas that a stream of the same answer would have given, with
/// delta::Done or delta::Failed last. An embeddings answer gives usage, finish and Done without
/// content.
std::vector<Delta> decode_whole(Protocol upstream, std::string_view body);

/// What an answer with another status says; `status` is kept. A body that is not the protocol's
/// error object gives a failure with a general message, as foreign pages are not shown to clients.
Failure decode_error(unsigned status, std::string_view body);

/// The event only reports usage: it is dropped where we alone have asked for it.
bool is_usage_only(std::span<const Delta> deltas) noexcept;

}  // namespace conciergus::llm

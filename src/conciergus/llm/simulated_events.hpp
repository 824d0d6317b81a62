#pragma once
/// Writes simulated answers as the real providers do. Deliberately apart from the gateway's own
/// encoders, so that each side of a test checks the other.
#include <string>
#include <vector>

#include "conciergus/llm/protocol.hpp"
#include "conciergus/llm/simulated_answer.hpp"

namespace conciergus::llm {

struct SimulatedEvent {
  enum class Kind : std::uint8_t {
    kOpening,   ///< Before any content.
    kContent,   ///< A token.
    kClosing,   ///< Ends of blocks, the finish reason, usage.
    kTerminal,  ///< The protocol's last word.
  };
  Kind kind;
  std::string bytes;
};

struct SimulatedFinish {
  bool has_reason = true;
  bool includes_usage = true;  ///< Chat completions: the usage chunk.
};

/// The stream of the answer. `protocol` is chat completions, messages or responses.
std::vector<SimulatedEvent> stream_of(Protocol protocol,
                                      const SimulatedAnswer& answer,
                                      const SimulatedFinish& finish = {});

/// The whole answer as one JSON body.
std::string whole_of(Protocol protocol, const SimulatedAnswer& answer);

/// One event without content, as each protocol has it.
std::string empty_event(Protocol protocol, const SimulatedAnswer& answer);

/// An error in the middle of a stream.
std::string error_event(Protocol protocol, std::string_view message);

/// The body of an error status.
std::string error_body(Protocol protocol, unsigned status, std::string_view message);

/// The answer to an embeddings request: for each input a unit vector made from its text.
std::string simulated_embeddings(JsonValue request, std::string_view model, std::uint64_t seed);

}  // namespace conciergus::llm

#pragma once
/// A simulated answer as bytes in time: what is sent, how long each piece keeps the client waiting,
/// and how it ends. Faults are worked into it.
#include <chrono>
#include <string>
#include <vector>

#include "conciergus/base/random.hpp"
#include "conciergus/http/message.hpp"
#include "conciergus/llm/simulated_config.hpp"
#include "conciergus/llm/simulated_events.hpp"
#include "conciergus/llm/simulated_fault.hpp"

namespace conciergus::llm {

struct SimulatedScript {
  enum class Ending : std::uint8_t {
    kClean,
    kBroken,   ///< The connection is cut.
    kSilence,  ///< Nothing more, for ever.
    kPings,    ///< Signs of life, for ever.
  };
  struct Piece {
    std::string bytes;
    std::chrono::microseconds after{0};  ///< Since the piece before.
  };
  std::vector<Piece> pieces;
  Ending ending = Ending::kClean;
};

/// The waits of one answer: log-normal around the configured medians, and the same for one seed.
class SimulatedPace {
 public:
  SimulatedPace(const SimulatedConfig& config, std::uint64_t seed)
      : config_(config), random_(seed) {}
  std::chrono::microseconds first_token();
  std::chrono::microseconds next_token();

 private:
  double normal();

  const SimulatedConfig& config_;
  Random random_;
};

SimulatedScript script_stream(Protocol protocol,
                              const SimulatedAnswer& answer,
                              bool includes_usage,
                              const SimulatedFault& fault,
                              SimulatedPace& pace);
SimulatedScript script_whole(Protocol protocol,
                             const SimulatedAnswer& answer,
                             const SimulatedFault& fault,
                             SimulatedPace& pace);

/// Plays a script to whoever reads. Belongs to one shard.
class SimulatedBody final : public http::BodyReader {
 public:
  explicit SimulatedBody(SimulatedScript script) : script_(std::move(script)) {}
  Task<Result<std::string_view>> read() override;

 private:
  SimulatedScript script_;
  std::size_t next_ = 0;
  std::string joined_;
};

}  // namespace conciergus::llm

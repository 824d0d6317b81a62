#pragma once
/// The work behind a flight: asks one target after the other until one begins to answer, then
/// passes on what it says, counts it, and keeps it for the cache.
#include <memory>
#include <string>
#include <vector>

#include "conciergus/llm/effective_request.hpp"
#include "conciergus/llm/flight_leader.hpp"
#include "conciergus/llm/llm_engine.hpp"

namespace conciergus::llm {

/// A client's request with everything that its upstream call needs once the client itself may be
/// gone. Immutable; it does not move, since its parts borrow from one another.
struct PreparedRequest {
  ClientRequest client;
  ModelMap::Route route;
  RoutePolicy policy;  ///< The route's, as far as the client has not tightened it.
  std::string scope;
  std::string tenant;
  UpstreamHead head;
  CacheDecision decision;
  std::optional<CacheKey> key;  ///< Of the first target.
  Deadline deadline;

  /// The fields of `head` that belong to the key.
  std::vector<HeaderField> key_headers() const;
  /// As the target at that place of the route gets it.
  Result<EffectiveRequest> effective(const LlmConfig& config, std::size_t choice) const;
};

/// Runs to the end of the flight, whatever that is: spawned into the shard's gate of calls.
Task<void> lead_flight(std::shared_ptr<const LlmEngine> engine,
                       LlmShard* part,
                       std::shared_ptr<const PreparedRequest> request,
                       FlightLeader leader);

}  // namespace conciergus::llm

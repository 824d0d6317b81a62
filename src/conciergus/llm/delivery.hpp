#pragma once
/// Gives the answer of a flight, or of the cache, to one client.
#include <memory>
#include <string>

#include "conciergus/http/handler.hpp"
#include "conciergus/llm/cache_status.hpp"
#include "conciergus/llm/llm_engine.hpp"

namespace conciergus::llm {

/// How this client wants its answer.
struct Delivery {
  Protocol client = Protocol::kChatCompletions;
  bool is_stream = false;
  bool strips_usage = false;
  std::string stream;      ///< Name of a resumable stream, or empty.
  std::uint64_t from = 0;  ///< First piece that the client has not seen.
  CacheStatus cache;
  Served served = Served::kLed;
  Deadline deadline{};  ///< Of the whole answer, where it is still being made.
};

/// Waits for the flight to begin, or for its end when the client wants the answer whole, and
/// responds. `engine` is held by what is being sent.
Task<Result<http::Response>> deliver_flight(std::shared_ptr<const LlmEngine> engine,
                                            http::RequestContext& context,
                                            http::Request& request,
                                            std::unique_ptr<Subscription> subscription,
                                            Delivery delivery);

http::Response deliver_hit(const LlmEngine& engine,
                           http::RequestContext& context,
                           const http::Request& request,
                           const ResponseCache::Hit& hit,
                           const Delivery& delivery);

/// Refuses, and counts the refusal.
http::Response refuse(const LlmEngine& engine,
                      Protocol client,
                      const Failure& failure,
                      http::RequestContext& context,
                      const http::Request& request,
                      const http::Headers& headers = {});

}  // namespace conciergus::llm

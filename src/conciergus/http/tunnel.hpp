#pragma once
/// Bytes both ways between a client and an upstream after 101 (WebSocket and other protocols).
#include <chrono>

#include "conciergus/http/client.hpp"
#include "conciergus/runtime/shard.hpp"

namespace conciergus::http {

/// Runs until both directions have ended, either side breaks, or nothing has come for `idle`. The
/// end of one direction is passed on where the stream can tell it, and then the other has 30 s of
/// silence at most. Both streams are closed afterwards, and when cancelled. `early` goes to the
/// upstream first, and the upstream's own early bytes to the client.
Task<void> run_tunnel(runtime::Shard& shard,
                      net::Stream& client,
                      std::string early,
                      Upgraded upstream,
                      std::chrono::milliseconds idle);

}  // namespace conciergus::http

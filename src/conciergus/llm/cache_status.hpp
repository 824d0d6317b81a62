#pragma once
/// What the cache did for a request, as a member of Cache-Status (RFC 9211). The key is never told:
/// it would say whether somebody else has asked the question.
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace conciergus::llm {

struct CacheStatus {
  enum class How : std::uint8_t {
    kHit,        ///< "hit; ttl=312"; ttl negative for a stale one.
    kMiss,       ///< "fwd=miss"
    kCollapsed,  ///< "fwd=miss; collapsed": shared the call of an earlier request.
    kRequest,    ///< "fwd=request": the request wanted it fresh.
    kBypass,     ///< "fwd=bypass": neither looked for nor stored.
    kStale,      ///< "fwd=stale": there was one, past its time.
  };
  How how = How::kMiss;
  std::chrono::seconds ttl{0};  ///< Of a hit.
  bool stored = false;          ///< Only where it is known in time.
  std::string_view detail{};    ///< A token: the reason of a bypass, "stale-if-error".

  /// Without the cache's name: "fwd=bypass; detail=temperature".
  std::string to_string() const;
};

struct CacheDecision;
/// How a request that was not answered from the cache went on, by what was decided about it.
CacheStatus forwarded(const CacheDecision& decision, bool is_collapsed);

}  // namespace conciergus::llm

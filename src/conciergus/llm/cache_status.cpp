#include "conciergus/llm/cache_status.hpp"

#include "conciergus/llm/cache_decision.hpp"

namespace conciergus::llm {

std::string CacheStatus::to_string() const {
  std::string text;
  switch (how) {
    case How::kHit:
      text = "hit; ttl=" + std::to_string(ttl.count());
      break;
    case How::kMiss:
      text = "fwd=miss";
      break;
    case How::kCollapsed:
      text = "fwd=miss; collapsed";
      break;
    case How::kRequest:
      text = "fwd=request";
      break;
    case How::kBypass:
      text = "fwd=bypass";
      break;
    case How::kStale:
      text = "fwd=stale";
      break;
  }
  if (stored) text += "; stored";
  if (!detail.empty()) {
    text += "; detail=";
    text += detail;
  }
  return text;
}

CacheStatus forwarded(const CacheDecision& decision, bool is_collapsed) {
  CacheStatus status{.detail = decision.bypass};
  if (is_collapsed) {
    status.how = CacheStatus::How::kCollapsed;
  } else if (decision.may_look_up) {
    status.how = CacheStatus::How::kMiss;
  } else if (decision.may_store) {
    status.how = CacheStatus::How::kRequest;
  } else {
    status.how = CacheStatus::How::kBypass;
  }
  return status;
}

}  // namespace conciergus::llm

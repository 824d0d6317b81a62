#include "conciergus/llm/request_memo.hpp"

#include "conciergus/llm/sha256.hpp"

namespace conciergus::llm {

CacheKey digest(const RequestBytes& request) {
  std::vector<std::uint64_t> frame{request.generation,
                                   static_cast<std::uint64_t>(request.protocol),
                                   request.scope.size(),
                                   request.body.size()};
  std::vector<std::string_view> parts{{}, request.scope, request.body};
  for (const std::string_view header : request.headers) {
    frame.push_back(header.size());
    parts.push_back(header);
  }
  parts.front() = {reinterpret_cast<const char*>(frame.data()),
                   frame.size() * sizeof(std::uint64_t)};
  return sha256(parts);
}

}  // namespace conciergus::llm

#pragma once
/// POST /v1/chat/completions, /v1/messages, /v1/responses, /v1/embeddings and /api/chat: from the
/// request's bytes over cache, hub and upstream to the answer in the client's protocol.
#include <memory>

#include "conciergus/http/handler.hpp"
#include "conciergus/llm/llm_engine.hpp"
#include "conciergus/llm/upstream_chain.hpp"

namespace conciergus::llm {

/// Const and thread-safe. Wants a TenantMiddleware in front, which sets the scope. An answer being
/// sent holds the engine.
class ChatHandler final : public http::Handler {
 public:
  ChatHandler(std::shared_ptr<const LlmEngine> engine, Protocol protocol)
      : engine_(std::move(engine)), protocol_(protocol) {}

  /// Every refusal is a response in the client's protocol; an Error means that the client has gone
  /// or that its body could not be read at all.
  Task<Result<http::Response>> handle(http::RequestContext& context,
                                      http::Request& request) const override;

 private:
  struct Prepared;
  using Refusal = http::Response;

  Task<Result<http::Response>> answer(http::RequestContext& context,
                                      http::Request& request,
                                      std::string body,
                                      const CacheKey& digest,
                                      bool was_looked_up) const;
  /// Null, and `refusal` set, when the request is at fault.
  std::shared_ptr<const PreparedRequest> prepare(http::RequestContext& context,
                                                 const http::Request& request,
                                                 std::string body,
                                                 Refusal& refusal) const;
  Task<Result<http::Response>> resume(http::RequestContext& context,
                                      http::Request& request,
                                      const PreparedRequest& prepared) const;
  StreamHub::Joined join(LlmShard& part,
                         const std::shared_ptr<const PreparedRequest>& prepared) const;
  bool is_resumable(const PreparedRequest& prepared) const;

  const std::shared_ptr<const LlmEngine> engine_;
  const Protocol protocol_;
};

}  // namespace conciergus::llm

#pragma once
/// What belongs to running answers besides asking: resuming one (GET /api/chat/{id}/stream) and
/// stopping one (POST /api/chat/{id}/stop, POST /v1/streams/{id}/stop). The id is the first path
/// parameter of the route. Both want a TenantMiddleware in front: others' answers are not there.
#include <memory>

#include "conciergus/http/handler.hpp"
#include "conciergus/llm/llm_engine.hpp"

namespace conciergus::llm {

/// The chat's answer from its beginning, as a UI message stream. 204 whenever there is nothing to
/// give, since `useChat` shows anything else as an error.
class ResumeChatHandler final : public http::Handler {
 public:
  explicit ResumeChatHandler(std::shared_ptr<const LlmEngine> engine)
      : engine_(std::move(engine)) {}
  Task<Result<http::Response>> handle(http::RequestContext& context,
                                      http::Request& request) const override;

 private:
  const std::shared_ptr<const LlmEngine> engine_;
};

/// Ends an answer for whoever reads it, and the upstream call unless others wait for it too. 204,
/// also when there was nothing to stop, so that stopping twice is no error.
class StopHandler final : public http::Handler {
 public:
  enum class Of : std::uint8_t {
    kChat,    ///< The id is a chat's.
    kStream,  ///< The id is what events carry before the colon.
  };
  StopHandler(std::shared_ptr<const LlmEngine> engine, Of of)
      : engine_(std::move(engine)), of_(of) {}
  Task<Result<http::Response>> handle(http::RequestContext& context,
                                      http::Request& request) const override;

 private:
  const std::shared_ptr<const LlmEngine> engine_;
  const Of of_;
};

}  // namespace conciergus::llm

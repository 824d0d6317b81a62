#include "conciergus/gateway/llm_part.hpp"
#include "conciergus/http/cors_middleware.hpp"
#include "conciergus/http/error_response.hpp"
#include "conciergus/llm/chat_handler.hpp"
#include "conciergus/llm/models_handler.hpp"
#include "conciergus/llm/ui_chat_handler.hpp"

namespace conciergus::gateway {
namespace {

using Handler = std::shared_ptr<const http::Handler>;

class NoProvider final : public http::Handler {
 public:
  Task<Result<http::Response>> handle(http::RequestContext& context,
                                      http::Request& request) const override {
    context.notes.error = "no_provider";
    co_return http::error_response(
        503,
        "no_provider",
        "No provider is configured: set OPENAI_API_KEY, ANTHROPIC_API_KEY or llm.providers.",
        context,
        request);
  }
};

/// Adds routes that all pass through the same middlewares.
class LlmRoutes {
 public:
  LlmRoutes(http::Router& router,
            const GatewayConfig& config,
            const std::shared_ptr<llm::LlmEngine>& engine)
      : router_(router), config_(config), engine_(engine) {}

  void add(std::string methods, std::string_view path, std::string_view name, Handler handler) {
    std::vector<std::unique_ptr<http::Middleware>> chain;
    if (!config_.cors.origins.empty()) {
      methods += " OPTIONS";
      chain.push_back(std::make_unique<http::CorsMiddleware>(config_.cors.origins));
    }
    if (engine_)
      chain.push_back(std::make_unique<llm::TenantMiddleware>(engine_->shared_tenants()));
    auto last = engine_ ? std::move(handler) : std::make_shared<NoProvider>();
    router_.add(
        methods, path, name, std::make_shared<http::Chain>(std::move(chain), std::move(last)));
  }

 private:
  http::Router& router_;
  const GatewayConfig& config_;
  const std::shared_ptr<llm::LlmEngine>& engine_;
};

}  // namespace

void add_llm_routes(http::Router& router,
                    const GatewayConfig& config,
                    const std::shared_ptr<llm::LlmEngine>& engine) {
  using llm::Protocol;
  using llm::StopHandler;
  LlmRoutes routes(router, config, engine);
  const auto ask = [&](std::string_view path, std::string_view name, Protocol protocol) {
    routes.add("POST", path, name, std::make_shared<llm::ChatHandler>(engine, protocol));
  };
  const auto stop = [&](std::string_view path, std::string_view name, StopHandler::Of of) {
    routes.add("POST", path, name, std::make_shared<StopHandler>(engine, of));
  };
  ask("/v1/chat/completions", "chat_completions", Protocol::kChatCompletions);
  ask("/v1/messages", "messages", Protocol::kMessages);
  ask("/v1/responses", "responses", Protocol::kResponses);
  ask("/v1/embeddings", "embeddings", Protocol::kEmbeddings);
  const auto models = engine ? std::make_shared<llm::ModelsHandler>(engine) : nullptr;
  routes.add("GET", "/v1/models", "models", models);
  stop("/v1/streams/{id}/stop", "stop", StopHandler::Of::kStream);
  if (!config.serves_chat()) return;
  ask("/api/chat", "ui_chat", Protocol::kUiMessages);
  routes.add("GET",
             "/api/chat/{id}/stream",
             "ui_resume",
             std::make_shared<llm::ResumeChatHandler>(engine));
  stop("/api/chat/{id}/stop", "ui_stop", StopHandler::Of::kChat);
}

}  // namespace conciergus::gateway

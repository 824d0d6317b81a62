#include "conciergus/llm/ui_chat_handler.hpp"

#include "conciergus/llm/delivery.hpp"

namespace conciergus::llm {
namespace {

std::string_view id_of(const http::RequestContext& context) noexcept {
  return context.path_parameters.empty() ? std::string_view{} : context.path_parameters.front();
}

http::Response no_content() {
  http::Response response;
  response.status = 204;
  return response;
}

}  // namespace

Task<Result<http::Response>> ResumeChatHandler::handle(http::RequestContext& context,
                                                       http::Request& request) const {
  auto found = engine_->resume().resume_chat(context.scope, id_of(context), context.shard);
  if (found.outcome != ResumeRegistry::Outcome::kFound) co_return no_content();
  const auto longest = engine_->models().longest_total();
  Delivery delivery{.client = Protocol::kUiMessages,
                    .is_stream = true,
                    .strips_usage = false,
                    .stream = std::move(found.stream),
                    .from = 0,
                    .cache = {CacheStatus::How::kCollapsed, {}, false, {}},
                    .served = Served::kResumed,
                    .deadline = context.deadline.within(context.started, longest)};
  auto response = co_await deliver_flight(
      engine_, context, request, std::move(found.subscription), std::move(delivery));
  // What failed before its first word is told to whoever asked first, and is nothing to resume.
  if (response && response->status != 200) co_return no_content();
  co_return response;
}

Task<Result<http::Response>> StopHandler::handle(http::RequestContext& context,
                                                 http::Request&) const {
  if (of_ == Of::kChat) {
    engine_->resume().stop_chat(context.scope, id_of(context));
  } else {
    engine_->resume().stop(context.scope, id_of(context));
  }
  co_return no_content();
}

}  // namespace conciergus::llm

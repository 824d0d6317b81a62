#include "conciergus/llm/failure_response.hpp"
#include "conciergus/llm/tenant.hpp"

namespace conciergus::llm {

Task<Result<http::Response>> TenantMiddleware::handle(http::RequestContext& context,
                                                      http::Request& request,
                                                      http::Next next) const {
  auto tenant = tenants_->identify(request.headers, context.peer.address);
  if (!tenant) {
    // Below /api/chat the UI stream's client shows the body as it is.
    const bool is_ui = request.path().starts_with(endpoint(Protocol::kUiMessages));
    const Protocol protocol =
        is_ui ? Protocol::kUiMessages
              : protocol_at(request.path()).value_or(Protocol::kChatCompletions);
    http::Headers headers;
    headers.add("www-authenticate", "Bearer");
    headers.add("x-should-retry", "false");
    const Failure failure = make_failure(401, "invalid_api_key", tenant.error().detail());
    co_return failure_response(protocol, failure, context, request, headers);
  }
  context.scope = std::move(tenant->scope);
  context.notes.tenant = std::move(tenant->name);
  co_return co_await next.run(context, request);
}

}  // namespace conciergus::llm

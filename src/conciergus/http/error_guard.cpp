#include "conciergus/http/error_guard.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include "conciergus/http/error_response.hpp"

namespace conciergus::http {
namespace {

/// Runs the rest; what it throws comes back as kInternal, but for cancellation, which goes on.
Task<Result<Response>> contained(RequestContext& context, Request& request, Next next) {
  try {
    co_return co_await next.run(context, request);
  } catch (const boost::system::system_error& error) {
    if (error.code() == asio::error::operation_aborted) throw;
    co_return fail(ErrorCode::kInternal, error.what());
  } catch (const std::exception& error) {
    co_return fail(ErrorCode::kInternal, error.what());
  }
}

}  // namespace

Task<Result<Response>> ErrorGuard::handle(RequestContext& context,
                                          Request& request,
                                          Next next) const {
  auto response = co_await contained(context, request, next);
  if (response || response.error().code() == ErrorCode::kCancelled) co_return response;
  const auto& error = response.error();
  if (const auto status =
          request.body->failure_status()) {  // the client's doing, whoever was reading
    const auto code = status == 408 ? ErrorCode::kTimeout : ErrorCode::kInvalidRequest;
    context.notes.error = to_string(code);
    co_return error_response(status, to_string(code), error.detail(), context, request);
  }
  context.notes.error = to_string(error.code());
  if (error.code() == ErrorCode::kInternal) {
    internal_errors_.add();
    context.shard.log().error("http.internal_error",
                              error,
                              {{"route", context.notes.route}, {"request_id", context.request_id}});
  }
  co_return error_response(error, context, request, show_detail_);
}

}  // namespace conciergus::http

#pragma once
/// The request pipeline: each middleware wraps the rest, calls it at most once, or answers itself.
/// When the client goes away, the running coroutine is cancelled (terminal) within half a second,
/// so handlers hold whatever must be given back in objects whose destructors do so. Nothing has to
/// be switched on for that, and requests that are answered sooner do not pay for it.
#include <memory>
#include <span>

#include "conciergus/base/result.hpp"
#include "conciergus/http/message.hpp"
#include "conciergus/http/request_context.hpp"
#include "conciergus/runtime/task.hpp"

namespace conciergus::http {

/// Answers requests. Shared by the requests of a shard, often by all shards: const and thread-safe.
class Handler {
 public:
  virtual ~Handler() = default;
  /// `context` and `request` stay valid until the task completes, and while a streamed body is
  /// read. An Error becomes an error page by its code (see error_response.hpp).
  virtual Task<Result<Response>> handle(RequestContext& context, Request& request) const = 0;
};

class Middleware;

/// What comes after a middleware. A value: two words and a pointer.
class Next {
 public:
  Next(std::span<const std::unique_ptr<Middleware>> chain, const Handler& last) noexcept
      : chain_(chain), last_(&last) {}
  Task<Result<Response>> run(RequestContext& context, Request& request) const;

 private:
  std::span<const std::unique_ptr<Middleware>> chain_;
  const Handler* last_;
};

class Middleware {
 public:
  virtual ~Middleware() = default;
  /// As Handler::handle.
  virtual Task<Result<Response>> handle(RequestContext& context,
                                        Request& request,
                                        Next next) const = 0;
};

inline Task<Result<Response>> Next::run(RequestContext& context, Request& request) const {
  if (chain_.empty()) return last_->handle(context, request);
  return chain_.front()->handle(context, request, Next(chain_.subspan(1), *last_));
}

}  // namespace conciergus::http

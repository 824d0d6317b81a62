#pragma once
/// One request and its response on one connection, RFC 9112. Internal to the client.
#include <span>

#include "conciergus/http/upstream_pool.hpp"
#include "conciergus/runtime/notifier.hpp"

namespace conciergus::http {

/// Limits of one call, with the configuration's values filled in.
struct ExchangeLimits {
  std::chrono::milliseconds head;
  std::chrono::milliseconds idle;
  Deadline overall;
};

/// Lives in the frame of Client::send(). Borrows everything but the lease.
class UpstreamExchange {
 public:
  UpstreamExchange(UpstreamPool::Lease lease,
                   const Origin& origin,
                   ClientRequest& request,
                   const ExchangeLimits& limits,
                   InterimSink* interim,
                   CallReport& report);

  /// The response, which takes the lease along if its body is still to come. A response that comes
  /// before the request body has been sent ends the upload if it is an error; any other waits for
  /// the upload. On failure or cancellation the connection is closed.
  Task<Result<Response>> run();

  /// After a failure: true if the pooled connection was dead, so that nothing of the response has
  /// come and the request body is still whole, and repeating cannot make the upstream act twice.
  bool may_repeat() const noexcept;

 private:
  Result<void> compose_head(std::string& out) const;
  Task<Result<void>> send_head();
  Task<Result<void>> upload();
  Task<Result<void>> upload_body();
  Task<Result<void>> upload_stream(BodyReader& body);
  Task<bool> write_to_upstream(std::span<const asio::const_buffer> buffers);
  Task<Result<void>> read_head();
  Task<Result<void>> read_head_during_upload();
  Task<Result<void>> pass_interim(const codec::ResponseHead& head);
  Result<Response> make_response();
  Result<void> end_at_once(bool may_reuse);
  void expect_progress();

  UpstreamPool::Lease lease_;
  UpstreamConnection& connection_;
  const Origin& origin_;
  ClientRequest& request_;
  const ExchangeLimits limits_;
  InterimSink* const interim_;
  CallReport& report_;
  const std::optional<std::uint64_t> upload_size_;
  bool waits_for_continue_;
  bool send_refused_ = false;    // the connection was dead: nothing of the request has gone out
  bool response_begun_ = false;  // a byte of it has come
  bool stream_begun_ = false;    // of the request body, which cannot be had again
  bool upload_over_ = false;     // completely sent, or the upstream takes no more
  bool upload_complete_ = false;
  std::size_t interims_ = 0;
  std::optional<runtime::Notifier> changed_;  // while uploading
};

}  // namespace conciergus::http

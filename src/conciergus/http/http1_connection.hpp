#pragma once
/// One HTTP/1 connection of the server: takes requests off it one after the other, has them
/// handled, and sends what comes of it. RFC 9112.
#include <memory>
#include <string>

#include "conciergus/codec/http1_parser.hpp"
#include "conciergus/http/connection.hpp"
#include "conciergus/http/handler.hpp"
#include "conciergus/http/http1_request_body.hpp"
#include "conciergus/http/http1_response.hpp"
#include "conciergus/http/http1_transport.hpp"
#include "conciergus/http/request_context.hpp"

namespace conciergus::http {

class ServerShard;

/// Owned by the coroutine that runs it, which `self` names. Requests and buffers are used again, so
/// that a request costs next to no allocation.
class Http1Connection final : public Connection {
 public:
  /// `server` and `stream` outlive it.
  Http1Connection(ServerShard& server,
                  net::Stream& stream,
                  std::shared_ptr<const runtime::Gate::Member> self);

  /// Serves until either side ends the connection, which is closed then. Cancelled, as when the
  /// client has left in the middle of an exchange: the handler is cancelled with it.
  Task<void> run();
  /// What was read when run() has ended since the client speaks HTTP/2 by prior knowledge (RFC 9113
  /// section 3.3); empty otherwise. The stream is open then, and the next connection's.
  std::string take_http2_preface() { return std::move(http2_preface_); }

  void drain() noexcept override;
  bool is_idle() const noexcept override { return is_idle_; }

 private:
  class Interim;
  class Report;

  // Those that return a bool tell whether the connection can be used any further.
  Task<bool> receive_head();
  bool is_http2_preface();
  Task<void> refuse(unsigned status, std::string_view code, std::string detail);
  Task<bool> serve_request();
  Task<Result<Response>> call(const Handler& handler, RequestContext& context);
  Task<bool> respond(Response response, const RequestContext& context, Report& report);
  Task<bool> send_text(std::string_view text, Report& report);
  Task<bool> send_stream(BodyReader& body, const Http1ResponsePlan& plan, Report& report);
  Task<bool> hand_over(Response& response, Report& report);

  void take_head(const codec::RequestHead& head);
  RequestContext make_context(InterimSink* interim);
  Response failure_response(const Error& error, const RequestContext& context) const;
  /// Writes the head into head_; a response that cannot be written is replaced by an error page.
  Http1ResponsePlan write_head(Response& response, const RequestContext& context);
  void append_last_chunk(const BodyReader& body);

  ServerShard& server_;
  Http1Transport transport_;
  codec::RequestParser parser_;
  Request request_;
  Http1RequestBody* body_ = nullptr;  // of the request that is being served
  std::string http2_preface_;
  std::string head_;        // of the response
  Clock::Instant started_;  // when the head was complete
  Clock::Instant ended_;    // when the last response was
  std::uint32_t requests_ = 0;
  bool is_idle_ = false;
  bool keep_alive_ = true;    // as the request asks
  bool has_upgrade_ = false;  // the request may be answered with 101
};

}  // namespace conciergus::http

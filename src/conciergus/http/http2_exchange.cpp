#include "conciergus/http/http2_exchange.hpp"

#include <algorithm>

#include "conciergus/base/text.hpp"
#include "conciergus/codec/http1_parser.hpp"
#include "conciergus/http/error_response.hpp"
#include "conciergus/http/http2_connection.hpp"
#include "conciergus/http/request_id.hpp"
#include "conciergus/http/server_shard.hpp"

namespace conciergus::http {
namespace {

constexpr std::size_t kSendPiece = 16'384;

codec::Http2Fields to_http2(const Headers& headers) {
  codec::Http2Fields fields;
  fields.reserve(headers.size() + 2);
  for (const auto field : headers) {
    auto& [name, value] = fields.emplace_back(field.name, field.value);
    std::ranges::transform(name, name.begin(), ascii_lower);
  }
  return fields;
}

bool has_no_body(unsigned status) noexcept {
  return status == 204 || status == 304;
}

}  // namespace

Http2Exchange::Http2Exchange(Http2Connection& connection,
                             std::int32_t stream,
                             codec::Http2Request request)
    : connection_(connection),
      stream_(stream),
      started_(connection.server().shard().now()),
      context_(make_context()),
      too_large_(request.too_large),
      request_ended_(request.ended),
      moved_(connection.server().shard().executor()) {
  fill_request(std::move(request));
}

void Http2Exchange::fill_request(codec::Http2Request request) {
  request_.method = std::move(request.method);
  request_.target = std::move(request.path);
  request_.scheme = std::move(request.scheme);
  request_.authority = std::move(request.authority);
  request_.version = Version::kHttp2;
  request_.headers.add("host", request_.authority);  // for handlers that pass fields on
  for (const auto& [name, value] : request.fields) request_.headers.add(name, value);
  request_.body = this;
  if (request_ended_) {
    length_ = 0;
  } else if (const auto length = request_.headers.find("content-length")) {
    length_ = parse_decimal(*length);
  }
  const auto id = request_.headers.get("x-request-id");
  context_.request_id =
      is_sane_request_id(id) ? std::string(id) : connection_.server().make_request_id();
}

RequestContext Http2Exchange::make_context() {
  auto& server = connection_.server();
  const auto& peer = connection_.stream().peer();
  return {.shard = server.shard(),
          .peer = peer,
          .client_address = peer.address,
          .started = started_,
          .interim = this,
          .drain = &server.drain_signal()};
}

Response Http2Exchange::refusal(unsigned status, std::string_view code, std::string_view message) {
  connection_.server().metrics().refused(status);
  return error_response(status, code, message, context_, request_);
}

Task<void> Http2Exchange::run() {
  auto& server = connection_.server();
  const auto handler = server.handler();  // this one even if another is set meanwhile
  auto* observer = server.observer();
  struct Finally {
    Http2Exchange& exchange;
    ExchangeObserver* observer;
    ~Finally() {
      exchange.is_running_ = false;
      exchange.end_.at = exchange.context_.shard.now();
      if (observer) observer->ended(exchange.context_, exchange.request_, exchange.end_);
    }
  };
  if (observer) observer->begun(context_);
  const Finally finally{*this, observer};

  if (too_large_) {
    co_await respond(refusal(431, "head_too_large", "The head of the request is too large."));
  } else if (request_.method == "CONNECT") {
    co_await respond(refusal(501, "not_implemented", "CONNECT is not supported."));
  } else if (!codec::is_valid_authority(request_.authority)) {
    co_await respond(refusal(400, "invalid_request", "The authority is not valid."));
  } else {
    auto response = co_await call_handler(*handler);
    if (!response) {
      context_.notes.error = to_string(response.error().code());
      response =
          error_response(response.error(), context_, request_, server.config().show_error_detail);
    }
    co_await respond(*std::move(response));
  }
}

Task<Result<Response>> Http2Exchange::call_handler(const Handler& handler) {
  try {
    co_return co_await handler.handle(context_, request_);
  } catch (...) {
    const auto escaped = std::current_exception();
    if (runtime::is_cancellation(escaped)) throw;
    connection_.server().metrics().handler_failures.add();
    context_.shard.on_escape()("http.handler", escaped);
  }
  co_return fail(ErrorCode::kInternal, "the handler failed");
}

Task<void> Http2Exchange::respond(Response response) {
  auto& session = connection_.session();
  if (closed_) co_return;
  auto fields = to_http2(response.headers);
  std::erase_if(fields, [](const auto& field) { return field.first == "content-length"; });
  if (!response.headers.contains("date")) {
    fields.emplace_back("date", connection_.server().date(context_.shard.now()));
  }
  const bool no_body = request_.method == "HEAD" || has_no_body(response.status);
  const auto size = response.body.size();
  if (size && !has_no_body(response.status)) {
    // the head of a HEAD response without a body of its own tells the length that GET would have
    // had
    const bool tells_another = no_body && *size == 0 && response.headers.contains("content-length");
    fields.emplace_back("content-length",
                        tells_another ? std::string(response.headers.get("content-length"))
                                      : std::to_string(*size));
  }
  end_.status = response.status;
  const bool empty = no_body || (size && *size == 0 && !response.body.is_stream());
  session.send_head(stream_, response.status, fields, empty);
  connection_.flush();
  if (empty) {
    end_.is_complete = true;
    co_return;
  }
  auto* stream = response.body.stream();
  const bool whole =
      stream ? co_await send_stream(*stream) : co_await send_text(response.body.text());
  if (!whole) {
    if (!closed_) session.reset(stream_, codec::Http2Session::kInternalError);
    connection_.flush();
    co_return;
  }
  const auto* trailers = stream ? stream->trailers() : nullptr;
  session.finish(stream_, trailers ? to_http2(*trailers) : codec::Http2Fields());
  connection_.flush();
  while (!closed_ && session.queued(stream_) > 0) {
    if (co_await wait_for_window()) continue;
    if (!closed_) session.reset(stream_, codec::Http2Session::kCancel);
    connection_.flush();
    co_return;
  }
  end_.is_complete = !closed_ || *closed_ == codec::Http2Session::kNoError;
}

bool Http2Exchange::is_congested() const noexcept {
  const auto& session = connection_.session();
  const auto mine = session.queued(stream_);
  return mine >= kHighWater || (mine > 0 && session.queued() >= kConnectionHighWater);
}

/// False when the stream has closed, or the client has taken nothing for the write timeout.
Task<bool> Http2Exchange::wait_for_window() {
  const auto& server = connection_.server();
  const auto before = connection_.session().queued(stream_);
  const auto until = Deadline(context_.shard.now() + server.config().write_timeout);
  while (!closed_ && connection_.session().queued(stream_) == before) {
    if (until.has_passed(context_.shard.now())) {
      server.metrics().write_timeouts.add();
      co_return false;
    }
    co_await moved_.wait(until);
  }
  co_return !closed_;
}

Task<bool> Http2Exchange::send_text(std::string_view text) {
  auto& session = connection_.session();
  while (!text.empty()) {
    if (closed_) co_return false;
    if (is_congested()) {
      if (!co_await wait_for_window()) co_return false;
      continue;
    }
    const auto piece = text.substr(0, kSendPiece);
    session.send(stream_, piece);
    connection_.flush();
    end_.sent_bytes += piece.size();
    text.remove_prefix(piece.size());
  }
  co_return true;
}

Task<bool> Http2Exchange::send_stream(BodyReader& body) {
  for (;;) {
    const auto piece = co_await body.read();
    if (!piece || closed_) co_return false;
    if (piece->empty()) co_return true;
    if (!co_await send_text(*piece)) co_return false;
  }
}

Task<Result<void>> Http2Exchange::send(unsigned status, const Headers& headers) {
  if (closed_) co_return fail(ErrorCode::kCancelled, "the stream is closed");
  connection_.session().send_interim(stream_, status, to_http2(headers));
  connection_.flush();
  co_return Result<void>{};
}

Task<Result<std::string_view>> Http2Exchange::read() {
  if (!handed_out_.empty()) {
    connection_.session().consumed(stream_, handed_out_.size());
    connection_.flush();
    handed_out_.clear();
  }
  const auto& server = connection_.server();
  const auto until = Deadline(context_.shard.now() + server.config().body_idle_timeout);
  while (arrived_.empty() && !request_ended_ && !closed_) {
    if (until.has_passed(context_.shard.now())) {
      server.metrics().body_timeouts.add();
      co_return fail(ErrorCode::kTimeout, "the body of the request came too slowly");
    }
    co_await moved_.wait(until);
  }
  if (arrived_.empty() && closed_ && !request_ended_)
    co_return fail(ErrorCode::kUnavailable, "the client has gone");
  std::swap(arrived_, handed_out_);
  co_return std::string_view(handed_out_);
}

void Http2Exchange::received(std::string_view data) {
  end_.received_bytes += data.size();
  arrived_.append(data);
  moved_.notify_all();
}

void Http2Exchange::ended(codec::Http2Fields trailers) {
  for (const auto& [name, value] : trailers) trailers_.add(name, value);
  request_ended_ = true;
  moved_.notify_all();
}

void Http2Exchange::closed(std::uint32_t error_code) {
  closed_ = error_code;
  moved_.notify_all();
}

}  // namespace conciergus::http

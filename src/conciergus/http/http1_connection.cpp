#include "conciergus/http/http1_connection.hpp"

#include <array>
#include <exception>
#include <utility>

#include "conciergus/codec/http1_body.hpp"
#include "conciergus/codec/http1_writer.hpp"
#include "conciergus/http/error_response.hpp"
#include "conciergus/http/request_id.hpp"
#include "conciergus/http/server_shard.hpp"

namespace conciergus::http {
namespace {

constexpr std::size_t kWriteSlice = 64 * 1024;  // what the write timeout is for
constexpr std::size_t kKeptHeaderBytes = 4'096;

/// The origin form of an absolute one; the parser has compared its authority with Host.
std::string_view origin_form(std::string_view target) noexcept {
  if (target.starts_with('/')) return target;
  const auto scheme = target.find("://");
  if (scheme == target.npos) return target;  // "*", or the authority of CONNECT
  const auto path = target.find_first_of("/?", scheme + 3);
  return path == target.npos || target[path] == '?' ? "/" : target.substr(path);
}

asio::const_buffer as_buffer(std::string_view text) noexcept {
  return {text.data(), text.size()};
}

}  // namespace

class Http1Connection::Interim final : public InterimSink {
 public:
  explicit Interim(Http1Connection& connection) noexcept : connection_(connection) {}

  Task<Result<void>> send(unsigned status, const Headers& headers) override {
    if (connection_.request_.version == Version::kHttp10) co_return Result<void>{};
    std::string head;
    CONCIERGUS_CO_CHECK(write_interim_head(head, status, headers));
    co_return co_await connection_.transport_.send(head);
  }

 private:
  Http1Connection& connection_;
};

/// Tells the observer of the exchange, however it ends.
class Http1Connection::Report {
 public:
  Report(Http1Connection& connection, const RequestContext& context) noexcept
      : connection_(connection), context_(context) {
    if (auto* const observer = connection_.server_.observer()) observer->begun(context_);
  }
  ~Report() {
    end.at = connection_.ended_ = connection_.transport_.now();
    end.received_bytes = connection_.body_->received();
    auto* const observer = connection_.server_.observer();
    if (observer) observer->ended(context_, connection_.request_, end);
  }
  Report(const Report&) = delete;
  Report& operator=(const Report&) = delete;

  ExchangeEnd end;

 private:
  Http1Connection& connection_;
  const RequestContext& context_;
};

Http1Connection::Http1Connection(ServerShard& server,
                                 net::Stream& stream,
                                 std::shared_ptr<const runtime::Gate::Member> self)
    : server_(server),
      transport_(server.shard(), stream, server.config(), server.metrics(), std::move(self)),
      parser_(server.config().head) {
  server_.enlist(*this);
}

void Http1Connection::drain() noexcept {
  if (std::exchange(is_idle_, false)) transport_.stream().cancel();
}

Task<void> Http1Connection::run() {
  ended_ = transport_.now();
  while (co_await receive_head()) {
    const bool may_go_on = co_await serve_request();
    if (!may_go_on) break;
  }
  if (http2_preface_.empty()) {
    co_await transport_.shutdown();
  } else {
    transport_.release();
  }
}

Task<bool> Http1Connection::receive_head() {
  const auto& config = server_.config();
  auto& input = transport_.input();
  Clock::Instant head_until = Clock::Instant::max();
  for (;;) {
    is_idle_ = input.empty();
    if (!is_idle_) {
      if (is_http2_preface()) {
        http2_preface_ = input.data();
        co_return false;
      }
      const auto status = parser_.parse(input.data());
      if (status == codec::HeadStatus::kComplete) co_return true;
      if (status == codec::HeadStatus::kError) {
        const auto& error = parser_.error();
        co_await refuse(error.status, to_string(error.to_error().code()), error.detail());
        co_return false;
      }
    }

    auto until = ended_ + (requests_ == 0 ? config.head_timeout : config.keep_alive_timeout);
    if (is_idle_) {
      if (server_.drain_signal().is_draining()) co_return false;
      input.shrink();
      if (request_.headers.text_size() > kKeptHeaderBytes) request_ = Request();
    } else {
      const auto now = transport_.now();
      head_until = std::min(head_until, now + config.head_timeout);
      until = std::min(head_until, now + config.head_idle_timeout);
    }
    const auto size = co_await transport_.receive(until);
    if (!size && size.error().code() == ErrorCode::kTimeout && !input.empty()) {
      server_.metrics().head_timeouts.add();
      co_await refuse(408, "timeout", "the head of the request came too slowly");
    }
    if (!size || *size == 0) co_return false;
  }
}

bool Http1Connection::is_http2_preface() {
  return requests_ == 0 && transport_.input().data().starts_with("PRI ") &&
         transport_.stream().peer().is_loopback;
}

Task<void> Http1Connection::refuse(unsigned status, std::string_view code, std::string detail) {
  server_.metrics().refused(status);
  request_ = Request();
  keep_alive_ = false;
  const auto context = make_context(nullptr);
  auto response = error_response(status, code, detail, context, request_);
  const Http1Exchange exchange{.keep_alive = false};
  head_.clear();
  const auto written = write_response_head(
      head_, response, exchange, plan_response(response, exchange), server_.date(transport_.now()));
  if (!written) co_return;
  head_ += response.body.text();
  const auto sent = co_await transport_.send(head_);
  if (!sent) transport_.stream().close();
}

void Http1Connection::take_head(const codec::RequestHead& head) {
  request_.method.assign(head.method);
  request_.target.assign(origin_form(head.target));
  request_.scheme.assign(transport_.stream().is_tls() ? "https" : "http");
  request_.authority.assign(head.host);
  request_.version = head.minor_version == 0 ? Version::kHttp10 : Version::kHttp11;
  request_.headers.clear();
  for (const auto& field : head.fields) request_.headers.add(field.name, field.value);
  keep_alive_ = head.keep_alive;
  has_upgrade_ = head.has_upgrade;
}

RequestContext Http1Connection::make_context(InterimSink* interim) {
  const auto given = request_.headers.get("x-request-id");
  const auto& peer = transport_.stream().peer();
  return {
      .shard = server_.shard(),
      .peer = peer,
      .client_address = peer.address,
      .started = started_,
      .deadline = Deadline(),
      .interim = interim,
      .drain = &server_.drain_signal(),
      .request_id = is_sane_request_id(given) ? std::string(given) : server_.make_request_id(),
  };
}

Task<bool> Http1Connection::serve_request() {
  started_ = transport_.now();
  ++requests_;
  take_head(parser_.head());
  Http1RequestBody body(transport_, server_.config(), parser_.head());
  transport_.input().consume(parser_.consumed());
  parser_.reset();
  body_ = &body;
  request_.body = &body;

  const auto handler = server_.handler();  // held: a reload may bring another one meanwhile
  Interim interim(*this);
  auto context = make_context(&interim);
  Report report(*this, context);
  transport_.begin_exchange();
  auto answer = co_await call(*handler, context);
  if (!answer) {
    context.notes.error = to_string(answer.error().code());
    answer = failure_response(answer.error(), context);
  }
  const bool may_go_on = co_await respond(*std::move(answer), context, report);
  transport_.end_exchange();
  co_return may_go_on;
}

Task<Result<Response>> Http1Connection::call(const Handler& handler, RequestContext& context) {
  try {
    co_return co_await handler.handle(context, request_);
  } catch (...) {
    const auto escaped = std::current_exception();
    if (runtime::is_cancellation(escaped)) throw;
    server_.metrics().handler_failures.add();
    server_.shard().on_escape()("http.handler", escaped);
  }
  co_return fail(ErrorCode::kInternal, "the handler failed");
}

Response Http1Connection::failure_response(const Error& error,
                                           const RequestContext& context) const {
  if (const auto status = body_->failure_status()) {  // the client's own doing, whoever was reading
    const auto code = status == 408 ? ErrorCode::kTimeout : ErrorCode::kInvalidRequest;
    server_.metrics().refused(status);
    return error_response(status, to_string(code), error.detail(), context, request_);
  }
  return error_response(error, context, request_, server_.config().show_error_detail);
}

Http1ResponsePlan Http1Connection::write_head(Response& response, const RequestContext& context) {
  const Http1Exchange exchange{
      .version = request_.version,
      .is_head = request_.method == "HEAD",
      .keep_alive = keep_alive_ && requests_ < server_.config().max_requests_per_connection &&
                    !server_.drain_signal().is_draining() && body_->may_be_drained(),
  };
  head_.clear();
  auto plan = plan_response(response, exchange);
  auto written =
      write_response_head(head_, response, exchange, plan, server_.date(transport_.now()));
  if (!written) {
    server_.shard().log().error("http.malformed_response", written.error());
    response = failure_response(written.error(), context);
    plan = plan_response(response, exchange);
    written = write_response_head(head_, response, exchange, plan, server_.date(transport_.now()));
  }
  return plan;
}

Task<bool> Http1Connection::respond(Response response,
                                    const RequestContext& context,
                                    Report& report) {
  if (response.status == 101 && response.tunnel && has_upgrade_) {
    co_return co_await hand_over(response, report);
  }
  if (response.status < 200) {
    response = failure_response(Error(ErrorCode::kInternal, "not a final status"), context);
  }
  const auto plan = write_head(response, context);
  body_->response_has_begun();
  report.end.status = response.status;

  bool complete;
  if (response.body.is_stream() && plan.framing != Http1BodyFraming::kNone) {
    response.headers = Headers();  // a stream may stay open for long
    complete = co_await send_stream(*response.body.stream(), plan, report);
  } else {
    const bool has_body = plan.framing == Http1BodyFraming::kLength;
    complete = co_await send_text(has_body ? response.body.text() : std::string_view(), report);
  }
  report.end.is_complete = complete;
  if (!complete || !plan.keep_alive) co_return false;
  if (body_->is_complete()) co_return true;
  co_return co_await body_->drain();
}

Task<bool> Http1Connection::send_text(std::string_view text, Report& report) {
  auto slice = text.substr(0, kWriteSlice);
  const std::array first{as_buffer(head_), as_buffer(slice)};
  auto sent = co_await transport_.send(std::span(first).first(slice.empty() ? 1 : 2));
  while (sent) {
    report.end.sent_bytes += slice.size();
    text.remove_prefix(slice.size());
    if (text.empty()) co_return true;
    slice = text.substr(0, kWriteSlice);
    sent = co_await transport_.send(slice);
  }
  co_return false;
}

Task<bool> Http1Connection::send_stream(BodyReader& body,
                                        const Http1ResponsePlan& plan,
                                        Report& report) {
  const bool is_chunked = plan.framing == Http1BodyFraming::kChunked;
  if (!body.is_ready()) {
    const auto sent = co_await transport_.send(head_);
    if (!sent) co_return false;
    head_.clear();
  }
  for (;;) {
    const auto piece = co_await body.read();
    // a body that was cut, or does not keep to its length, must not look whole: the connection ends
    if (!piece) co_return false;
    const auto total = report.end.sent_bytes + piece->size();
    if (plan.framing == Http1BodyFraming::kLength &&
        (piece->empty() ? total != plan.length : total > plan.length)) {
      server_.shard().log().warn("http.body_length_differs",
                                 {{"expected", plan.length}, {"seen", total}});
      co_return false;
    }
    if (piece->empty()) break;

    codec::ChunkHeadBuffer chunk_head;
    const std::array buffers{
        as_buffer(head_),
        as_buffer(is_chunked ? codec::format_chunk_head(chunk_head, piece->size()) : ""),
        as_buffer(*piece),
        as_buffer(is_chunked ? codec::kChunkEnd : ""),
    };
    const auto sent = co_await transport_.send(buffers);
    if (!sent) co_return false;
    head_.clear();
    report.end.sent_bytes = total;
  }
  if (is_chunked) append_last_chunk(body);
  if (head_.empty()) co_return true;
  const auto sent = co_await transport_.send(head_);
  co_return sent.has_value();
}

void Http1Connection::append_last_chunk(const BodyReader& body) {
  const auto* const trailers = body.trailers();
  if (!trailers || trailers->empty() || !request_.headers.has_token("te", "trailers")) {
    head_ += codec::kLastChunk;
    return;
  }
  head_ += "0\r\n";
  codec::HeadWriter lines(head_);
  for (const auto field : *trailers) {
    if (!codec::is_forbidden_trailer(field.name)) lines.field(field.name, field.value);
  }
  if (!lines.finish()) head_ += "\r\n";  // none of them rather than a broken one
}

Task<bool> Http1Connection::hand_over(Response& response, Report& report) {
  const bool body_is_over = co_await body_->drain();
  if (!body_is_over) co_return false;
  const Http1Exchange exchange{};
  head_.clear();
  const auto written = write_response_head(
      head_, response, exchange, plan_response(response, exchange), server_.date(transport_.now()));
  if (!written) co_return false;
  const auto sent = co_await transport_.send(head_);
  if (!sent) co_return false;
  report.end.status = response.status;
  std::string early(transport_.input().data());
  transport_.input().consume(early.size());
  transport_.release();
  co_await response.tunnel(transport_.stream(), std::move(early));
  report.end.is_complete = true;
  co_return false;
}

}  // namespace conciergus::http

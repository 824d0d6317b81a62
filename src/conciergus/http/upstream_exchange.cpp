#include "conciergus/http/upstream_exchange.hpp"

#include <array>
#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "conciergus/base/text.hpp"
#include "conciergus/codec/http1_body.hpp"
#include "conciergus/codec/http1_writer.hpp"
#include "conciergus/http/upstream_body.hpp"
#include "conciergus/http/upstream_upgrade.hpp"
#include "conciergus/runtime/with_deadline.hpp"

namespace conciergus::http {
namespace {
using Phase = CallReport::Phase;

/// A storm of interim responses is an attack or a bug.
constexpr std::size_t kMaxInterims = 64;
/// Bodies up to this size share a write with the head. The send buffer of an idle connection takes
/// as much at once, so that a failure means that nothing has gone out.
constexpr std::size_t kSentWithHead = 16'384;
/// RFC 9110 section 10.1.1: a client does not wait for 100 for ever.
constexpr std::chrono::seconds kContinueWait{1};

/// Methods whose empty body is said to be empty, RFC 9110 section 8.6.
bool means_a_body(std::string_view method) noexcept {
  return method == "POST" || method == "PUT" || method == "PATCH";
}

bool is_idempotent(std::string_view method) noexcept {
  return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "PUT" ||
         method == "DELETE" || method == "TRACE";
}

/// Fields that the client itself writes.
bool is_own_field(std::string_view name) noexcept {
  switch (name.size()) {
    case 4:
      return iequals(name, "host");
    case 7:
      return iequals(name, "upgrade");
    case 10:
      return iequals(name, "connection");
    case 14:
      return iequals(name, "content-length");
    case 17:
      return iequals(name, "transfer-encoding");
    default:
      return false;
  }
}

}  // namespace

UpstreamExchange::UpstreamExchange(UpstreamPool::Lease lease,
                                   const Origin& origin,
                                   ClientRequest& request,
                                   const ExchangeLimits& limits,
                                   InterimSink* interim,
                                   CallReport& report)
    : lease_(std::move(lease)),
      connection_(lease_.connection()),
      origin_(origin),
      request_(request),
      limits_(limits),
      interim_(interim),
      report_(report),
      upload_size_(request.body.size()),
      waits_for_continue_(request.body.is_stream() &&
                          iequals(request.headers.get("expect"), "100-continue")) {}

Task<Result<Response>> UpstreamExchange::run() {
  using namespace asio::experimental::awaitable_operators;
  const auto dispatched = system_clock().now();
  report_.phase = Phase::kSend;
  expect_progress();
  CONCIERGUS_CO_CHECK(co_await send_head());
  Result<void> done;
  if (upload_over_) {
    done = co_await read_head();
  } else {
    changed_.emplace(co_await asio::this_coro::executor);
    auto first =
        co_await (runtime::contain(upload()) || runtime::contain(read_head_during_upload()));
    done = first.index() == 0 ? std::get<0>(std::move(first)) : std::get<1>(std::move(first));
  }
  if (!done) co_return std::unexpected(std::move(done).error());
  connection_.deadline().never_expires();
  const std::chrono::duration<double> took = system_clock().now() - dispatched;
  report_.head_ms = took.count() * 1e3;
  lease_.pool().metrics().head_seconds.observe(took.count());
  co_return make_response();
}

bool UpstreamExchange::may_repeat() const noexcept {
  const bool cannot_act_twice =
      send_refused_ || request_.may_repeat || is_idempotent(request_.method);
  return lease_.is_reused() && !response_begun_ && !stream_begun_ && cannot_act_twice;
}

/// Each step of an upload gives the upstream its whole time again.
void UpstreamExchange::expect_progress() {
  const auto now = system_clock().now();
  connection_.deadline().expires_at(limits_.overall.within(now, limits_.head).at());
}

/// The head, and with it a short body: one write.
Task<Result<void>> UpstreamExchange::send_head() {
  auto& head = connection_.head_text();
  head.clear();
  CONCIERGUS_CO_CHECK(compose_head(head));
  const auto body = request_.body.text();
  const bool is_whole = upload_size_ == body.size() && body.size() <= kSentWithHead;
  const std::array<asio::const_buffer, 2> buffers{asio::buffer(head), asio::buffer(body)};
  auto sent =
      co_await connection_.write(std::span(buffers).first(is_whole && !body.empty() ? 2 : 1));
  if (!sent && sent.error().code() != ErrorCode::kUnavailable) co_return sent;
  // The upstream has closed. It may have said why before: then that is the answer.
  send_refused_ = !sent;
  upload_complete_ = is_whole && !send_refused_;
  upload_over_ = is_whole || send_refused_;
  if (upload_complete_) report_.phase = Phase::kHead;
  co_return Result<void>{};
}

Result<void> UpstreamExchange::compose_head(std::string& out) const {
  codec::HeadWriter head(out);
  head.request(request_.method, request_.target);
  head.field("Host", request_.host.empty() ? origin_.authority() : request_.host);
  for (const auto field : request_.headers) {
    if (is_own_field(field.name)) continue;
    if (!waits_for_continue_ && iequals(field.name, "expect")) continue;
    head.field(field.name, field.value);
  }
  if (!upload_size_) {
    head.field("Transfer-Encoding", "chunked");
  } else if (*upload_size_ > 0 || means_a_body(request_.method)) {
    head.field("Content-Length", *upload_size_);
  }
  if (!request_.upgrade.empty()) {
    head.field("Connection", "Upgrade").field("Upgrade", request_.upgrade);
  } else if (request_.headers.contains("te")) {
    head.field("Connection", "TE");
  }
  return head.finish();
}

/// Sends the body, then waits to be cancelled: the race is decided by the response. Ends by itself
/// only when the body's source fails.
Task<Result<void>> UpstreamExchange::upload() {
  CONCIERGUS_CO_CHECK(co_await upload_body());
  if (upload_complete_) report_.phase = Phase::kHead;
  upload_over_ = true;
  for (;;) {
    changed_->notify_all();
    co_await changed_->wait();
  }
}

Task<Result<void>> UpstreamExchange::upload_body() {
  const Deadline patience = Deadline::after(system_clock(), kContinueWait);
  while (waits_for_continue_ && !patience.has_passed(system_clock().now())) {
    co_await changed_->wait(patience);
  }
  if (auto* stream = request_.body.stream()) {
    stream_begun_ = true;
    co_return co_await upload_stream(*stream);
  }
  const std::array<asio::const_buffer, 1> all{asio::buffer(request_.body.text())};
  upload_complete_ = co_await write_to_upstream(all);
  co_return Result<void>{};
}

Task<Result<void>> UpstreamExchange::upload_stream(BodyReader& body) {
  std::uint64_t sent = 0;
  for (;;) {
    const auto piece = co_await body.read();
    if (!piece) co_return std::unexpected(piece.error());
    if (piece->empty()) break;
    sent += piece->size();
    if (sent > upload_size_.value_or(sent)) break;
    codec::ChunkHeadBuffer room;
    const auto chunk_head = codec::format_chunk_head(room, piece->size());
    const std::array<asio::const_buffer, 3> buffers{
        asio::buffer(chunk_head), asio::buffer(*piece), asio::buffer(codec::kChunkEnd)};
    const auto what = upload_size_ ? std::span(buffers).subspan(1, 1) : std::span(buffers);
    if (!co_await write_to_upstream(what)) co_return Result<void>{};
  }
  if (upload_size_) {
    if (sent != *upload_size_) {
      co_return fail(ErrorCode::kInternal, "the request body is not as long as it said");
    }
    upload_complete_ = true;
    co_return Result<void>{};
  }
  std::string end = "0\r\n";
  if (const auto* trailers = body.trailers()) {
    for (const auto field : *trailers) {
      if (codec::is_forbidden_trailer(field.name)) continue;
      end.append(field.name).append(": ").append(field.value).append("\r\n");
    }
  }
  end += "\r\n";
  const std::array<asio::const_buffer, 1> last{asio::buffer(end)};
  upload_complete_ = co_await write_to_upstream(last);
  co_return Result<void>{};
}

/// False when the upstream takes no more: what it answers tells why.
Task<bool> UpstreamExchange::write_to_upstream(std::span<const asio::const_buffer> buffers) {
  expect_progress();
  const auto written = co_await connection_.write(buffers);
  expect_progress();
  co_return written.has_value();
}

Task<Result<void>> UpstreamExchange::read_head() {
  auto& parser = connection_.parser();
  for (;;) {
    if (const auto text = connection_.unread_text(); !text.empty()) {
      response_begun_ = true;
      const auto status = parser.parse(text, request_.method);
      if (status == codec::HeadStatus::kError) {
        co_return fail(ErrorCode::kProtocol, "response of upstream: " + parser.error().detail());
      }
      if (status == codec::HeadStatus::kComplete) {
        if (!parser.head().is_interim()) co_return Result<void>{};
        CONCIERGUS_CO_CHECK(co_await pass_interim(parser.head()));
        connection_.consume(parser.consumed());
        parser.reset();
        continue;
      }
    }
    const auto received = co_await connection_.read_more();
    if (!received) co_return std::unexpected(received.error());
    if (*received == 0) {
      co_return fail(ErrorCode::kUnavailable,
                     response_begun_ ? "the upstream closed the connection within the head"
                                     : "the upstream closed the connection without an answer");
    }
  }
}

Task<Result<void>> UpstreamExchange::read_head_during_upload() {
  CONCIERGUS_CO_CHECK(co_await read_head());
  waits_for_continue_ = false;
  const bool is_refusal = connection_.parser().head().status >= 400;
  while (!upload_over_ && !is_refusal) {
    changed_->notify_all();
    co_await changed_->wait();
  }
  co_return Result<void>{};
}

Task<Result<void>> UpstreamExchange::pass_interim(const codec::ResponseHead& head) {
  if (++interims_ > kMaxInterims) {
    co_return fail(ErrorCode::kProtocol, "the upstream sends interim responses without end");
  }
  if (head.status == 100) {
    waits_for_continue_ = false;
    if (changed_) changed_->notify_all();
  } else if (interim_) {
    Headers headers;
    for (const auto& field : head.fields) headers.add(field.name, field.value);
    // A client that cannot be told of it is still to have the answer.
    [[maybe_unused]] const auto told = co_await interim_->send(head.status, headers);
  }
  co_return Result<void>{};
}

Result<Response> UpstreamExchange::make_response() {
  const auto& head = connection_.parser().head();
  const bool has_body = head.body != codec::BodyKind::kNone;
  Response response;
  response.status = head.status;
  response.headers.reserve(head.fields.size(), connection_.parser().consumed());
  for (const auto& field : head.fields) {
    if (iequals(field.name, "transfer-encoding")) continue;
    if (has_body && iequals(field.name, "content-length")) continue;  // Body::size() tells
    response.headers.add(field.name, field.value);
  }
  connection_.consume(connection_.parser().consumed());
  const bool may_reuse = head.keep_alive && upload_complete_;
  const auto here = connection_.unread_text();

  if (head.status == 101) {
    if (request_.upgrade.empty()) {
      return fail(ErrorCode::kProtocol, "the upstream switches protocols without being asked");
    }
    std::string early(here);
    report_.phase = Phase::kDone;
    response.body =
        Body(std::make_unique<UpgradedBody>(Upgraded{lease_.release(), std::move(early)}));
    return response;
  }
  const auto length = head.body == codec::BodyKind::kLength ? head.content_length : std::nullopt;
  if (!has_body || (length && *length <= here.size())) {
    response.body = std::string(here.substr(0, length.value_or(0)));
    connection_.consume(length.value_or(0));
    CONCIERGUS_CHECK(end_at_once(may_reuse));
    return response;
  }
  report_.phase = Phase::kBody;
  const auto kind = head.body;
  const UpstreamBody::Limits body_limits{limits_.idle, limits_.overall};
  response.body =
      Body(std::make_unique<UpstreamBody>(std::move(lease_), kind, length, may_reuse, body_limits));
  return response;
}

/// For a body that has come with the head.
Result<void> UpstreamExchange::end_at_once(bool may_reuse) {
  if (!connection_.unread().empty()) {
    return fail(ErrorCode::kProtocol, "the upstream sent bytes behind its response");
  }
  report_.phase = Phase::kDone;
  if (may_reuse) lease_.give_back();
  return {};
}

}  // namespace conciergus::http

#pragma once
/// One request and its response on an HTTP/2 connection.
#include <deque>
#include <optional>
#include <string>

#include "conciergus/codec/http2_session.hpp"
#include "conciergus/http/exchange_observer.hpp"
#include "conciergus/http/handler.hpp"
#include "conciergus/http/request_context.hpp"
#include "conciergus/runtime/gate.hpp"
#include "conciergus/runtime/notifier.hpp"

namespace conciergus::http {

class Http2Connection;

/// Shared by the connection, while the stream is open, and the coroutine that answers.
class Http2Exchange final : private BodyReader, private InterimSink {
 public:
  /// What may wait in the session of one response, and of all that share the connection; then
  /// sources are not read any further.
  static constexpr std::size_t kHighWater = 65'536;
  static constexpr std::size_t kConnectionHighWater = 1'048'576;

  Http2Exchange(Http2Connection& connection, std::int32_t stream, codec::Http2Request request);

  /// Calls the server's handler and sends what it answers. Ends by itself when the stream closes,
  /// at the latest with the handler's next wait: the connection cancels it then.
  Task<void> run();

  // The connection tells what comes in:
  void received(std::string_view data);
  void ended(codec::Http2Fields trailers);
  void sent() { moved_.notify_all(); }
  void closed(std::uint32_t error_code);

  runtime::Gate::Member& member() noexcept { return member_; }
  bool is_running() const noexcept { return is_running_; }

 private:
  Task<Result<std::string_view>> read() override;
  std::optional<std::uint64_t> size() const noexcept override { return length_; }
  const Headers* trailers() const noexcept override { return &trailers_; }
  Task<Result<void>> send(unsigned status, const Headers& headers) override;

  Task<Result<Response>> call_handler(const Handler& handler);
  Task<void> respond(Response response);
  Task<bool> send_text(std::string_view text);
  Task<bool> wait_for_window();
  bool is_congested() const noexcept;
  Task<bool> send_stream(BodyReader& body);
  void fill_request(codec::Http2Request request);
  RequestContext make_context();
  Response refusal(unsigned status, std::string_view code, std::string_view message);

  Http2Connection& connection_;
  const std::int32_t stream_;
  const Clock::Instant started_;
  Request request_;
  RequestContext context_;
  const bool too_large_;
  std::optional<std::uint64_t> length_;
  std::string arrived_;     // of the body, not yet read
  std::string handed_out_;  // the piece that read() showed last
  Headers trailers_;
  bool request_ended_ = false;
  std::optional<std::uint32_t> closed_;
  bool is_running_ = true;
  ExchangeEnd end_;
  runtime::Notifier moved_;
  runtime::Gate::Member member_;
};

}  // namespace conciergus::http

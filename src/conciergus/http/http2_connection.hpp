#pragma once
/// One HTTP/2 connection of the server: a reader, a writer, and a coroutine per request. RFC 9113.
#include <memory>
#include <unordered_map>

#include "conciergus/codec/http2_session.hpp"
#include "conciergus/http/connection.hpp"
#include "conciergus/http/http2_exchange.hpp"
#include "conciergus/net/stream.hpp"
#include "conciergus/runtime/gate.hpp"
#include "conciergus/runtime/notifier.hpp"

namespace conciergus::http {

class ServerShard;

/// Owned by the coroutine that runs it.
class Http2Connection final : public Connection,
                              private codec::Http2Events,
                              private runtime::Watchdog::Watch {
 public:
  /// `server` and `stream` outlive it. `early` are bytes that were read before it was known that
  /// the client speaks HTTP/2.
  Http2Connection(ServerShard& server, net::Stream& stream, std::string early);

  /// Serves until either side ends the connection, which is closed then. Cancelled: so are its
  /// requests.
  Task<void> run();

  void drain() noexcept override;
  bool is_idle() const noexcept override { return exchanges_.empty(); }

  // For its exchanges.
  codec::Http2Session& session() noexcept { return session_; }
  ServerShard& server() noexcept { return server_; }
  net::Stream& stream() noexcept { return stream_; }
  /// Something was queued in the session: send it.
  void flush() { to_send_.notify_all(); }

 private:
  void on_request(std::int32_t stream, codec::Http2Request request) override;
  void on_data(std::int32_t stream, std::string_view data) override;
  void on_end(std::int32_t stream, codec::Http2Fields trailers) override;
  void on_sent(std::int32_t stream) override;
  void on_closed(std::int32_t stream, std::uint32_t error_code) override;
  void on_expired() override;

  Task<void> read_loop();
  Task<void> write_loop();
  Task<void> serve(std::shared_ptr<Http2Exchange> exchange);
  Task<void> say_goodbye();
  Http2Exchange* find(std::int32_t stream) noexcept;
  void set_limit();

  ServerShard& server_;
  net::Stream& stream_;
  std::string early_;
  codec::Http2Session session_;
  std::unordered_map<std::int32_t, std::shared_ptr<Http2Exchange>> exchanges_;  // open streams
  std::size_t running_ = 0;  // handlers: those of reset streams count until they have ended
  bool writing_ = false;
  bool settled_ = false;  // the client has acknowledged by sending a request
  bool closing_ = false;
  runtime::Notifier to_send_;
  runtime::Notifier last_exchange_;
  runtime::Gate gate_;
};

}  // namespace conciergus::http

#include "conciergus/http/http2_connection.hpp"

#include <array>

#include "conciergus/http/server_shard.hpp"

namespace conciergus::http {
namespace {

constexpr std::size_t kReadBytes = 16'384;

}  // namespace

Http2Connection::Http2Connection(ServerShard& server, net::Stream& stream, std::string early)
    : Watch(server.shard().watchdog()),
      server_(server),
      stream_(stream),
      early_(std::move(early)),
      session_(server.config().http2, *this),
      to_send_(server.shard().executor()),
      last_exchange_(server.shard().executor()),
      gate_(server.shard().executor(), server.shard().on_escape()) {
  server.enlist(*this);
}

Task<void> Http2Connection::run() {
  set_limit();
  gate_.spawn("http2.write", write_loop());
  std::exception_ptr cancelled;
  try {
    co_await read_loop();
  } catch (...) {
    cancelled = std::current_exception();
  }
  // reading may also have ended by a cancellation that came as a value; either way what follows
  // waits
  co_await asio::this_coro::reset_cancellation_state();
  closing_ = true;
  never_expires();
  stream_.close();
  co_await gate_.stop();
  if (cancelled) std::rethrow_exception(cancelled);
}

Task<void> Http2Connection::read_loop() {
  auto buffer = std::make_unique_for_overwrite<char[]>(kReadBytes);
  std::string_view arrived = early_;
  for (;;) {
    if (!arrived.empty()) {
      server_.metrics().received_bytes.add(arrived.size());
      const auto received = session_.receive(arrived, server_.shard().now());
      set_limit();
      flush();
      if (!received) {
        server_.metrics().refused(400);
        co_return co_await say_goodbye();
      }
    }
    if (session_.is_over()) co_return co_await say_goodbye();
    const auto size = co_await stream_.read_some({buffer.get(), kReadBytes});
    if (!size || *size == 0) co_return;
    arrived = {buffer.get(), *size};
  }
}

/// Lets the writer send what is left, the GOAWAY at least, within the linger time.
Task<void> Http2Connection::say_goodbye() {
  closing_ = true;
  const auto until = Deadline::after(server_.shard().clock(), server_.config().linger);
  flush();
  while (gate_.size() > running_ && !until.has_passed(server_.shard().now()))
    co_await last_exchange_.wait(until);
}

Task<void> Http2Connection::write_loop() {
  struct Ended {
    Http2Connection& connection;
    ~Ended() { connection.last_exchange_.notify_all(); }
  };
  const Ended ended{*this};
  for (;;) {
    const auto output = session_.next_output();
    if (output.empty()) {
      if (closing_ || session_.is_over()) {
        if (!closing_) stream_.cancel();  // ends the read loop
        co_return;
      }
      co_await to_send_.wait();
      continue;
    }
    writing_ = true;
    set_limit();
    const std::array<asio::const_buffer, 1> buffers{asio::buffer(output)};
    const auto written = co_await stream_.write(buffers);
    writing_ = false;
    set_limit();
    if (!written) {
      stream_.close();
      co_return;
    }
    server_.metrics().sent_bytes.add(output.size());
  }
}

void Http2Connection::set_limit() {
  const auto now = server_.shard().now();
  const auto& config = server_.config();
  if (writing_) {
    expires_at(now + config.write_timeout);
  } else if (!settled_) {
    expires_at(now + config.head_timeout);
  } else if (exchanges_.empty()) {
    expires_at(now + config.http2_keep_alive_timeout);
  } else {
    never_expires();  // exchanges have limits of their own
  }
}

void Http2Connection::on_expired() {
  if (writing_) {
    server_.metrics().write_timeouts.add();
  } else if (!settled_) {
    server_.metrics().head_timeouts.add();
  }
  stream_.close();
}

void Http2Connection::drain() noexcept {
  session_.announce_shutdown();
  session_.shut_down();
  flush();
}

Http2Exchange* Http2Connection::find(std::int32_t stream) noexcept {
  const auto found = exchanges_.find(stream);
  return found == exchanges_.end() ? nullptr : found->second.get();
}

void Http2Connection::on_request(std::int32_t stream, codec::Http2Request request) {
  settled_ = true;
  if (running_ >= server_.config().http2.max_concurrent_streams) {
    session_.reset(stream, codec::Http2Session::kRefusedStream);
    return;
  }
  auto exchange = std::make_shared<Http2Exchange>(*this, stream, std::move(request));
  const auto member = gate_.spawn("http2.exchange", serve(exchange));
  if (!member) return;
  exchange->member() = *member;
  exchanges_.emplace(stream, std::move(exchange));
}

Task<void> Http2Connection::serve(std::shared_ptr<Http2Exchange> exchange) {
  struct Running {
    Http2Connection& connection;
    explicit Running(Http2Connection& c) : connection(c) { ++connection.running_; }
    ~Running() { --connection.running_; }
  };
  const Running running(*this);
  co_await exchange->run();
}

void Http2Connection::on_data(std::int32_t stream, std::string_view data) {
  if (auto* exchange = find(stream)) {
    exchange->received(data);
  } else {
    session_.consumed(stream, data.size());
  }
}

void Http2Connection::on_end(std::int32_t stream, codec::Http2Fields trailers) {
  if (auto* exchange = find(stream)) exchange->ended(std::move(trailers));
}

void Http2Connection::on_sent(std::int32_t stream) {
  if (auto* exchange = find(stream)) exchange->sent();
}

void Http2Connection::on_closed(std::int32_t stream, std::uint32_t error_code) {
  const auto found = exchanges_.find(stream);
  if (found == exchanges_.end()) return;
  const auto exchange = std::move(found->second);
  exchanges_.erase(found);
  exchange->closed(error_code);
  if (exchange->is_running() && error_code != codec::Http2Session::kNoError) {
    server_.metrics().clients_gone.add();
    // not from within nghttp2's callback: the handler may want to send
    server_.shard().post([member = exchange->member()] { runtime::Gate::cancel(member); });
  }
}

}  // namespace conciergus::http

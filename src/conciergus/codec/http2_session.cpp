#include "conciergus/codec/http2_session.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <unordered_map>

#include <nghttp2/nghttp2.h>

#include "conciergus/base/text.hpp"

namespace conciergus::codec {
namespace {

constexpr std::size_t kOutputBytes = 16'384;
constexpr std::chrono::seconds kControlWindow{10};

std::string_view view(const std::uint8_t* text, std::size_t size) noexcept {
  return {reinterpret_cast<const char*>(text), size};
}

/// RFC 9113 section 8.2.2: fields of a connection, which has its own means here.
bool is_connection_field(std::string_view name) noexcept {
  static constexpr std::array<std::string_view, 5> kNames{
      "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"};
  return std::ranges::find(kNames, name) != kNames.end();
}

nghttp2_nv make_nv(std::string_view name, std::string_view value) noexcept {
  // nghttp2 copies both unless told otherwise; its struct lacks const for historical reasons
  return {reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())),
          name.size(),
          value.size(),
          NGHTTP2_NV_FLAG_NONE};
}

/// Refills steadily up to a burst.
class TokenBucket {
 public:
  TokenBucket(std::uint32_t burst, std::uint32_t per_second) noexcept
      : burst_(burst), per_second_(per_second), tokens_(burst) {}
  bool take(Clock::Instant now) noexcept {
    if (last_ != Clock::Instant()) {
      const std::chrono::duration<double> passed = now - last_;
      tokens_ = std::min<double>(burst_, tokens_ + passed.count() * per_second_);
    }
    last_ = now;
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }

 private:
  double burst_;
  double per_second_;
  double tokens_;
  Clock::Instant last_{};
};

}  // namespace

/// Session and callbacks. A stream's state lives from its HEADERS to on_stream_close.
class Http2Session::Impl {
 public:
  Impl(const Http2Limits& limits, Http2Events& events);
  ~Impl() { nghttp2_session_del(session_); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<void> receive(std::string_view bytes, Clock::Instant now);
  std::string_view next_output();
  void submit_head(
      std::int32_t id, unsigned status, const Http2Fields& fields, bool interim, bool end);
  void send(std::int32_t id, std::string_view data);
  std::size_t queued(std::int32_t id) const noexcept;
  std::size_t queued() const noexcept { return queued_; }
  void finish(std::int32_t id, const Http2Fields& trailers);
  void consumed(std::int32_t id, std::size_t size);

  nghttp2_session* session() const noexcept { return session_; }
  bool is_over() const noexcept {
    return !nghttp2_session_want_read(session_) && !nghttp2_session_want_write(session_);
  }

 private:
  struct Stream {
    Http2Request request;
    Http2Fields trailers;
    std::string host;
    std::size_t head_bytes = 0;
    bool head_done = false;
    bool announced = false;  // events_ knows of it
    std::size_t unconsumed = 0;
    std::uint32_t empty_frames = 0;
    std::string out;  // body bytes not yet in frames, from out_at on
    std::size_t out_at = 0;
    Http2Fields out_trailers;
    bool out_ended = false;
    bool deferred = false;  // nghttp2 waits for resume_data
  };

  static Impl& self(void* user) noexcept { return *static_cast<Impl*>(user); }
  static int on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user);
  static int on_header(nghttp2_session*,
                       const nghttp2_frame* frame,
                       const std::uint8_t* name,
                       std::size_t name_size,
                       const std::uint8_t* value,
                       std::size_t value_size,
                       std::uint8_t flags,
                       void* user);
  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user);
  static int on_data(nghttp2_session*,
                     std::uint8_t flags,
                     std::int32_t id,
                     const std::uint8_t* data,
                     std::size_t size,
                     void* user);
  static int on_close(nghttp2_session*, std::int32_t id, std::uint32_t error_code, void* user);
  static int on_frame_sent(nghttp2_session*, const nghttp2_frame* frame, void* user);
  static ssize_t read_body(nghttp2_session*,
                           std::int32_t id,
                           std::uint8_t* into,
                           std::size_t size,
                           std::uint32_t* flags,
                           nghttp2_data_source*,
                           void* user);

  Stream* find(std::int32_t id) noexcept {
    const auto found = streams_.find(id);
    return found == streams_.end() ? nullptr : &found->second;
  }
  void head_complete(std::int32_t id, Stream& stream, bool ended);
  void keep_field(Stream& stream, std::string_view name, std::string_view value);
  void count_control_frame();
  void resume(std::int32_t id, Stream& stream);
  void calm_down() { nghttp2_session_terminate_session(session_, NGHTTP2_ENHANCE_YOUR_CALM); }

  const Http2Limits limits_;
  Http2Events& events_;
  nghttp2_session* session_ = nullptr;
  std::unordered_map<std::int32_t, Stream> streams_;
  TokenBucket resets_;
  Clock::Instant now_{};
  Clock::Instant control_since_{};
  std::uint32_t control_frames_ = 0;
  std::size_t queued_ = 0;  // in the `out` of all streams
  std::string output_;
};

Http2Session::Impl::Impl(const Http2Limits& limits, Http2Events& events)
    : limits_(limits), events_(events), resets_(limits.reset_burst, limits.resets_per_second) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_option* options = nullptr;
  if (nghttp2_session_callbacks_new(&callbacks) != 0 || nghttp2_option_new(&options) != 0)
    throw std::bad_alloc();
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
  nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_sent);
  nghttp2_option_set_no_auto_window_update(options, 1);
  nghttp2_option_set_no_closed_streams(options, 1);
  nghttp2_option_set_max_outbound_ack(options, limits.max_control_frames);
  nghttp2_option_set_stream_reset_rate_limit(options, limits.reset_burst, limits.resets_per_second);
  nghttp2_option_set_max_continuations(options, limits.max_continuations);
  const int made = nghttp2_session_server_new2(&session_, callbacks, this, options);
  nghttp2_session_callbacks_del(callbacks);
  nghttp2_option_del(options);
  if (made != 0) throw std::bad_alloc();

  const std::array<nghttp2_settings_entry, 4> settings{{
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.max_concurrent_streams},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits.stream_window},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits.max_head_bytes},
      {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
  }};
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  nghttp2_session_set_local_window_size(
      session_, NGHTTP2_FLAG_NONE, 0, static_cast<std::int32_t>(limits.connection_window));
}

Result<void> Http2Session::Impl::receive(std::string_view bytes, Clock::Instant now) {
  now_ = now;
  const auto taken = nghttp2_session_mem_recv(
      session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  if (taken < 0) return fail(ErrorCode::kProtocol, nghttp2_strerror(static_cast<int>(taken)));
  return {};
}

std::string_view Http2Session::Impl::next_output() {
  output_.clear();
  while (output_.size() < kOutputBytes) {
    const std::uint8_t* data = nullptr;
    const auto size = nghttp2_session_mem_send(session_, &data);
    if (size <= 0)
      break;  // negative only when out of memory: the connection then dies of its timeout
    output_.append(view(data, static_cast<std::size_t>(size)));
  }
  return output_;
}

int Http2Session::Impl::on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) {
  if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) self(user).streams_[frame->hd.stream_id];
  return 0;
}

int Http2Session::Impl::on_header(nghttp2_session*,
                                  const nghttp2_frame* frame,
                                  const std::uint8_t* name,
                                  std::size_t name_size,
                                  const std::uint8_t* value,
                                  std::size_t value_size,
                                  std::uint8_t,
                                  void* user) {
  auto& impl = self(user);
  auto* stream = impl.find(frame->hd.stream_id);
  if (!stream) return 0;
  stream->head_bytes += name_size + value_size + 32;
  const auto fields = stream->request.fields.size() + stream->trailers.size();
  if (stream->head_bytes > impl.limits_.max_head_bytes || fields >= impl.limits_.max_fields) {
    stream->request.too_large = true;
    return 0;
  }
  impl.keep_field(*stream, view(name, name_size), view(value, value_size));
  return 0;
}

void Http2Session::Impl::keep_field(Stream& stream, std::string_view name, std::string_view value) {
  auto& request = stream.request;
  if (stream.head_done) {
    stream.trailers.emplace_back(name, value);
  } else if (name == ":method") {
    request.method = value;
  } else if (name == ":scheme") {
    request.scheme = value;
  } else if (name == ":authority") {
    request.authority = value;
  } else if (name == ":path") {
    request.path = value;
  } else if (name == "host") {
    stream.host = value;
  } else if (name == "cookie") {
    // RFC 9113 section 8.2.3: crumbs become one field again
    const auto known = std::ranges::find(
        request.fields, name, [](const auto& f) -> std::string_view { return f.first; });
    if (known == request.fields.end()) {
      request.fields.emplace_back(name, value);
    } else {
      known->second.append("; ").append(value);
    }
  } else if (!name.starts_with(':')) {
    request.fields.emplace_back(name, value);
  }
}

void Http2Session::Impl::head_complete(std::int32_t id, Stream& stream, bool ended) {
  stream.head_done = true;
  auto& request = stream.request;
  const bool is_connect = request.method == "CONNECT";
  const bool two_hosts = !request.authority.empty() && !stream.host.empty() &&
                         !iequals(request.authority, stream.host);
  if (!request.too_large && (two_hosts || (request.path.empty() && !is_connect))) {
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_PROTOCOL_ERROR);
    return;
  }
  if (request.authority.empty()) request.authority = std::move(stream.host);
  request.ended = ended;
  stream.announced = true;
  events_.on_request(id, std::move(request));
}

int Http2Session::Impl::on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
  auto& impl = self(user);
  const bool ends = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
  switch (frame->hd.type) {
    case NGHTTP2_HEADERS: {
      auto* stream = impl.find(frame->hd.stream_id);
      if (!stream) break;
      if (!stream->head_done) {
        impl.head_complete(frame->hd.stream_id, *stream, ends);
      } else if (ends) {
        impl.events_.on_end(frame->hd.stream_id, std::move(stream->trailers));
      }
      break;
    }
    case NGHTTP2_DATA: {
      auto* stream = impl.find(frame->hd.stream_id);
      if (!stream) break;
      if (ends) {
        impl.events_.on_end(frame->hd.stream_id, {});
      } else if (frame->data.hd.length == frame->data.padlen &&
                 ++stream->empty_frames > impl.limits_.max_empty_data_frames) {
        impl.calm_down();
      }
      break;
    }
    case NGHTTP2_PING:
    case NGHTTP2_SETTINGS:
      if (!(frame->hd.flags & NGHTTP2_FLAG_ACK)) impl.count_control_frame();
      break;
    case NGHTTP2_PRIORITY:
      impl.count_control_frame();
      break;
    default:
      break;
  }
  return 0;
}

void Http2Session::Impl::count_control_frame() {
  if (now_ - control_since_ > kControlWindow) {
    control_since_ = now_;
    control_frames_ = 0;
  }
  if (++control_frames_ > limits_.max_control_frames) calm_down();
}

int Http2Session::Impl::on_data(nghttp2_session* session,
                                std::uint8_t,
                                std::int32_t id,
                                const std::uint8_t* data,
                                std::size_t size,
                                void* user) {
  auto& impl = self(user);
  if (auto* stream = impl.find(id)) {
    stream->unconsumed += size;
    impl.events_.on_data(id, view(data, size));
  } else {
    nghttp2_session_consume_connection(session, size);
  }
  return 0;
}

int Http2Session::Impl::on_close(nghttp2_session* session,
                                 std::int32_t id,
                                 std::uint32_t error_code,
                                 void* user) {
  auto& impl = self(user);
  const auto found = impl.streams_.find(id);
  if (found == impl.streams_.end()) return 0;
  const bool announced = found->second.announced;
  // bytes that nobody will take any more must not narrow the connection's window for ever
  if (found->second.unconsumed > 0)
    nghttp2_session_consume_connection(session, found->second.unconsumed);
  impl.queued_ -= found->second.out.size() - found->second.out_at;
  impl.streams_.erase(found);
  if (announced) impl.events_.on_closed(id, error_code);
  return 0;
}

int Http2Session::Impl::on_frame_sent(nghttp2_session*, const nghttp2_frame* frame, void* user) {
  auto& impl = self(user);
  // resets that the peer provokes (MadeYouReset) count like those that it sends; our own cancels do
  // not
  if (frame->hd.type == NGHTTP2_RST_STREAM && frame->rst_stream.error_code != NGHTTP2_NO_ERROR &&
      frame->rst_stream.error_code != NGHTTP2_CANCEL &&
      frame->rst_stream.error_code != NGHTTP2_INTERNAL_ERROR && !impl.resets_.take(impl.now_)) {
    impl.calm_down();
  }
  return 0;
}

void Http2Session::Impl::submit_head(
    std::int32_t id, unsigned status, const Http2Fields& fields, bool interim, bool end) {
  auto* stream = find(id);
  if (!stream) return;
  const auto status_text = std::to_string(status);
  std::vector<nghttp2_nv> all;
  all.reserve(fields.size() + 1);
  all.push_back(make_nv(":status", status_text));
  for (const auto& [name, value] : fields) {
    if (!is_connection_field(name)) all.push_back(make_nv(name, value));
  }
  if (interim) {
    nghttp2_submit_headers(
        session_, NGHTTP2_FLAG_NONE, id, nullptr, all.data(), all.size(), nullptr);
    return;
  }
  const nghttp2_data_provider body{.source = {}, .read_callback = read_body};
  nghttp2_submit_response(session_, id, all.data(), all.size(), end ? nullptr : &body);
}

ssize_t Http2Session::Impl::read_body(nghttp2_session* session,
                                      std::int32_t id,
                                      std::uint8_t* into,
                                      std::size_t size,
                                      std::uint32_t* flags,
                                      nghttp2_data_source*,
                                      void* user) {
  auto& impl = self(user);
  auto* stream = impl.find(id);
  if (!stream) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  const auto left = stream->out.size() - stream->out_at;
  if (left == 0 && !stream->out_ended) {
    stream->deferred = true;
    return NGHTTP2_ERR_DEFERRED;
  }
  const auto taken = std::min(left, size);
  std::memcpy(into, stream->out.data() + stream->out_at, taken);
  stream->out_at += taken;
  impl.queued_ -= taken;
  if (stream->out_at == stream->out.size()) {
    stream->out.clear();
    stream->out_at = 0;
    if (stream->out_ended) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      if (!stream->out_trailers.empty()) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        std::vector<nghttp2_nv> trailers;
        for (const auto& [name, value] : stream->out_trailers)
          trailers.push_back(make_nv(name, value));
        nghttp2_submit_trailer(session, id, trailers.data(), trailers.size());
      }
    }
  }
  if (taken > 0) impl.events_.on_sent(id);
  return static_cast<ssize_t>(taken);
}

void Http2Session::Impl::resume(std::int32_t id, Stream& stream) {
  if (!stream.deferred) return;
  stream.deferred = false;
  nghttp2_session_resume_data(session_, id);
}

void Http2Session::Impl::send(std::int32_t id, std::string_view data) {
  auto* stream = find(id);
  if (!stream || data.empty()) return;
  if (stream->out_at > stream->out.size() / 2) {
    stream->out.erase(0, stream->out_at);
    stream->out_at = 0;
  }
  stream->out.append(data);
  queued_ += data.size();
  resume(id, *stream);
}

std::size_t Http2Session::Impl::queued(std::int32_t id) const noexcept {
  const auto found = streams_.find(id);
  return found == streams_.end() ? 0 : found->second.out.size() - found->second.out_at;
}

void Http2Session::Impl::finish(std::int32_t id, const Http2Fields& trailers) {
  auto* stream = find(id);
  if (!stream) return;
  stream->out_trailers = trailers;
  stream->out_ended = true;
  resume(id, *stream);
}

void Http2Session::Impl::consumed(std::int32_t id, std::size_t size) {
  auto* stream = find(id);
  if (!stream) return;  // already given back when the stream closed
  stream->unconsumed -= std::min(size, stream->unconsumed);
  nghttp2_session_consume(session_, id, size);
}

Http2Session::Http2Session(const Http2Limits& limits, Http2Events& events)
    : impl_(std::make_unique<Impl>(limits, events)) {}
Http2Session::~Http2Session() = default;

Result<void> Http2Session::receive(std::string_view bytes, Clock::Instant now) {
  return impl_->receive(bytes, now);
}
std::string_view Http2Session::next_output() {
  return impl_->next_output();
}
bool Http2Session::is_over() const noexcept {
  return impl_->is_over();
}

void Http2Session::send_interim(std::int32_t stream, unsigned status, const Http2Fields& fields) {
  impl_->submit_head(stream, status, fields, true, false);
}
void Http2Session::send_head(std::int32_t stream,
                             unsigned status,
                             const Http2Fields& fields,
                             bool end) {
  impl_->submit_head(stream, status, fields, false, end);
}
void Http2Session::send(std::int32_t stream, std::string_view data) {
  impl_->send(stream, data);
}
std::size_t Http2Session::queued(std::int32_t stream) const noexcept {
  return impl_->queued(stream);
}
std::size_t Http2Session::queued() const noexcept {
  return impl_->queued();
}
void Http2Session::finish(std::int32_t stream, const Http2Fields& trailers) {
  impl_->finish(stream, trailers);
}
void Http2Session::reset(std::int32_t stream, std::uint32_t error_code) {
  nghttp2_submit_rst_stream(impl_->session(), NGHTTP2_FLAG_NONE, stream, error_code);
}
void Http2Session::consumed(std::int32_t stream, std::size_t size) {
  impl_->consumed(stream, size);
}
void Http2Session::announce_shutdown() {
  nghttp2_submit_shutdown_notice(impl_->session());
}
void Http2Session::shut_down() {
  nghttp2_submit_goaway(impl_->session(),
                        NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(impl_->session()),
                        NGHTTP2_NO_ERROR,
                        nullptr,
                        0);
}
void Http2Session::terminate(std::uint32_t error_code) {
  nghttp2_session_terminate_session(impl_->session(), error_code);
}

}  // namespace conciergus::codec

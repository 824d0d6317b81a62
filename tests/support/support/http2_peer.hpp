#pragma once
/// The client end of HTTP/2 as nghttp2 itself has it: bytes in, bytes out, answers by stream.
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

namespace conciergus {

class Http2Peer {
 public:
  struct Answer {
    std::map<std::string, std::string> fields;
    std::vector<std::string> interim;
    std::string body;
    std::optional<std::uint32_t> closed;
  };

  Http2Peer() {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(
        callbacks, [](auto*, auto* frame, auto* n, auto ns, auto* v, auto vs, auto, void* user) {
          auto& answer = static_cast<Http2Peer*>(user)->answers[frame->hd.stream_id];
          const std::string name(reinterpret_cast<const char*>(n), ns);
          const std::string value(reinterpret_cast<const char*>(v), vs);
          if (name == ":status" && value.starts_with('1')) answer.interim.push_back(value);
          answer.fields[name] = value;
          return 0;
        });
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
        callbacks, [](auto*, auto, auto id, auto* data, auto size, void* user) {
          static_cast<Http2Peer*>(user)->answers[id].body.append(
              reinterpret_cast<const char*>(data), size);
          return 0;
        });
    nghttp2_session_callbacks_set_on_stream_close_callback(
        callbacks, [](auto*, auto id, auto code, void* user) {
          static_cast<Http2Peer*>(user)->answers[id].closed = code;
          return 0;
        });
    nghttp2_session_callbacks_set_on_frame_recv_callback(
        callbacks, [](auto*, auto* frame, void* user) {
          if (frame->hd.type == NGHTTP2_GOAWAY)
            static_cast<Http2Peer*>(user)->goaway = frame->goaway.error_code;
          return 0;
        });
    nghttp2_session_client_new(&session, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(session, 0, nullptr, 0);
  }
  ~Http2Peer() { nghttp2_session_del(session); }

  /// Sends a request with `body`, and trailers behind it if there are any.
  std::int32_t request(std::vector<std::pair<std::string, std::string>> fields,
                       std::string body = {},
                       bool end = true) {
    std::vector<nghttp2_nv> all;
    for (auto& [name, value] : fields) {
      all.push_back({reinterpret_cast<std::uint8_t*>(name.data()),
                     reinterpret_cast<std::uint8_t*>(value.data()),
                     name.size(),
                     value.size(),
                     NGHTTP2_NV_FLAG_NONE});
    }
    if (body.empty() && end)
      return nghttp2_submit_request(session, nullptr, all.data(), all.size(), nullptr, nullptr);
    auto& sending =
        bodies.emplace_back(std::make_unique<Sending>(Sending{std::move(body), 0, end}));
    nghttp2_data_provider provider{};
    provider.source.ptr = sending.get();
    provider.read_callback =
        [](auto*, auto, auto* into, auto size, auto* flags, auto* source, void*) -> ssize_t {
      auto& s = *static_cast<Sending*>(source->ptr);
      const auto taken = std::min(size, s.body.size() - s.at);
      if (taken == 0 && !s.end) return NGHTTP2_ERR_DEFERRED;
      std::memcpy(into, s.body.data() + s.at, taken);
      s.at += taken;
      if (s.at == s.body.size() && s.end) *flags |= NGHTTP2_DATA_FLAG_EOF;
      return static_cast<ssize_t>(taken);
    };
    return nghttp2_submit_request(session, nullptr, all.data(), all.size(), &provider, nullptr);
  }

  std::string output() {
    std::string out;
    const std::uint8_t* data = nullptr;
    for (ssize_t n; (n = nghttp2_session_mem_send(session, &data)) > 0;) {
      out.append(reinterpret_cast<const char*>(data), static_cast<std::size_t>(n));
    }
    return out;
  }
  void input(std::string_view bytes) {
    ASSERT_GE(nghttp2_session_mem_recv(
                  session, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()),
              0);
  }

  struct Sending {
    std::string body;
    std::size_t at;
    bool end;
  };
  nghttp2_session* session = nullptr;
  std::vector<std::unique_ptr<Sending>> bodies;
  std::map<std::int32_t, Answer> answers;
  std::optional<std::uint32_t> goaway;
};

}  // namespace conciergus

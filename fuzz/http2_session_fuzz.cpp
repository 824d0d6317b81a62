// Arbitrary bytes after the preface, split anywhere: no crash, bounded state, and every announced
// stream ends at most once.
#include "conciergus/codec/http2_session.hpp"

#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>

namespace {

using namespace conciergus;
using namespace conciergus::codec;

class Checker final : public Http2Events {
 public:
  explicit Checker(Http2Session*& session) : session_(session) {}
  void on_request(std::int32_t stream, Http2Request request) override {
    if (!open_.insert(stream).second) std::abort();
    if (request.method.empty() && !request.too_large) std::abort();
    session_->send_head(stream, 200, {{"content-type", "text/plain"}}, false);
    session_->send(stream, "hello");
    session_->finish(stream);
  }
  void on_data(std::int32_t stream, std::string_view data) override {
    if (!open_.contains(stream)) std::abort();
    session_->consumed(stream, data.size());
  }
  void on_end(std::int32_t stream, Http2Fields) override {
    if (!open_.contains(stream)) std::abort();
  }
  void on_sent(std::int32_t) override {}
  void on_closed(std::int32_t stream, std::uint32_t) override {
    if (open_.erase(stream) != 1) std::abort();
  }

 private:
  Http2Session*& session_;
  std::set<std::int32_t> open_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t step = data[0] + 1u;
  std::string bytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33);
  bytes.append(reinterpret_cast<const char*>(data) + 1, size - 1);
  Http2Session* current = nullptr;
  Checker checker(current);
  Http2Session session({}, checker);
  current = &session;
  Clock::Instant now{std::chrono::hours(1)};
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    now += std::chrono::milliseconds(1);
    const auto received = session.receive(std::string_view(bytes).substr(at, step), now);
    for (int i = 0; i < 100 && !session.next_output().empty(); ++i) {
    }
    if (!received) break;
  }
  return 0;
}

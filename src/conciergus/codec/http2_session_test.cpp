#include "conciergus/codec/http2_session.hpp"

#include <array>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

#include "support/http2_peer.hpp"

namespace conciergus::codec {
namespace {
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::Pair;

/// Remembers what the session tells.
class Recorder final : public Http2Events {
 public:
  struct Seen {
    Http2Request request;
    std::string body;
    bool ended = false;
    Http2Fields trailers;
    std::optional<std::uint32_t> closed;
  };
  void on_request(std::int32_t stream, Http2Request request) override {
    auto& seen = streams[stream];
    seen.ended = request.ended;
    seen.request = std::move(request);
  }
  void on_data(std::int32_t stream, std::string_view data) override {
    streams[stream].body += data;
  }
  void on_end(std::int32_t stream, Http2Fields trailers) override {
    streams[stream].ended = true;
    streams[stream].trailers = std::move(trailers);
  }
  void on_sent(std::int32_t) override { ++sent; }
  void on_closed(std::int32_t stream, std::uint32_t error_code) override {
    streams[stream].closed = error_code;
  }

  std::map<std::int32_t, Seen> streams;
  int sent = 0;
};

const std::vector<std::pair<std::string, std::string>> kGet{
    {":method", "GET"}, {":scheme", "https"}, {":authority", "a.test"}, {":path", "/x?y"}};

class Http2SessionTest : public testing::Test {
 protected:
  /// Carries bytes both ways until neither side has any more.
  void exchange() {
    for (bool moved = true; moved;) {
      moved = false;
      if (const auto out = peer_.output(); !out.empty()) {
        moved = true;
        received_ = session_.receive(out, now_);
      }
      if (const auto out = session_.next_output(); !out.empty()) {
        moved = true;
        peer_.input(out);
      }
    }
  }
  /// A frame by hand.
  static std::string frame(std::uint8_t type,
                           std::uint8_t flags,
                           std::uint32_t stream,
                           std::string payload) {
    std::string bytes;
    bytes += static_cast<char>(payload.size() >> 16);
    bytes += static_cast<char>(payload.size() >> 8);
    bytes += static_cast<char>(payload.size());
    bytes += static_cast<char>(type);
    bytes += static_cast<char>(flags);
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(stream >> shift);
    return bytes + payload;
  }
  void raw(const std::string& bytes) {
    received_ = session_.receive(bytes, now_);
    for (auto out = session_.next_output(); !out.empty(); out = session_.next_output())
      sent_ += out;
  }
  static std::string preface() {
    return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(NGHTTP2_SETTINGS, 0, 0, "");
  }
  /// The error code of the last GOAWAY that the session sent by raw().
  std::optional<std::uint32_t> goaway_sent() const {
    std::optional<std::uint32_t> code;
    for (std::size_t at = 0; at + 9 <= sent_.size();) {
      const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(sent_[at + i]); };
      const std::size_t size = (byte(0) << 16) | (byte(1) << 8) | byte(2);
      if (byte(3) == NGHTTP2_GOAWAY)
        code = (byte(13) << 24) | (byte(14) << 16) | (byte(15) << 8) | byte(16);
      at += 9 + size;
    }
    return code;
  }

  Clock::Instant now_{100s};
  Recorder events_;
  Http2Session session_{{.reset_burst = 10, .resets_per_second = 1}, events_};
  Http2Peer peer_;
  Result<void> received_;
  std::string sent_;
};

TEST_F(Http2SessionTest, DeliversARequestAndSendsHeadInterimBodyAndTrailers) {
  auto fields = kGet;
  fields.emplace_back("cookie", "a=1");
  fields.emplace_back("x-a", "1");
  fields.emplace_back("cookie", "b=2");
  const auto id = peer_.request(fields);
  exchange();
  const auto& seen = events_.streams.at(id);
  EXPECT_TRUE(seen.ended);
  EXPECT_EQ(seen.request.method, "GET");
  EXPECT_EQ(seen.request.authority, "a.test");
  EXPECT_EQ(seen.request.path, "/x?y");
  EXPECT_THAT(seen.request.fields, ElementsAre(Pair("cookie", "a=1; b=2"), Pair("x-a", "1")));

  session_.send_interim(id, 103, {{"link", "</a>"}});
  session_.send_head(id, 200, {{"content-type", "text/plain"}, {"connection", "close"}}, false);
  session_.send(id, "hello ");
  exchange();
  EXPECT_EQ(peer_.answers.at(id).body, "hello ");
  session_.send(id, "world");
  session_.finish(id, {{"x-sum", "9"}});
  exchange();
  const auto& answer = peer_.answers.at(id);
  EXPECT_THAT(answer.interim, ElementsAre("103"));
  EXPECT_EQ(answer.fields.at(":status"), "200");
  EXPECT_EQ(answer.fields.at("x-sum"), "9");
  EXPECT_EQ(answer.fields.count("connection"), 0u);
  EXPECT_EQ(answer.body, "hello world");
  EXPECT_EQ(answer.closed, 0u);
  EXPECT_EQ(seen.closed, 0u);
}

TEST_F(Http2SessionTest, HoldsTheClientBackUntilBytesAreConsumed) {
  const auto id = peer_.request(
      {{":method", "POST"}, {":scheme", "https"}, {":authority", "a"}, {":path", "/"}},
      std::string(200'000, 'x'));
  exchange();
  EXPECT_EQ(events_.streams.at(id).body.size(), 65'535u);
  for (int windows = 2; windows <= 3; ++windows) {
    session_.consumed(id, 65'535);
    exchange();
    EXPECT_EQ(events_.streams.at(id).body.size(), windows * 65'535u);
  }
  session_.consumed(id, 65'535);
  exchange();
  EXPECT_TRUE(events_.streams.at(id).ended);
  EXPECT_EQ(events_.streams.at(id).body.size(), 200'000u);
}

TEST_F(Http2SessionTest, GivesTheConnectionWindowBackWhenAStreamClosesUnread) {
  for (int i = 0; i < 40; ++i) {  // 40 × 64 KiB are more than the connection's window
    const auto id = peer_.request(
        {{":method", "POST"}, {":scheme", "https"}, {":authority", "a"}, {":path", "/"}},
        std::string(65'000, 'x'));
    exchange();
    ASSERT_EQ(events_.streams.at(id).body.size(), 65'000u) << i;
    session_.send_head(id, 204, {}, true);
    exchange();
    ASSERT_TRUE(events_.streams.at(id).closed) << i;
  }
}

TEST_F(Http2SessionTest, BoundsWhatItQueuesByTheClientsWindow) {
  const auto id = peer_.request(kGet);
  exchange();
  session_.send_head(id, 200, {}, false);
  session_.send(id, std::string(100'000, 'x'));
  session_.finish(id);
  exchange();  // the peer's automatic window updates let it through
  EXPECT_EQ(peer_.answers.at(id).body.size(), 100'000u);
  EXPECT_EQ(session_.queued(id), 0u);
  EXPECT_GT(events_.sent, 1);
}

TEST_F(Http2SessionTest, ResetsRequestsThatHttp1WouldReadDifferently) {
  const std::vector<std::vector<std::pair<std::string, std::string>>> bad{
      {{":method", "GET"}, {":scheme", "https"}, {":authority", "a"}, {":path", ""}},
      {{":method", "GET"}, {":scheme", "https"}, {":authority", "a"}, {":path", "x"}},
      {{":method", "GET"},
       {":scheme", "https"},
       {":authority", "a"},
       {":path", "/"},
       {"host", "b"}},
      {{":method", "GET"}, {":scheme", "https"}, {":path", "/"}},
      {{":method", "GET"},
       {":scheme", "https"},
       {":authority", "a"},
       {":path", "/"},
       {"transfer-encoding", "chunked"}},
      {{":method", "GET"},
       {":scheme", "https"},
       {":authority", "a"},
       {":path", "/"},
       {"connection", "close"}},
      {{":method", "GET"},
       {":scheme", "https"},
       {":authority", "a"},
       {":path", "/"},
       {"te", "gzip"}},
      {{":method", "GET"},
       {":scheme", "https"},
       {":authority", "a"},
       {":path", "/"},
       {"x", "a\nb"}},
      {{":method", "GET"},
       {":scheme", "https"},
       {":authority", "a"},
       {":path", "/"},
       {"content-length", "5"}},
  };
  for (const auto& fields : bad) {
    Recorder events;
    Http2Session session({}, events);
    Http2Peer peer;
    const auto id = peer.request(fields);
    for (int i = 0; i < 4; ++i) {
      if (const auto out = peer.output(); !out.empty()) std::ignore = session.receive(out, now_);
      for (auto out = session.next_output(); !out.empty(); out = session.next_output())
        peer.input(out);
    }
    EXPECT_TRUE(peer.answers[id].closed && *peer.answers[id].closed != 0) << fields.back().first;
    const auto seen = events.streams.find(id);
    if (seen != events.streams.end()) {
      EXPECT_EQ(fields.back().first, "content-length");
    }
  }
}

TEST_F(Http2SessionTest, ReportsHeadsThatAreTooLargeInsteadOfKeepingThem) {
  auto fields = kGet;
  for (int i = 0; i < 150; ++i) fields.emplace_back("x-" + std::to_string(i), "v");
  const auto id = peer_.request(fields);
  exchange();
  EXPECT_TRUE(events_.streams.at(id).request.too_large);
  EXPECT_LE(events_.streams.at(id).request.fields.size(), 100u);
}

TEST_F(Http2SessionTest, CalmsAClientThatResetsItsStreamsRapidly) {
  for (int i = 0; i < 50 && !peer_.goaway; ++i) {
    const auto id = peer_.request(kGet);
    exchange();
    nghttp2_submit_rst_stream(peer_.session, 0, id, NGHTTP2_CANCEL);
    exchange();
  }
  ASSERT_TRUE(peer_.goaway);
  EXPECT_LE(events_.streams.size(), 13u);
}

TEST_F(Http2SessionTest, CalmsAClientThatProvokesResets) {
  raw(preface());
  const std::string head{
      "\x82\x87\x84\x41\x01"
      "a",
      6};  // GET, https, /, :authority a
  for (std::uint32_t id = 1; id < 100 && !goaway_sent(); id += 2) {
    raw(frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, id, head));
    raw(frame(NGHTTP2_WINDOW_UPDATE, 0, id, "\x7f\xff\xff\xff"));  // overflow: a stream error
  }
  EXPECT_EQ(goaway_sent(), Http2Session::kEnhanceYourCalm);
}

TEST_F(Http2SessionTest, CalmsFloodsOfControlAndEmptyFrames) {
  const auto flooded_by = [&](const std::string& once, const std::string& first = {}) {
    Recorder events;
    Http2Session session({}, events);
    sent_.clear();
    std::ignore = session.receive(preface() + first, now_);
    for (int i = 0; i < 1'000; ++i) {
      const auto received = session.receive(once, now_);
      for (auto out = session.next_output(); !out.empty(); out = session.next_output())
        sent_ += out;
      if (goaway_sent() || !received) return true;
    }
    return false;
  };
  EXPECT_TRUE(flooded_by(frame(NGHTTP2_PING, 0, 0, std::string(8, 'p'))));
  EXPECT_TRUE(flooded_by(frame(NGHTTP2_SETTINGS, 0, 0, "")));
  const std::string head{
      "\x83\x87\x84\x41\x01"
      "a",
      6};
  EXPECT_TRUE(flooded_by(frame(NGHTTP2_DATA, 0, 1, ""),
                         frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, head)));
  EXPECT_TRUE(
      flooded_by(frame(NGHTTP2_CONTINUATION, 0, 1, ""), frame(NGHTTP2_HEADERS, 0, 1, head)));
}

TEST_F(Http2SessionTest, AllowsOrdinaryPings) {
  raw(preface());
  for (int i = 0; i < 500; ++i) {
    raw(frame(NGHTTP2_PING, 0, 0, std::string(8, 'p')));
    now_ += 1s;
  }
  EXPECT_TRUE(received_.has_value());
  EXPECT_FALSE(goaway_sent());
}

TEST_F(Http2SessionTest, RefusesGarbageAndWrongFrames) {
  const auto refused = [&](const std::string& bytes) {
    Recorder events;
    Http2Session session({}, events);
    sent_.clear();
    const auto received = session.receive(bytes, now_);
    for (auto out = session.next_output(); !out.empty(); out = session.next_output()) sent_ += out;
    return !received || goaway_sent().has_value();
  };
  EXPECT_TRUE(refused("GET / HTTP/1.1\r\nhost: a\r\n\r\n"));
  EXPECT_TRUE(refused(preface() + frame(NGHTTP2_DATA, 0, 0, "x")));
  EXPECT_TRUE(
      refused(preface() + frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 2, "\x82\x87\x84")));
  EXPECT_TRUE(refused(preface() + frame(NGHTTP2_PING, 0, 0, "short")));
  EXPECT_TRUE(refused(preface() + frame(NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0, "123456")));
  EXPECT_TRUE(refused(
      preface() + frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, "\x80")));  // HPACK index 0
  EXPECT_TRUE(refused(preface() +
                      frame(NGHTTP2_PUSH_PROMISE, NGHTTP2_FLAG_END_HEADERS, 1, "\0\0\0\2\x82")));
  EXPECT_TRUE(refused(preface() + frame(NGHTTP2_WINDOW_UPDATE, 0, 0, std::string(4, '\0'))));
  EXPECT_TRUE(refused(preface() + frame(NGHTTP2_RST_STREAM, 0, 5, std::string(4, '\0'))));
  EXPECT_TRUE(refused(preface() + frame(NGHTTP2_DATA, 0, 1, std::string(16'385, 'x'))));
}

TEST_F(Http2SessionTest, EndsInTwoStepsAndLetsOpenStreamsFinish) {
  const auto id = peer_.request(kGet);
  exchange();
  session_.announce_shutdown();
  exchange();
  EXPECT_EQ(peer_.goaway, 0u);
  session_.shut_down();
  exchange();
  EXPECT_FALSE(session_.is_over());
  session_.send_head(id, 200, {}, false);
  session_.send(id, "done");
  session_.finish(id);
  exchange();
  EXPECT_EQ(peer_.answers.at(id).body, "done");
  EXPECT_TRUE(session_.is_over());
}

TEST_F(Http2SessionTest, RefusesMoreStreamsThanItAnnounced) {
  Recorder events;
  Http2Session session({.max_concurrent_streams = 2}, events);
  raw("");
  std::string all = preface();
  const std::string head{
      "\x82\x87\x84\x41\x01"
      "a",
      6};
  for (std::uint32_t id = 1; id <= 7; id += 2) {
    all += frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, id, head);
  }
  std::ignore = session.receive(all, now_);
  EXPECT_EQ(events.streams.size(), 2u);
}

}  // namespace
}  // namespace conciergus::codec

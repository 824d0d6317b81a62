#include "conciergus/http/http1_response.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conciergus/http/read_buffer.hpp"

namespace conciergus::http {
namespace {
using testing::HasSubstr;
using testing::Not;

class Stream final : public BodyReader {
 public:
  explicit Stream(std::optional<std::uint64_t> size = std::nullopt) : size_(size) {}
  Task<Result<std::string_view>> read() override { co_return std::string_view(); }
  std::optional<std::uint64_t> size() const noexcept override { return size_; }

 private:
  std::optional<std::uint64_t> size_;
};

std::string head_of(const Response& response,
                    const Http1Exchange& exchange = {},
                    std::string_view date = {}) {
  std::string head;
  const auto plan = plan_response(response, exchange);
  const auto written = write_response_head(head, response, exchange, plan, date);
  return written ? head : written.error().to_string();
}

TEST(Http1ResponseTest, FramesTextByItsLengthWhateverTheHandlerSays) {
  const Response response{
      200, {{"Content-Length", "7"}, {"transfer-encoding", "chunked"}}, "abc", {}};
  EXPECT_EQ(head_of(response), "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n");
}

TEST(Http1ResponseTest, FramesStreamsByLengthChunksOrTheEndOfTheConnection) {
  const Response known{200, {}, Body(std::make_unique<Stream>(9)), {}};
  EXPECT_EQ(head_of(known), "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n");
  const Response unknown{200, {}, Body(std::make_unique<Stream>()), {}};
  EXPECT_EQ(head_of(unknown), "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
  EXPECT_EQ(head_of(unknown, {.version = Version::kHttp10}),
            "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
}

TEST(Http1ResponseTest, TellsTheLengthOfABodyThatIsNotSent) {
  const Response response{200, {{"content-length", "42"}}, {}, {}};
  EXPECT_THAT(head_of(response, {.is_head = true}), HasSubstr("content-length: 42\r\n"));
  const Response not_modified{304, {{"content-length", "42"}}, {}, {}};
  EXPECT_THAT(head_of(not_modified), HasSubstr("content-length: 42\r\n"));
  const Response empty{204, {{"content-length", "42"}}, {}, {}};
  EXPECT_EQ(head_of(empty), "HTTP/1.1 204 No Content\r\n\r\n");
}

TEST(Http1ResponseTest, OwnsTheFieldsOfTheConnection) {
  const Response response{200,
                          {{"Connection", "keep-alive, x"},
                           {"Keep-Alive", "timeout=5"},
                           {"Proxy-Connection", "close"},
                           {"Upgrade", "h2c"},
                           {"X-Kept", "y"}},
                          "",
                          {}};
  EXPECT_EQ(head_of(response, {.keep_alive = false}),
            "HTTP/1.1 200 OK\r\nX-Kept: y\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
}

TEST(Http1ResponseTest, AddsADateUnlessThereIsOne) {
  EXPECT_THAT(head_of({200, {}, "", {}}, {}, "now"), HasSubstr("date: now\r\n"));
  const auto head = head_of({200, {{"Date", "then"}}, "", {}}, {}, "now");
  EXPECT_THAT(head, HasSubstr("Date: then\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("now")));
}

TEST(Http1ResponseTest, RefusesFieldsThatWouldSplitTheResponse) {
  EXPECT_THAT(head_of({200, {{"x", "a\r\nb: c"}}, "", {}}), HasSubstr("malformed"));
}

TEST(ReadBufferTest, KeepsWhatIsUnreadWhileItMovesGrowsAndShrinks) {
  ReadBuffer buffer;
  std::string expected;
  for (int i = 0; i < 5'000; ++i) {
    const char c = static_cast<char>('a' + i % 26);
    buffer.space().front() = c;
    buffer.commit(1);
    expected += c;
    if (i % 3 == 0) {
      buffer.consume(1);
      expected.erase(0, 1);
    }
  }
  EXPECT_EQ(buffer.data(), expected);
  buffer.grow_to(20'000);
  EXPECT_EQ(buffer.data(), expected);
  buffer.shrink();
  EXPECT_EQ(buffer.capacity(), ReadBuffer::kInitial);
  EXPECT_EQ(buffer.data(), expected);
  buffer.consume(expected.size());
  EXPECT_TRUE(buffer.empty());
}

}  // namespace
}  // namespace conciergus::http

/// What request smuggling lives on, sent as raw bytes. Each case is sent in front of a second,
/// harmless request, and must never make the server see more requests than were sent: what is
/// refused takes the connection with it, and what is accepted leaves the next request its own
/// answer.
#include <atomic>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/test_server.hpp"

namespace conciergus::http {
namespace {
using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

struct Case {
  std::string name;
  std::string bytes;
  std::vector<int> statuses;  // one of them
};

void PrintTo(const Case& given, std::ostream* out) {
  *out << given.name;
}

const std::string kHost = "Host: a\r\n";
const std::string kPost = "POST / HTTP/1.1\r\n" + kHost;
const std::string kChunked = kPost + "Transfer-Encoding: chunked\r\n\r\n";
const std::string kSmuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string kNext = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";

class HttpSmugglingTest : public testing::TestWithParam<Case> {
 protected:
  /// Reads the body, as an application does, and counts.
  Task<Result<Response>> handle(Request& request) {
    ++requests_;
    if (request.path() == "/smuggled") ++smuggled_;
    if (request.path() == "/next") co_return make_response(200, "text/plain", "next");
    auto body = co_await read_all(*request.body, 1'000'000);
    if (!body) co_return std::unexpected(body.error());
    co_return make_response(200, "text/plain", "body=" + *body);
  }

  std::atomic<int> requests_ = 0;
  std::atomic<int> smuggled_ = 0;
  TestServer server_{[this](RequestContext&, Request& request) { return handle(request); },
                     {.linger = 50ms}};
};

TEST_P(HttpSmugglingTest, IsRefusedTogetherWithItsConnection) {
  const auto& [name, bytes, statuses] = GetParam();
  auto client = server_.connect();
  client.send(bytes);
  client.send(kNext);
  client.finish_sending();
  const auto answers = client.read_all();
  ASSERT_THAT(answers, StartsWith("HTTP/1.1 ")) << name;
  EXPECT_THAT(statuses, testing::Contains(std::stoi(answers.substr(9, 3)))) << answers;
  EXPECT_THAT(answers, HasSubstr("connection: close\r\n"));
  EXPECT_EQ(answers.find("HTTP/1.1 ", 1), std::string::npos) << "two answers: " << answers;
  EXPECT_EQ(smuggled_, 0);
  EXPECT_LE(requests_, 1);
}

std::vector<Case> refused() {
  std::vector<Case> cases = {
      {"length_and_coding",
       kPost + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + kSmuggled,
       {400}},
      {"coding_and_length",
       kPost + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + kSmuggled,
       {400}},
      {"unknown_coding", kPost + "Transfer-Encoding: gzip\r\n\r\n" + kSmuggled, {400, 501}},
      {"coding_list", kPost + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", {400, 501}},
      {"two_codings",
       kPost + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
       {400, 501}},
      {"coding_in_old_version",
       "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + kSmuggled,
       {400}},
      {"both_in_old_version",
       "POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: "
       "chunked\r\n\r\n0\r\n\r\n",
       {400}},
      {"space_before_colon", kPost + "Content-Length : 34\r\n\r\n" + kSmuggled, {400}},
      {"tab_before_colon", kPost + "Content-Length\t: 34\r\n\r\n" + kSmuggled, {400}},
      {"leading_space", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", {400}},
      {"obs_fold", kPost + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", {400}},
      {"bare_line_feed", "GET / HTTP/1.1\nHost: a\n\n", {400}},
      {"bare_line_feed_in_head", kPost + "X: a\nContent-Length: 5\r\n\r\n", {400}},
      {"bare_return", kPost + "X: a\rContent-Length: 5\r\n\r\n", {400}},
      {"control_byte_in_value", kPost + "X: a\x01\r\n\r\n", {400}},
      {"control_byte_in_name", kPost + "X\x7f: a\r\n\r\n", {400}},
      {"empty_name", kPost + ": a\r\n\r\n", {400}},
      {"name_outside_token", kPost + "X(Y): a\r\n\r\n", {400}},
      {"no_host", "GET / HTTP/1.1\r\n\r\n", {400}},
      {"two_hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", {400}},
      {"host_with_path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", {400}},
      {"host_with_user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", {400}},
      {"host_with_space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", {400}},
      {"absolute_form_disagrees", "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", {400}},
      {"two_spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", {400}},
      {"tab_in_request_line", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", {400}},
      {"version_2", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", {400, 505}},
      {"version_1_2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", {400, 505}},
      {"version_0_9", "GET /\r\n\r\n", {400, 505}},
      {"two_empty_lines", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", {400}},
      {"long_line",
       "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n",
       {431}},
      {"long_target", "GET /" + std::string(9'000, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n", {414}},
      {"unknown_expectation", kPost + "Content-Length: 0\r\nExpect: 200-ok\r\n\r\n", {417}},
      {"missing_end_of_chunk", kChunked + "3\r\nabcX\r\n0\r\n\r\n", {400}},
      {"line_feed_after_size", kChunked + "3\nabc\r\n0\r\n\r\n", {400}},
      {"line_feed_after_chunk", kChunked + "3\r\nabc\n0\r\n\r\n", {400}},
      {"long_extension", kChunked + "3;" + std::string(300, 'x') + "\r\nabc\r\n0\r\n\r\n", {400}},
      {"framing_trailer", kChunked + "0\r\nContent-Length: 30\r\n\r\n" + kSmuggled, {400}},
      {"routing_trailer", kChunked + "0\r\nHost: b\r\n\r\n" + kSmuggled, {400}},
      {"long_trailers", kChunked + "0\r\nX: " + std::string(9'000, 'x') + "\r\n\r\n", {400}},
  };
  std::string many = "GET / HTTP/1.1\r\n" + kHost;
  for (int i = 0; i < 101; ++i) many += "X: y\r\n";
  cases.push_back({"many_fields", many + "\r\n", {431}});
  for (const std::string length : {"5, 5",
                                   "+5",
                                   "-5",
                                   "0x5",
                                   "1_0",
                                   "+1_0",
                                   "",
                                   "5 5",
                                   "5;",
                                   "9223372036854775808000",
                                   "5\t6"}) {
    cases.push_back({"length_" + std::to_string(cases.size()),
                     kPost + "Content-Length: " + length + "\r\n\r\n" + kSmuggled,
                     {400}});
  }
  for (const std::string lengths : {"Content-Length: 5\r\nContent-Length: 5\r\n",
                                    "Content-Length: 5\r\ncontent-length: 6\r\n"}) {
    cases.push_back({"lengths_" + std::to_string(cases.size()),
                     kPost + lengths + "\r\nhello" + kSmuggled,
                     {400}});
  }
  for (const std::string size :
       {"0x3", "+3", "-3", "0_2e", " 3", "3 ", "", "00000000000000003", "fffffffffffffffff", "g"}) {
    cases.push_back({"chunk_size_" + std::to_string(cases.size()),
                     kChunked + size + "\r\nabc\r\n0\r\n\r\n" + kSmuggled,
                     {400}});
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Section19,
                         HttpSmugglingTest,
                         testing::ValuesIn(refused()),
                         [](const auto& info) { return info.param.name; });

/// What is legal, and must leave the next request its own answer.
using HttpFramingTest = HttpSmugglingTest;

TEST_P(HttpFramingTest, IsAcceptedAndLeavesTheNextRequestAlone) {
  const auto& [name, bytes, statuses] = GetParam();
  auto client = server_.connect();
  client.send(bytes);
  client.send(kNext);
  EXPECT_EQ(std::stoi(client.read_response().substr(9, 3)), statuses.front()) << name;
  EXPECT_THAT(client.read_response(), testing::EndsWith("\r\n\r\nnext"));
  EXPECT_EQ(requests_, 2);
  EXPECT_EQ(smuggled_, 0);
}

INSTANTIATE_TEST_SUITE_P(
    Legal,
    HttpFramingTest,
    testing::Values(
        Case{"empty_line_first", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", {200}},
        Case{"get_with_body", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", {200}},
        Case{"body_that_looks_like_a_request",
             kPost + "Content-Length: " + std::to_string(kSmuggled.size()) + "\r\n\r\n" + kSmuggled,
             {200}},
        Case{"capital_coding", kPost + "Transfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n", {200}},
        Case{"white_space_after_coding",
             kPost + "Transfer-Encoding:\tchunked \r\n\r\n0\r\n\r\n",
             {200}},
        Case{"chunk_extension", kChunked + "3;a=\"b\"\r\nabc\r\n0\r\n\r\n", {200}},
        Case{"trailer", kChunked + "0\r\nX-Sum: 1\r\n\r\n", {200}}),
    [](const auto& info) { return info.param.name; });

}  // namespace

/// The handler answers at once and leaves the body where it is.
class UnreadBodyTest : public testing::Test {
 protected:
  Task<Result<Response>> handle(Request& request) {
    paths_.push_back(request.target);
    co_return make_response(200, "text/plain", request.target);
  }
  std::vector<std::string> paths_;  // on the shard; looked at once it has stopped
  TestServer server_{[this](RequestContext&, Request& request) { return handle(request); },
                     {.linger = 50ms}};
};

// CVE-2025-4366: the body of a request that is answered from a cache must not become a request.
TEST_F(UnreadBodyTest, IsNeverTakenForTheNextRequest) {
  auto client = server_.connect();
  for (const std::string& framing :
       {"Content-Length: " + std::to_string(kSmuggled.size()) + "\r\n\r\n" + kSmuggled,
        std::string("Transfer-Encoding: chunked\r\n\r\n23\r\n") + kSmuggled + "\r\n0\r\n\r\n"}) {
    client.send("GET /cached HTTP/1.1\r\nHost: a\r\n" + framing);
    client.send(kNext);
    EXPECT_THAT(client.read_response(), testing::EndsWith("/cached"));
    EXPECT_THAT(client.read_response(), testing::EndsWith("/next"));
  }
  server_.server().stop();
  EXPECT_THAT(paths_, testing::ElementsAre("/cached", "/next", "/cached", "/next"));
}

TEST_F(UnreadBodyTest, EndsTheConnectionWhenItTurnsOutBroken) {
  auto client = server_.connect();
  client.send(kChunked + "x\r\n" + kSmuggled);
  EXPECT_THAT(client.read_all(), testing::EndsWith("\r\n\r\n/"));
  server_.server().stop();
  EXPECT_THAT(paths_, testing::ElementsAre("/"));
}

// CVE-2026-2833: what follows an upgrade that is not granted is an ordinary next request.
TEST_F(UnreadBodyTest, LeavesBytesBehindARefusedUpgradeToTheNextRequest) {
  auto client = server_.connect();
  client.send(
      "GET /upgrade HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n" +
      kNext);
  EXPECT_THAT(client.read_response(), testing::EndsWith("/upgrade"));
  EXPECT_THAT(client.read_response(), testing::EndsWith("/next"));
}

}  // namespace conciergus::http

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "conciergus/gateway/admin_guard.hpp"
#include "conciergus/gateway/conditional.hpp"
#include "conciergus/gateway/file_handler.hpp"
#include "conciergus/gateway/page_handler.hpp"
#include "conciergus/gateway/status_handlers.hpp"
#include "conciergus/http/router.hpp"
#include "support/test_request.hpp"

namespace conciergus::gateway {
namespace {

using testing::HasSubstr;

class AdminGuardTest : public testing::Test {
 protected:
  /// The status a request gets, 200 being let through.
  unsigned ask(TestRequest& request, std::string token, bool allows_loopback = true) {
    std::vector<std::unique_ptr<http::Middleware>> chain;
    chain.push_back(std::make_unique<AdminGuard>(Secret(std::move(token)), allows_loopback));
    const http::Chain handler(std::move(chain), std::make_shared<HealthHandler>());
    const auto response = request.try_ask(handler);
    return response ? response->status : http_status(response.error().code());
  }
  unsigned ask_here(std::string authority, http::Headers headers = {}) {
    TestRequest request(shard_, "GET", "/", std::move(headers));
    request.request.authority = std::move(authority);
    return ask(request, "");
  }
  TestShard shard_;
};

TEST_F(AdminGuardTest, LetsDirectRequestsOfThisMachineThrough) {
  EXPECT_EQ(ask_here("127.0.0.1:8080"), 200u);
  EXPECT_EQ(ask_here("localhost"), 200u);
  EXPECT_EQ(ask_here("[::1]:8080"), 200u);
}

TEST_F(AdminGuardTest, RefusesWhatAProxyOrAnotherSitePassedOn) {
  EXPECT_EQ(ask_here("127.0.0.1", {{"x-forwarded-for", "9.9.9.9"}}), 403u);
  EXPECT_EQ(ask_here("127.0.0.1", {{"via", "1.1 nginx"}}), 403u);
  EXPECT_EQ(ask_here("127.0.0.1", {{"forwarded", "for=9.9.9.9"}}), 403u);
  EXPECT_EQ(ask_here("rebound.example"), 403u);
  EXPECT_EQ(ask_here("127.0.0.1.example"), 403u);
  EXPECT_EQ(ask_here("127.0.0.1", {{"sec-fetch-site", "cross-site"}}), 403u);
}

TEST_F(AdminGuardTest, RefusesOtherMachinesWithoutAToken) {
  TestRequest request(shard_);
  request.request.authority = "localhost";
  request.peer.is_loopback = false;
  EXPECT_EQ(ask(request, ""), 403u);
}

TEST_F(AdminGuardTest, RefusesThisMachineTooWhereThatIsConfigured) {
  TestRequest request(shard_);
  request.request.authority = "localhost";
  EXPECT_EQ(ask(request, "", /*allows_loopback=*/false), 403u);
}

TEST_F(AdminGuardTest, WithATokenWantsTheTokenFromEverybody) {
  TestRequest none(shard_);
  none.request.authority = "localhost";
  EXPECT_EQ(ask(none, "the-long-admin-token"), 401u);
  TestRequest wrong(shard_, "GET", "/", {{"authorization", "Bearer the-long-admin-tokem"}});
  EXPECT_EQ(ask(wrong, "the-long-admin-token"), 401u);
  TestRequest right(shard_, "GET", "/", {{"authorization", "bearer the-long-admin-token"}});
  right.peer.is_loopback = false;
  EXPECT_EQ(ask(right, "the-long-admin-token"), 200u);
}

class PageHandlerTest : public testing::Test {
 protected:
  http::Response ask(std::string target, http::Headers headers = {}) {
    TestRequest request(shard_, "GET", std::move(target), std::move(headers));
    return request.ask(handler_);
  }
  static constexpr EmbeddedPage kPages[] = {
      {"/index.html", "text/html; charset=utf-8", "\"a1\"", "<p>page", "gz", "br"},
      {"/assets/x.js", "text/javascript; charset=utf-8", "\"b2\"", "code", "", ""},
  };
  TestShard shard_;
  PageHandler handler_{kPages};
};

TEST_F(PageHandlerTest, ServesTheIndexForTheRootWithAPolicy) {
  const auto response = ask("/?q");
  EXPECT_EQ(response.body.text(), "<p>page");
  EXPECT_EQ(response.headers.get("cache-control"), "no-cache");
  EXPECT_THAT(std::string(response.headers.get("content-security-policy")),
              HasSubstr("default-src 'self'"));
}

TEST_F(PageHandlerTest, SendsThePreparedCodingThatIsLikedBest) {
  const auto brotli = ask("/", {{"accept-encoding", "gzip, br"}});
  EXPECT_EQ(brotli.body.text(), "br");
  EXPECT_EQ(brotli.headers.get("content-encoding"), "br");
  EXPECT_EQ(brotli.headers.get("etag"), "\"a1-br\"");
  EXPECT_EQ(ask("/", {{"accept-encoding", "gzip;q=1, br;q=0.5"}}).body.text(), "gz");
  EXPECT_EQ(ask("/assets/x.js", {{"accept-encoding", "br"}}).body.text(), "code");
}

TEST_F(PageHandlerTest, SendsNoBodyToWhoHasIt) {
  EXPECT_EQ(ask("/", {{"if-none-match", "\"x\", W/\"a1\""}}).status, 304u);
  EXPECT_EQ(ask("/", {{"if-none-match", "\"a1-br\""}}).status, 200u);
}

TEST_F(PageHandlerTest, LetsAssetsBeKeptForEver) {
  EXPECT_THAT(std::string(ask("/assets/x.js").headers.get("cache-control")),
              HasSubstr("immutable"));
}

class FileHandlerTest : public testing::Test {
 protected:
  FileHandlerTest() {
    std::filesystem::create_directories(root_ / "sub");
    write("index.html", "<p>root");
    write("sub/index.html", "<p>sub");
    write("a.css", "body{}");
    write(".secret", "no");
    write("../outside.txt", "no");
    std::filesystem::create_symlink("../../outside.txt", root_ / "sub/link.txt");
    auto opened = FileHandler::open(root_.string());
    EXPECT_TRUE(opened);
    if (opened) handler_ = *opened;
  }
  ~FileHandlerTest() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) {
    std::ofstream(root_ / name) << text;
  }
  Result<http::Response> ask(std::string target, http::Headers headers = {}) {
    TestRequest request(shard_, "GET", std::move(target), std::move(headers));
    return request.try_ask(*handler_);
  }
  bool is_missing(std::string target) {
    const auto response = ask(std::move(target));
    return !response && response.error().code() == ErrorCode::kNotFound;
  }
  std::filesystem::path folder_ = std::filesystem::path(testing::TempDir()) /
                                  ("conciergus-files-" + std::to_string(::getpid()));
  std::filesystem::path root_ = folder_ / "root";
  TestShard shard_;
  std::shared_ptr<const FileHandler> handler_;
};

TEST_F(FileHandlerTest, ServesFilesWithTypeAndValidator) {
  const auto response = ask("/a.css?v=1");
  ASSERT_TRUE(response);
  EXPECT_EQ(response->body.text(), "body{}");
  EXPECT_EQ(response->headers.get("content-type"), "text/css; charset=utf-8");
  const std::string etag(response->headers.get("etag"));
  EXPECT_EQ(ask("/a.css", {{"if-none-match", etag}})->status, 304u);
  write("a.css", "body{color:red}");
  EXPECT_EQ(ask("/a.css", {{"if-none-match", etag}})->status, 200u);
}

TEST_F(FileHandlerTest, ServesTheIndexOfAFolder) {
  EXPECT_EQ(ask("/")->body.text(), "<p>root");
  EXPECT_EQ(ask("/sub/")->body.text(), "<p>sub");
}

TEST_F(FileHandlerTest, ServesNothingFromOutsideOrHidden) {
  for (const auto* target : {"/../outside.txt",
                             "/sub/../../outside.txt",
                             "/%2e%2e/outside.txt",
                             "/sub/link.txt",
                             "/.secret",
                             "/sub%2f..%2f.secret",
                             "/none.txt"}) {
    EXPECT_TRUE(is_missing(target)) << target;
  }
}

TEST_F(FileHandlerTest, StreamsLargeFiles) {
  const std::string large(FileHandler::kWhole + 70'000, 'x');
  write("large.bin", large);
  TestRequest request(shard_, "GET", "/large.bin");
  auto response = request.ask(*handler_);
  ASSERT_TRUE(response.body.is_stream());
  EXPECT_EQ(response.body.size(), large.size());
  std::string received;
  shard_.run([&]() -> Task<void> {
    auto all = co_await http::read_all(*response.body.stream(), large.size());
    if (all) received = *std::move(all);
  });
  EXPECT_TRUE(received == large);
}

TEST_F(FileHandlerTest, RefusesARootThatIsNoFolder) {
  EXPECT_EQ(FileHandler::open("/nowhere/at/all").error().code(), ErrorCode::kConfig);
}

TEST(ReadyHandlerTest, TellsEveryReason) {
  TestShard shard;
  std::atomic<bool> draining{false};
  const ReadyHandler ready(draining, {});
  TestRequest request(shard);
  EXPECT_EQ(request.ask(ready).status, 200u);
  draining = true;
  const ReadyHandler both(draining, {"no provider is configured"});
  const auto response = request.ask(both);
  EXPECT_EQ(response.status, 503u);
  EXPECT_THAT(std::string(response.body.text()),
              HasSubstr(R"(["no provider is configured","draining"])"));
}

TEST(MetricsHandlerTest, SpeaksOpenMetricsToWhoNamesIt) {
  TestShard shard;
  ProcessMetrics process(shard.metrics(), system_clock());
  const MetricsHandler handler(process);
  TestRequest plain(shard);
  EXPECT_THAT(std::string(plain.ask(handler).body.text()),
              HasSubstr("process_resident_memory_bytes "));
  TestRequest open(shard, "GET", "/", {{"accept", "application/openmetrics-text;version=1.0.0"}});
  const auto response = open.ask(handler);
  EXPECT_TRUE(response.headers.get("content-type").starts_with("application/openmetrics-text"));
  EXPECT_TRUE(response.body.text().ends_with("# EOF\n"));
}

}  // namespace
}  // namespace conciergus::gateway

/// The whole gateway in one process, over real sockets: what it answers where, reloading, stopping,
/// and that docs/metrics.md tells of every metric.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conciergus/gateway/gateway.hpp"
#include "support/raw_client.hpp"

namespace conciergus::gateway {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

/// A folder that is gone afterwards.
class Folder {
 public:
  Folder() {
    static int number = 0;
    path_ = std::filesystem::path(testing::TempDir()) /
            fmt::format("conciergus-gateway-{}-{}", ::getpid(), ++number);
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name) << text;
    return (path_ / name).string();
  }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

class GatewayServerTest : public testing::Test {
 protected:
  static LoadedConfig load(const std::string& toml) {
    std::string text = "server.port = 0\nserver.shards = 2\nserver.drain_timeout = '1s'\n";
    if (!toml.contains("log.access")) text += "log.access = false\n";
    text += toml;
    const ConfigSources sources{
        .environment = [](const std::string&) { return std::optional<std::string>(); },
        .read_file = [&](const std::string&) -> Result<std::string> { return text; },
    };
    auto loaded = load_config({.file = "test.toml", .flags = {}}, sources);
    if (loaded) return *std::move(loaded);
    for (const auto& problem : loaded.error()) ADD_FAILURE() << problem.to_string();
    return {};
  }
  void start(const std::string& toml = {}) {
    auto started = Gateway::start(load(toml), observe::Log::none());
    ASSERT_TRUE(started) << started.error().to_string();
    gateway_ = *std::move(started);
  }
  std::string send(const std::string& text) {
    RawClient client(gateway_->endpoint().port);
    client.send(text);
    return client.read_response();
  }
  std::string get(const std::string& path, const std::string& fields = {}) {
    return send(fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\n{}\r\n", path, fields));
  }
  std::string post(const std::string& path, const std::string& body) {
    return send(
        fmt::format("POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                    "Content-Length: {}\r\n\r\n{}",
                    path,
                    body.size(),
                    body));
  }

  static constexpr const char* kInstant =
      "[llm.providers.sim]\nkind = 'simulated'\nsimulated = {instant = true}\n";
  static constexpr const char* kQuestion =
      R"({"model":"simulated","temperature":0,"messages":[{"role":"user","content":"hi"}]})";
  std::unique_ptr<Gateway> gateway_;
};

TEST_F(GatewayServerTest, AnswersWithEmbeddedDefaults) {
  start();
  EXPECT_THAT(get("/_conciergus/healthz"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(get("/_conciergus/readyz"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(get("/"), HasSubstr("content-security-policy: default-src 'self'"));
  EXPECT_THAT(get("/v1/models"), HasSubstr("\"simulated\""));
  EXPECT_THAT(get("/nowhere"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(get("/_conciergus/nowhere"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(get("/v1/chat/completions"), HasSubstr("allow: POST"));
}

TEST_F(GatewayServerTest, AnswersTheSameQuestionFromTheCacheUntilThatIsCleared) {
  start(kInstant);
  EXPECT_THAT(post("/v1/chat/completions", kQuestion), HasSubstr("fwd=miss"));
  EXPECT_THAT(post("/v1/chat/completions", kQuestion), HasSubstr("cache-status: conciergus; hit"));
  EXPECT_THAT(get("/_conciergus/api/cache"), HasSubstr("\"entries\":1"));
  EXPECT_THAT(send("DELETE /_conciergus/api/cache HTTP/1.1\r\nHost: localhost\r\n\r\n"),
              HasSubstr("\"entries\":0"));
  EXPECT_THAT(post("/v1/chat/completions", kQuestion), HasSubstr("fwd=miss"));
}

TEST_F(GatewayServerTest, GivesTheAnswersThatTheConfigurationSpellsOut) {
  start(
      "[[responses]]\npath = '/robots.txt'\nbody = 'User-agent: *'\n"
      "[[responses]]\npath = '/old'\nstatus = 410\ncontent_type = 'text/html'\nbody = 'gone'\n");
  const auto robots = get("/robots.txt");
  EXPECT_THAT(robots, HasSubstr("content-type: text/plain; charset=utf-8"));
  EXPECT_THAT(robots, testing::EndsWith("User-agent: *"));
  EXPECT_THAT(get("/old"), StartsWith("HTTP/1.1 410"));
}

TEST_F(GatewayServerTest, KeepsTheAdministrationFromStrangers) {
  start();
  EXPECT_THAT(get("/_conciergus/api/config"), HasSubstr("server.shards"));
  EXPECT_THAT(get("/_conciergus/api/config", "X-Forwarded-For: 9.9.9.9\r\n"),
              StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(get("/_conciergus/metrics", "Via: 1.1 proxy\r\n"), StartsWith("HTTP/1.1 403"));
}

TEST_F(GatewayServerTest, SaysThatThereIsNoProvider) {
  start("profile = 'production'\nserver.host = '127.0.0.1'\n");
  EXPECT_THAT(get("/_conciergus/readyz"), HasSubstr("no provider is configured"));
  EXPECT_THAT(post("/v1/chat/completions", kQuestion), StartsWith("HTTP/1.1 503"));
}

TEST_F(GatewayServerTest, ReloadTakesEffectForNewRequestsAndKeepsAnswers) {
  start(kInstant);
  const Folder folder;
  folder.write("page.txt", "from the folder");
  post("/v1/chat/completions", kQuestion);
  EXPECT_THAT(get("/page.txt"), StartsWith("HTTP/1.1 404"));
  const auto files = fmt::format("static.root = '{}'\n", folder.path());
  ASSERT_TRUE(gateway_->reload(load(files + kInstant)));
  EXPECT_THAT(get("/page.txt"), HasSubstr("from the folder"));
  EXPECT_THAT(post("/v1/chat/completions", kQuestion), HasSubstr("cache-status: conciergus; hit"));
}

TEST_F(GatewayServerTest, AReloadThatFailsChangesNothing) {
  start();
  const auto failed = gateway_->reload(load("static.root = '/nowhere/at/all'\n"));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code(), ErrorCode::kConfig);
  EXPECT_THAT(get("/"), StartsWith("HTTP/1.1 200"));
}

TEST_F(GatewayServerTest, ReloadsUnderLoadLoseNothing) {
  start(kInstant);
  std::atomic<int> wrong{0};
  std::atomic<bool> is_over{false};
  {
    std::vector<std::jthread> clients;
    for (int i = 0; i < 4; ++i) {
      clients.emplace_back([&] {
        while (!is_over) {
          if (!post("/v1/chat/completions", kQuestion).starts_with("HTTP/1.1 200")) ++wrong;
        }
      });
    }
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(gateway_->reload(load(kInstant)));
    is_over = true;
  }
  EXPECT_EQ(wrong, 0);
}

TEST_F(GatewayServerTest, TellsAnAddressThatIsTaken) {
  start();
  const auto toml = fmt::format("[server.limits]\nconnections = 5\n");
  auto loaded = load(toml);
  loaded.config.server.port = gateway_->endpoint().port;
  const auto second = Gateway::start(std::move(loaded), observe::Log::none());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), ErrorCode::kConfig);
}

TEST_F(GatewayServerTest, ListensNoMoreOnceStopped) {
  start();
  const auto port = gateway_->endpoint().port;
  gateway_->stop();
  EXPECT_FALSE(RawClient(port).is_connected());
}

/// The names in the first column of the document's tables.
std::set<std::string> documented_metrics() {
  std::ifstream file(CONCIERGUS_SOURCE_DIR "/docs/metrics.md");
  std::set<std::string> names;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("| `")) names.insert(line.substr(3, line.find('`', 3) - 3));
  }
  return names;
}

TEST_F(GatewayServerTest, CountsExactlyWhatTheDocumentationTells) {
  start(std::string("log.access = true\napp.url = 'http://127.0.0.1:1'\n") +
        kInstant);  // nobody listens there
  post("/v1/chat/completions", kQuestion);
  EXPECT_THAT(get("/page"), StartsWith("HTTP/1.1 502"));
  send("GET / HTTP/1.1\r\n\r\n");  // refused: no Host
  std::istringstream text(get("/_conciergus/metrics"));
  std::set<std::string> live;
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with("# TYPE ")) live.insert(line.substr(7, line.find(' ', 7) - 7));
  }
  EXPECT_EQ(live, documented_metrics());
}

}  // namespace
}  // namespace conciergus::gateway

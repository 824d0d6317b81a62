#include "conciergus/gateway/config.hpp"

#include <fstream>
#include <map>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace conciergus::gateway {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;

class ConfigTest : public testing::Test {
 protected:
  std::expected<LoadedConfig, ConfigProblems> load(std::string toml = {}) {
    ConfigRequest request{.file = toml.empty() ? "" : "a.toml", .flags = flags_};
    files_["a.toml"] = std::move(toml);
    const ConfigSources sources{
        .environment = [this](const std::string& name) -> std::optional<std::string> {
          const auto found = environment_.find(name);
          return found == environment_.end() ? std::nullopt : std::optional(found->second);
        },
        .read_file = [this](const std::string& path) -> Result<std::string> {
          const auto found = files_.find(path);
          if (found == files_.end()) return fail(ErrorCode::kConfig, "cannot be read");
          return found->second;
        },
    };
    return load_config(request, sources);
  }
  GatewayConfig good(std::string toml = {}) {
    auto loaded = load(std::move(toml));
    if (!loaded) {
      for (const auto& problem : loaded.error()) ADD_FAILURE() << problem.to_string();
      return {};
    }
    values_ = loaded->values;
    return loaded->config;
  }
  std::vector<std::string> problems(std::string toml) {
    auto loaded = load(std::move(toml));
    std::vector<std::string> texts;
    if (loaded) return texts;
    for (const auto& problem : loaded.error()) texts.push_back(problem.to_string());
    return texts;
  }
  std::string origin(std::string_view path) {
    for (const auto& value : values_) {
      if (value.path == path) return value.origin;
    }
    return "none";
  }

  std::map<std::string, std::string> environment_;
  std::map<std::string, std::string> files_;
  std::vector<ConfigRequest::Flag> flags_;
  std::vector<ValueInForce> values_;
};

TEST_F(ConfigTest, NeedsNoFileAndThenSimulatesAProvider) {
  const auto config = good();
  EXPECT_EQ(config.server.host, "127.0.0.1");
  EXPECT_EQ(config.server.port, 8080);
  ASSERT_EQ(config.llm.providers.size(), 1u);
  EXPECT_EQ(config.llm.providers[0].kind, llm::ProviderKind::kSimulated);
  EXPECT_TRUE(config.serves_chat());
}

TEST_F(ConfigTest, FlagBeatsEnvironmentBeatsFileBeatsProfile) {
  EXPECT_EQ(good("profile = 'production'").server.host, "0.0.0.0");
  EXPECT_EQ(origin("server.host"), "profile production");
  const std::string file = "profile = 'production'\nserver.host = '10.0.0.1'";
  EXPECT_EQ(good(file).server.host, "10.0.0.1");
  EXPECT_EQ(origin("server.host"), "a.toml:2:8");
  environment_["HOST"] = "10.0.0.2";
  EXPECT_EQ(good(file).server.host, "10.0.0.2");
  environment_["CONCIERGUS_SERVER_HOST"] = "10.0.0.3";
  EXPECT_EQ(good(file).server.host, "10.0.0.3");
  EXPECT_EQ(origin("server.host"), "environment CONCIERGUS_SERVER_HOST");
  flags_.push_back({"--host", "server.host", "10.0.0.4"});
  EXPECT_EQ(good(file).server.host, "10.0.0.4");
  EXPECT_EQ(origin("server.host"), "--host");
}

TEST_F(ConfigTest, TellsEveryProblemWithItsPlace) {
  EXPECT_THAT(problems("[server]\nprot = 1\nport = 70000\n[log]\nlevel = 'loud'\nx = 1\n"),
              ElementsAre("a.toml:2:1: server.prot: unknown key; did you mean port?",
                          "a.toml:3:1: server.port: must be between 0 and 65535",
                          "a.toml:5:1: log.level: must be one of \"debug\", \"info\", \"warn\", "
                          "\"error\", \"off\"",
                          "a.toml:6:1: log.x: unknown key"));
}

TEST_F(ConfigTest, TellsWhereTheSyntaxBreaks) {
  EXPECT_THAT(problems("[server\nport = 1"), ElementsAre(HasSubstr("a.toml:1:")));
}

TEST_F(ConfigTest, RefusesWrongTypes) {
  EXPECT_THAT(problems("server = 1"), ElementsAre(HasSubstr("server: expected a table")));
  EXPECT_THAT(problems("server.port = '80'"),
              ElementsAre(HasSubstr("expected a whole number, found text")));
  EXPECT_THAT(problems("server.drain_timeout = 5"), ElementsAre(HasSubstr("expected a duration")));
  EXPECT_THAT(problems("llm.providers = []"),
              ElementsAre(HasSubstr("expected one table per name")));
  EXPECT_THAT(problems("llm.models = 1"), ElementsAre(HasSubstr("expected a list of tables")));
  EXPECT_THAT(problems("cors.origins = 'x'"), ElementsAre(HasSubstr("expected a list")));
}

TEST_F(ConfigTest, ReadsEveryTypeFromTheEnvironment) {
  environment_ = {{"CONCIERGUS_SERVER_DRAIN_TIMEOUT", "5m"},
                  {"CONCIERGUS_LOG_ACCESS", "off"},
                  {"CONCIERGUS_LLM_MAX_REQUEST", "1MiB"},
                  {"CONCIERGUS_LLM_CACHE_TEMPERATURE_BOUND", "0.2"},
                  {"CONCIERGUS_CORS_ORIGINS", "https://a.example, https://b.example"},
                  {"CONCIERGUS_LLM_CACHE_POLICY", "never"}};
  const auto config = good();
  EXPECT_EQ(config.server.drain_timeout, 5min);
  EXPECT_FALSE(config.log.access);
  EXPECT_EQ(config.llm.max_request_bytes, 1u << 20);
  EXPECT_DOUBLE_EQ(config.llm.cache.temperature_bound, 0.2);
  EXPECT_THAT(config.cors.origins, ElementsAre("https://a.example", "https://b.example"));
  EXPECT_EQ(config.llm.cache.policy, llm::CachePolicy::kNever);
}

TEST_F(ConfigTest, NamesTheVariableThatIsWrong) {
  environment_["PORT"] = "eighty";
  EXPECT_THAT(problems(""), ElementsAre("environment PORT: server.port: expected a whole number"));
}

TEST_F(ConfigTest, AProviderInTheEnvironmentTurnsTheSimulatedOneOff) {
  environment_["OPENAI_API_KEY"] = "sk-1";
  auto config = good();
  ASSERT_EQ(config.llm.providers.size(), 1u);
  EXPECT_EQ(config.llm.providers[0].base_url, "https://api.openai.com/v1");
  EXPECT_EQ(config.llm.providers[0].keys.at(0).reveal(), "sk-1");
  environment_["OPENAI_BASE_URL"] = "http://127.0.0.1:11434/v1";
  environment_["ANTHROPIC_API_KEY"] = "sk-2";
  config = good();
  ASSERT_EQ(config.llm.providers.size(), 2u);
  EXPECT_EQ(config.llm.providers[0].base_url, "http://127.0.0.1:11434/v1");
  EXPECT_EQ(config.llm.providers[1].kind, llm::ProviderKind::kAnthropic);
  ASSERT_EQ(config.llm.models.size(), 2u);
  EXPECT_EQ(config.llm.models[0].pattern, "claude-*");
  EXPECT_EQ(config.llm.models[0].targets.at(0).provider, "anthropic");
  EXPECT_EQ(config.llm.models[1].targets.at(0).provider, "openai");
}

TEST_F(ConfigTest, LetsAModelOverrideWhatHoldsForAll) {
  const auto config = good(
      "[[llm.models]]\npattern = '*'\ntargets = [{provider = 'simulated'}]\n"
      "on_disconnect = 'drain'\ntimeouts.stall = '5s'\n"
      "cache = {policy = 'never', ttl = '1m', coalesce = false}\n");
  const auto& model = config.llm.models.at(0);
  EXPECT_EQ(model.on_disconnect, llm::DisconnectPolicy::kDrain);
  EXPECT_EQ(model.timeouts.stall, 5s);
  EXPECT_EQ(model.timeouts.total, std::nullopt);
  EXPECT_EQ(model.cache.policy, llm::CachePolicy::kNever);
  EXPECT_EQ(model.cache.ttl, 60s);
  EXPECT_EQ(model.cache.coalesce, false);
  EXPECT_EQ(model.cache.max_record_bytes, std::nullopt);
  EXPECT_THAT(values_,
              Contains(AllOf(Field(&ValueInForce::path, "llm.models[0].timeouts.total"),
                             Field(&ValueInForce::value, "inherited"))));
  EXPECT_THAT(problems("[[llm.models]]\ntimeouts.stall = '1ms'"),
              Contains(HasSubstr("timeouts.stall: must be between 10ms and 1h")));
}

TEST_F(ConfigTest, ProductionHasNoSimulatedProvider) {
  environment_["CONCIERGUS_PROFILE"] = "production";
  EXPECT_THAT(good().llm.providers, IsEmpty());
}

TEST_F(ConfigTest, KeepsProvidersInTheOrderOfTheFile) {
  const auto config = good(
      "[llm.providers.zeta]\nbase_url = 'http://z'\n[llm.providers.alpha]\nbase_url = "
      "'http://a'\n");
  ASSERT_EQ(config.llm.providers.size(), 2u);
  EXPECT_EQ(config.llm.providers[0].name, "zeta");
}

TEST_F(ConfigTest, OverridesOneValueOfANamedTable) {
  environment_["CONCIERGUS_LLM_PROVIDERS_MINE_BASE_URL"] = "http://over";
  const auto config = good("[llm.providers.mine]\nbase_url = 'http://under'\nazure = true\n");
  EXPECT_EQ(config.llm.providers.at(0).base_url, "http://over");
  EXPECT_TRUE(config.llm.providers.at(0).azure);
}

TEST_F(ConfigTest, TakesSecretsFromEnvironmentAndFilesAndMasksThem) {
  environment_["TOKEN"] = "a-long-admin-token";
  files_["key.txt"] = "sk-file\n";
  const auto config = good(
      "admin.token = {env = 'TOKEN'}\n[llm.providers.one]\nbase_url = 'http://o'\n"
      "keys = [{file = 'key.txt'}, 'sk-plain']\n");
  EXPECT_EQ(config.admin.token.reveal(), "a-long-admin-token");
  EXPECT_EQ(config.llm.providers.at(0).keys.at(0).reveal(), "sk-file");
  for (const auto& value : values_) {
    EXPECT_THAT(value.value, Not(HasSubstr("sk-")));
    EXPECT_THAT(value.value, Not(HasSubstr("a-long")));
  }
  EXPECT_THAT(values_,
              Contains(AllOf(Field(&ValueInForce::path, "llm.providers.one.keys"),
                             Field(&ValueInForce::value, R"(["***", "***"])"))));
}

TEST_F(ConfigTest, RefusesASecretThatIsNotThere) {
  EXPECT_THAT(problems("admin.token = {env = 'NONE'}"),
              ElementsAre(HasSubstr("environment variable NONE is not set")));
  EXPECT_THAT(problems("admin.token = {file = 'none'}"), ElementsAre(HasSubstr("cannot be read")));
  EXPECT_THAT(problems("admin.token = 'short'"), ElementsAre(HasSubstr("at least 16")));
}

TEST_F(ConfigTest, PlacesViolationsThatOnlyTheWholeShows) {
  EXPECT_THAT(problems("[llm.providers.one]\nbase_url = 'nonsense'\n"),
              ElementsAre(HasSubstr("a.toml:2:1: llm.providers[0].base_url")));
  EXPECT_THAT(problems("app.url = 'http://a'\nstatic.root = '/srv'"),
              ElementsAre(HasSubstr("a.toml:2:8: static.root")));
}

TEST_F(ConfigTest, RefusesFixedAnswersOnPathsThatAreNotExactOrNotFree) {
  for (const std::string path : {"robots.txt", "/a/*", "/{x}", "/_conciergus/metrics"}) {
    EXPECT_THAT(problems("[[responses]]\npath = '" + path + "'\n"),
                ElementsAre(HasSubstr("responses[0].path")));
  }
}

TEST_F(ConfigTest, SaysWhatIsAcceptedButNotUsed) {
  environment_["REDIS_URL"] = "redis://x";
  const auto loaded = load();
  ASSERT_TRUE(loaded);
  EXPECT_THAT(loaded->notices, ElementsAre(HasSubstr("REDIS_URL")));
}

TEST_F(ConfigTest, LeavesChatToTheApplicationUnlessTold) {
  EXPECT_FALSE(good("app.url = 'http://127.0.0.1:3000'").serves_chat());
  EXPECT_TRUE(good("app.url = 'http://127.0.0.1:3000'\nchat.route = 'on'").serves_chat());
}

TEST(ConfigValueTest, SpellsDurationsAndSizes) {
  EXPECT_EQ(parse_duration("250ms"), 250ms);
  EXPECT_EQ(parse_duration("2h"), 2h);
  EXPECT_EQ(parse_duration("0"), 0ms);
  for (const auto* bad :
       {"", "s", "5", "-1s", "1.5s", "1w", "99999999999999999999s", "9223372036854775807d"})
    EXPECT_EQ(parse_duration(bad), std::nullopt) << bad;
  EXPECT_EQ(parse_bytes("64MiB"), 64u << 20);
  EXPECT_EQ(parse_bytes("512"), 512u);
  EXPECT_EQ(parse_bytes("1MB"), std::nullopt);
  EXPECT_EQ(show_duration(90s), "90s");
  EXPECT_EQ(show_duration(120s), "2m");
  EXPECT_EQ(show_bytes(1536), "1536B");
  EXPECT_EQ(show_bytes(64u << 20), "64MiB");
}

TEST(ConfigReferenceTest, IsTheCommittedFile) {
  std::ifstream file(CONCIERGUS_SOURCE_DIR "/docs/configuration.md");
  std::stringstream committed;
  committed << file.rdbuf();
  EXPECT_EQ(committed.str(), configuration_reference())
      << "run: build/dev/apps/conciergus/conciergus check --print-docs > docs/configuration.md";
}

}  // namespace
}  // namespace conciergus::gateway

#pragma once
/// The whole configuration of one gateway, and how it is put together: a flag beats the
/// environment, that beats the file, that beats the profile. Reference: docs/configuration.md.
#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "conciergus/cache/memory_store.hpp"
#include "conciergus/gateway/config_schema.hpp"
#include "conciergus/http/server_config.hpp"
#include "conciergus/llm/llm_config.hpp"
#include "conciergus/observe/log.hpp"

namespace conciergus::gateway {

enum class Profile : std::uint8_t { kDevelopment, kStaging, kProduction };

struct CertificateConfig {
  std::string certificate;  ///< PEM file with the chain, leaf first.
  std::string key;          ///< PEM file with the private key.
};

struct LimitsConfig {
  std::uint32_t connections = net::ConnectionLimits{}.max_connections;
  std::uint32_t connections_per_address = net::ConnectionLimits{}.max_per_address;
  std::uint32_t requests = 10'000;
  std::uint32_t streams = codec::Http2Limits{}.max_concurrent_streams;
  std::uint32_t head = static_cast<std::uint32_t>(codec::Http1Limits{}.head_bytes);
  std::uint32_t target = static_cast<std::uint32_t>(codec::Http1Limits{}.target_bytes);
  std::uint32_t fields = static_cast<std::uint32_t>(codec::Http1Limits{}.fields);
  std::chrono::milliseconds head_timeout = http::ServerConfig{}.head_timeout;
  std::chrono::milliseconds keep_alive = http::ServerConfig{}.keep_alive_timeout;
  std::chrono::milliseconds body_idle = http::ServerConfig{}.body_idle_timeout;
  std::uint32_t body_rate = http::ServerConfig{}.min_body_rate;
  std::chrono::milliseconds write_timeout = http::ServerConfig{}.write_timeout;
  std::uint32_t requests_per_connection = http::ServerConfig{}.max_requests_per_connection;
};

struct ServeConfig {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8080;
  std::uint16_t shards = 0;
  std::vector<CertificateConfig> tls;
  std::chrono::milliseconds drain_timeout{30'000};
  bool show_error_detail = true;
  LimitsConfig limits;
};

struct AppConfig {
  std::string url;
};

struct StaticConfig {
  std::string root;
};

enum class Switch : std::uint8_t { kAuto, kOn, kOff };

struct ResponseConfig {
  std::string path;
  std::uint16_t status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

struct ChatConfig {
  Switch route = Switch::kAuto;
};

struct CacheConfig {
  std::uint64_t memory_bytes = cache::MemoryStoreConfig{}.max_bytes;
};

struct CorsConfig {
  std::vector<std::string> origins;
};

struct AdminConfig {
  Secret token;
  bool loopback = true;
};

struct LogConfig {
  observe::LogLevel level = observe::LogLevel::kInfo;
  observe::LogFormat format = observe::LogFormat::kText;
  bool access = true;
};

/// Immutable once loaded; a reload makes a new one. Fields are described by their schema.
struct GatewayConfig {
  Profile profile = Profile::kDevelopment;
  ServeConfig server;
  AppConfig app;
  StaticConfig files;
  std::vector<ResponseConfig> responses;
  ChatConfig chat;
  CacheConfig cache;
  CorsConfig cors;
  AdminConfig admin;
  LogConfig log;
  llm::LlmConfig llm;

  /// Whether /api/chat is ours: by default unless an application is proxied.
  bool serves_chat() const noexcept {
    return chat.route == Switch::kOn || (chat.route == Switch::kAuto && app.url.empty());
  }
};

const Schema<GatewayConfig>& gateway_schema();
const Schema<llm::LlmConfig>& llm_schema();

/// What the command line says.
struct ConfigRequest {
  struct Flag {
    std::string name;  ///< "--port"
    std::string path;  ///< "server.port"
    std::string value;
  };
  std::string file;  ///< Empty: CONCIERGUS_CONFIG, or none.
  std::vector<Flag> flags;
};

struct LoadedConfig {
  GatewayConfig config;
  std::vector<ValueInForce> values;  ///< All of them, in the order of the documentation.
  std::vector<std::string> notices;  ///< What was given and has no effect, in sentences.
};

/// Reads and checks everything, and fails with all problems at once.
std::expected<LoadedConfig, ConfigProblems> load_config(const ConfigRequest& request,
                                                        const ConfigSources& sources);

/// The text of docs/configuration.md.
std::string configuration_reference();

/// The defaults of a profile, in the order of the documentation.
std::vector<std::pair<std::string, ConfigNode>> profile_defaults(Profile profile);

}  // namespace conciergus::gateway

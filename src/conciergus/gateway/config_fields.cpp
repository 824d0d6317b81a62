/// The fields of the gateway's own sections.
#include "conciergus/gateway/config.hpp"
#include "conciergus/http/client.hpp"

namespace conciergus::gateway {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kMillion = 1'000'000;

std::string check_origin(const std::string& text) {
  if (text.empty()) return {};
  const auto parsed = http::Origin::parse(text);
  return parsed ? std::string() : "expected an address such as \"http://127.0.0.1:3000\"";
}

const Schema<CertificateConfig>& certificate_schema() {
  static const Schema<CertificateConfig> schema =
      Schema<CertificateConfig>()
          .text("certificate", &CertificateConfig::certificate, "PEM file: the chain, leaf first.")
          .text("key", &CertificateConfig::key, "PEM file: the private key.");
  return schema;
}

const Schema<LimitsConfig>& limits_schema() {
  static const Schema<LimitsConfig> schema =
      Schema<LimitsConfig>()
          .integer("connections", &LimitsConfig::connections, "Open at a time.", 1, kMillion)
          .integer("connections_per_address",
                   &LimitsConfig::connections_per_address,
                   "From one address; an IPv6 address counts by its /64, this machine not at all.",
                   1,
                   kMillion)
          .integer("requests",
                   &LimitsConfig::requests,
                   "That one shard works on at a time, open streams included; more get 503.",
                   1,
                   kMillion)
          .integer("streams", &LimitsConfig::streams, "Of one HTTP/2 connection.", 1, 10'000)
          .bytes("head", &LimitsConfig::head, "Request head, else 431.", 1'024, 1 << 20)
          .bytes("target", &LimitsConfig::target, "Request target, else 414.", 256, 1 << 20)
          .integer("fields", &LimitsConfig::fields, "Of a head, else 431.", 10, 10'000)
          .duration("head_timeout",
                    &LimitsConfig::head_timeout,
                    "From the first byte of a head to its end.",
                    100ms,
                    1h)
          .duration("keep_alive", &LimitsConfig::keep_alive, "Between two requests.", 1s, 24h)
          .duration("body_idle",
                    &LimitsConfig::body_idle,
                    "Between two pieces of a request's body.",
                    100ms,
                    1h)
          .bytes("body_rate",
                 &LimitsConfig::body_rate,
                 "A second, of a request's body in the long run; 0 switches it off.",
                 0,
                 1 << 30)
          .duration("write_timeout",
                    &LimitsConfig::write_timeout,
                    "For each 64 KiB of a response to be taken by the client.",
                    100ms,
                    1h)
          .integer("requests_per_connection",
                   &LimitsConfig::requests_per_connection,
                   "Then it is closed in order.",
                   1,
                   1'000 * kMillion);
  return schema;
}

const Schema<ServeConfig>& server_schema() {
  static const Schema<ServeConfig> schema =
      Schema<ServeConfig>()
          .text("host", &ServeConfig::host, "Address to listen on. Also `HOST`, `--host`.")
          .integer("port",
                   &ServeConfig::port,
                   "Port to listen on; 0 takes a free one. Also `PORT`, `--port`.",
                   0,
                   65'535)
          .integer("shards", &ServeConfig::shards, "Threads that serve; 0: one per core.", 0, 256)
          .table_list("tls",
                      &ServeConfig::tls,
                      certificate_schema(),
                      "Certificates: the name that the client asks for picks one, the first is for "
                      "all other names. Without any, plain HTTP. Read again at every reload.")
          .duration("drain_timeout",
                    &ServeConfig::drain_timeout,
                    "How long answers under way may take to end after SIGTERM.",
                    0s,
                    1h)
          .boolean("show_error_detail",
                   &ServeConfig::show_error_detail,
                   "Tell clients the detail of internal errors.")
          .table("limits",
                 &ServeConfig::limits,
                 limits_schema(),
                 "What is refused has a status and a metric of its own. Changes need a restart.");
  return schema;
}

const Schema<AppConfig>& app_schema() {
  static const Schema<AppConfig> schema = Schema<AppConfig>().text(
      "url",
      &AppConfig::url,
      "The application: everything that is no route of the gateway goes there. Also `--app`.",
      check_origin);
  return schema;
}

const Schema<StaticConfig>& static_schema() {
  static const Schema<StaticConfig> schema = Schema<StaticConfig>().text(
      "root", &StaticConfig::root, "Folder of files to serve instead of the demo. Also `--root`.");
  return schema;
}

const Schema<ResponseConfig>& response_schema() {
  static const Schema<ResponseConfig> kSchema =
      Schema<ResponseConfig>()
          .text("path", &ResponseConfig::path, "Exact path, such as `/robots.txt`.")
          .integer("status", &ResponseConfig::status, "Status of the answer.", 200, 599)
          .text("content_type", &ResponseConfig::content_type, "Type of `body`.")
          .text("body", &ResponseConfig::body, "What is answered to GET.");
  return kSchema;
}

const Schema<ChatConfig>& chat_schema() {
  static const Schema<ChatConfig> schema = Schema<ChatConfig>().choice<Switch>(
      "route",
      &ChatConfig::route,
      {{"auto", Switch::kAuto}, {"on", Switch::kOn}, {"off", Switch::kOff}},
      "Serve `/api/chat`; `auto`: unless `app.url` is set, since that path is usually the "
      "application's.");
  return schema;
}

const Schema<CacheConfig>& cache_schema() {
  static const Schema<CacheConfig> schema =
      Schema<CacheConfig>().bytes("memory",
                                  &CacheConfig::memory_bytes,
                                  "All that stored answers take. Changes need a restart.",
                                  1 << 20,
                                  std::uint64_t{1} << 40);
  return schema;
}

const Schema<CorsConfig>& cors_schema() {
  static const Schema<CorsConfig> schema = Schema<CorsConfig>().texts(
      "origins",
      &CorsConfig::origins,
      "Web origins whose pages may call the LLM routes, such as `https://app.example`; `*`: any.");
  return schema;
}

const Schema<AdminConfig>& admin_schema() {
  static const Schema<AdminConfig> schema =
      Schema<AdminConfig>()
          .secret("token",
                  &AdminConfig::token,
                  "Bearer token of the administration routes; at least 16 characters. Also "
                  "`CONCIERGUS_ADMIN_TOKEN`.")
          .boolean("loopback",
                   &AdminConfig::loopback,
                   "Without a token: answer direct requests from this machine.");
  return schema;
}

const Schema<LogConfig>& log_schema() {
  using observe::LogFormat;
  using observe::LogLevel;
  static const Schema<LogConfig> schema =
      Schema<LogConfig>()
          .choice<LogLevel>("level",
                            &LogConfig::level,
                            {{"debug", LogLevel::kDebug},
                             {"info", LogLevel::kInfo},
                             {"warn", LogLevel::kWarn},
                             {"error", LogLevel::kError},
                             {"off", LogLevel::kOff}},
                            "Least level of events that are written to standard error.")
          .choice<LogFormat>("format",
                             &LogConfig::format,
                             {{"text", LogFormat::kText}, {"json", LogFormat::kJson}},
                             "Of events and of the access log.")
          .boolean("access", &LogConfig::access, "One line per request on standard output.");
  return schema;
}

}  // namespace

const Schema<GatewayConfig>& gateway_schema() {
  static const Schema<GatewayConfig> schema =
      Schema<GatewayConfig>()
          .choice<Profile>("profile",
                           &GatewayConfig::profile,
                           {{"development", Profile::kDevelopment},
                            {"staging", Profile::kStaging},
                            {"production", Profile::kProduction}},
                           "Set of defaults, see above. Also `--profile`.")
          .table("server", &GatewayConfig::server, server_schema(), "Listening and serving.")
          .table("app", &GatewayConfig::app, app_schema(), "The application behind the gateway.")
          .table("static", &GatewayConfig::files, static_schema(), "Files from a folder.")
          .table_list("responses",
                      &GatewayConfig::responses,
                      response_schema(),
                      "Fixed answers: robots.txt, security.txt, a notice.")
          .table("chat", &GatewayConfig::chat, chat_schema(), "The AI SDK's own route.")
          .table("cache", &GatewayConfig::cache, cache_schema(), "The store of answers.")
          .table("cors", &GatewayConfig::cors, cors_schema(), "Calls from pages of other origins.")
          .table("admin", &GatewayConfig::admin, admin_schema(), "Who may administrate.")
          .table("log", &GatewayConfig::log, log_schema(), "What is written about the work.")
          .table("llm", &GatewayConfig::llm, llm_schema(), "Language models.");
  return schema;
}

}  // namespace conciergus::gateway

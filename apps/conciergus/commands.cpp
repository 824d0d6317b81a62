#include "commands.hpp"

#include <cstdio>

#include <fmt/format.h>

#include "conciergus/gateway/gateway.hpp"
#include "process.hpp"

namespace conciergus::app {
namespace {

using gateway::Gateway;
using gateway::LoadedConfig;

void print_problems(const gateway::ConfigProblems& problems) {
  for (const auto& problem : problems) fmt::print(stderr, "{}\n", problem.to_string());
  fmt::print(stderr, "{} problem{}\n", problems.size(), problems.size() == 1 ? "" : "s");
}

/// What is in force and from where. The defaults are many, and `check` shows them too.
void print_values(std::FILE* to, const LoadedConfig& loaded, bool with_defaults) {
  for (const auto& [path, value, origin] : loaded.values) {
    if (with_defaults || origin != "default")
      fmt::print(to, "{} = {}  # {}\n", path, value, origin);
  }
  for (const auto& notice : loaded.notices) fmt::print(to, "note: {}\n", notice);
}

/// The same as one event, for logs that machines read.
void log_values(observe::Log& log, const LoadedConfig& loaded) {
  std::string text;
  for (const auto& [path, value, origin] : loaded.values) {
    if (origin == "default") continue;
    text.append(text.empty() ? "" : "; ").append(path).append(" = ").append(value);
    text.append(" (").append(origin).append(")");
  }
  log.info("config.in_force", {{"values", text}});
  for (const auto& notice : loaded.notices) log.warn("config.notice", {{"what", notice}});
}

void show_values(observe::Log& log, const LoadedConfig& loaded) {
  if (log.format() == observe::LogFormat::kJson) {
    log_values(log, loaded);
  } else {
    print_values(stderr, loaded, /*with_defaults=*/false);
  }
}

void reload(Gateway& running, const gateway::ConfigRequest& request, observe::Log& log) {
  auto loaded = gateway::load_config(request, gateway::system_sources());
  if (!loaded) {
    for (const auto& problem : loaded.error())
      log.error("config.refused", {{"where", problem.where}, {"what", problem.what}});
    return log.error("config.reload_failed", {{"in_force", "the configuration from before"}});
  }
  show_values(log, *loaded);
  if (const auto done = running.reload(*std::move(loaded)); !done)
    return log.error("config.reload_failed", done.error());
  log.info("config.reloaded");
}

/// Until SIGTERM or SIGINT; SIGHUP reloads.
void wait_and_reload(const sigset_t& signals,
                     Gateway& running,
                     const gateway::ConfigRequest& request,
                     observe::Log& log) {
  for (;;) {
    if (wait_for(signals) != SIGHUP) return;
    reload(running, request, log);
  }
}

}  // namespace

std::string version_text() {
  const auto& build = gateway::build_info();
  return fmt::format(
      "conciergus {} ({}, {}, {})", build.version, build.commit, build.compiler, build.kind);
}

int print_reference() {
  fmt::print("{}", gateway::configuration_reference());
  return kDone;
}

int run_check(const gateway::ConfigRequest& request) {
  const auto loaded = gateway::load_config(request, gateway::system_sources());
  if (!loaded) {
    print_problems(loaded.error());
    return kBadConfig;
  }
  print_values(stdout, *loaded, /*with_defaults=*/true);
  return kDone;
}

int run_serve(const gateway::ConfigRequest& request, const std::string& port_file) {
  auto loaded = gateway::load_config(request, gateway::system_sources());
  if (!loaded) {
    print_problems(loaded.error());
    return kBadConfig;
  }
  const auto signals = block_signals();
  const auto log = observe::Log::to_stderr(loaded->config.log.level, loaded->config.log.format);
  show_values(*log, *loaded);
  const std::string scheme = loaded->config.server.tls.empty() ? "http" : "https";

  auto started = Gateway::start(*std::move(loaded), *log);
  if (!started) {
    log->error("start_failed", started.error());
    return kFailed;
  }
  Gateway& running = **started;
  const auto& endpoint = running.endpoint();
  log->info("listening", {{"url", fmt::format("{}://{}", scheme, endpoint.to_string())}});
  if (!write_port(port_file, endpoint.port)) {
    log->error("start_failed", {{"what", "the port file cannot be written"}, {"file", port_file}});
    return kFailed;
  }
  wait_and_reload(signals, running, request, *log);
  log->info("draining");
  unblock(signals);  // a second one ends the process at once
  running.stop();
  log->info("stopped");
  return kDone;
}

}  // namespace conciergus::app

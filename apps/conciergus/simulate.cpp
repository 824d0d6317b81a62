/// `conciergus simulate`: the simulated provider as a server of its own.
#include <fmt/format.h>

#include "commands.hpp"
#include "conciergus/http/error_guard.hpp"
#include "conciergus/http/router.hpp"
#include "conciergus/http/server.hpp"
#include "conciergus/llm/simulated_provider.hpp"
#include "process.hpp"

namespace conciergus::app {

int run_simulate(const SimulateOptions& options) {
  const auto signals = block_signals();
  const auto log = observe::Log::to_stderr(observe::LogLevel::kInfo, observe::LogFormat::kText);
  observe::Registry metrics;
  runtime::OffloadPool offload(1, 16);
  runtime::Runtime runtime(
      1, {.clock = system_clock(), .log = *log, .metrics = metrics, .offload = offload});
  runtime.start();
  http::Server server(runtime, {}, nullptr);

  llm::SimulatedConfig config;
  config.instant = options.is_instant;
  std::vector<std::unique_ptr<http::Middleware>> middlewares;
  middlewares.push_back(std::make_unique<http::ErrorGuard>(metrics, /*show_detail=*/true));
  const std::shared_ptr<const http::Handler> handler = std::make_shared<http::Chain>(
      std::move(middlewares), std::make_shared<llm::SimulatedProvider>(config));
  const http::ServerAddress address{.address = {.host = options.host, .port = options.port}};
  const auto started = server.start({&address, 1}, [&](runtime::Shard&) { return handler; });
  if (!started) {
    log->error("start_failed", started.error());
    return kFailed;
  }
  const auto& endpoint = server.endpoints().front();
  log->info("listening", {{"url", fmt::format("http://{}", endpoint.to_string())}});
  if (!write_port(options.port_file, endpoint.port)) return kFailed;
  while (wait_for(signals) == SIGHUP) {
  }
  unblock(signals);
  server.drain(std::chrono::seconds(1));
  runtime.stop();
  offload.join();
  return kDone;
}

}  // namespace conciergus::app

#pragma once
/// What the subcommands do. Each returns the exit code.
#include <cstdint>
#include <string>

#include "conciergus/gateway/config.hpp"

namespace conciergus::app {

enum ExitCode : int { kDone = 0, kFailed = 1, kUsage = 2, kBadConfig = 3 };

/// "conciergus 0.1.0 (1a2b3c4, clang 19.1.7, release)"
std::string version_text();

int print_reference();
int run_check(const gateway::ConfigRequest& request);
/// Serves until SIGTERM or SIGINT.
int run_serve(const gateway::ConfigRequest& request, const std::string& port_file);

struct SimulateOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8081;
  std::string port_file;
  bool is_instant = false;
};
int run_simulate(const SimulateOptions& options);

}  // namespace conciergus::app

/// The command line: what each subcommand is given, and the exit codes.
#include <cstdio>

#include <CLI/CLI.hpp>

#include "commands.hpp"

namespace {

constexpr const char* kAbout = R"(Conciergus, the production layer for AI chat applications.

  conciergus serve                                 demo page and simulated provider on 127.0.0.1:8080
  OPENAI_API_KEY=sk-… conciergus serve             OpenAI behind http://127.0.0.1:8080/v1
  conciergus serve --app http://127.0.0.1:3000     an application behind the gateway
  conciergus serve --config conciergus.toml        everything as the file says
  conciergus check --config conciergus.toml        is the file right, and what is in force from where)";

constexpr const char* kExitCodes = R"(Exit codes:
  0  done
  1  failed while running: an address in use, a certificate that cannot be read, …
  2  the command line is wrong
  3  the configuration is wrong

Signals to serve: SIGHUP reloads configuration and certificates; SIGTERM and SIGINT let answers under
way finish, a second one ends at once.)";

/// The flags that set a value of the configuration.
struct ConfigFlags {
  explicit ConfigFlags(CLI::App& command) {
    command.add_option("--config", file, "TOML file; reference: docs/configuration.md")
        ->type_name("FILE");
    add(command, "--profile", "profile", "NAME", "development, staging or production");
    add(command, "--host", "server.host", "ADDRESS", "Address to listen on");
    add(command, "--port", "server.port", "PORT", "Port to listen on; 0 takes a free one");
    add(command, "--app", "app.url", "URL", "Application behind the gateway");
    add(command, "--root", "static.root", "DIR", "Folder of files to serve");
  }

  conciergus::gateway::ConfigRequest request() const {
    conciergus::gateway::ConfigRequest request{.file = file, .flags = {}};
    for (const auto& [option, path] : options) {
      if (option->count() > 0)
        request.flags.push_back({option->get_name(), path, option->as<std::string>()});
    }
    return request;
  }

  std::string file;
  std::vector<std::pair<CLI::Option*, std::string>> options;

 private:
  void add(CLI::App& command,
           const std::string& flag,
           const std::string& path,
           const std::string& type,
           const std::string& help) {
    options.emplace_back(command.add_option(flag)->description(help)->type_name(type), path);
  }
};

}  // namespace

int main(int argc, char** argv) {
  using namespace conciergus::app;
  CLI::App app(kAbout, "conciergus");
  app.footer(kExitCodes);
  app.require_subcommand(1);
  app.set_version_flag("--version", version_text());

  auto* serve = app.add_subcommand("serve", "Run the gateway");
  const ConfigFlags serve_flags(*serve);
  std::string port_file;
  serve->add_option("--port-file", port_file, "File to write the port to once it listens")
      ->type_name("FILE");

  auto* check =
      app.add_subcommand("check", "Validate the configuration and print what is in force");
  const ConfigFlags check_flags(*check);
  bool print_docs = false;
  check->add_flag("--print-docs", print_docs, "Print the reference of all settings instead");

  auto* simulate = app.add_subcommand("simulate", "Run the simulated LLM provider alone");
  SimulateOptions simulated;
  simulate->add_option("--host", simulated.host, "Address to listen on")->capture_default_str();
  simulate->add_option("--port", simulated.port, "Port; 0 takes a free one")->capture_default_str();
  simulate->add_option("--port-file", simulated.port_file, "File to write the port to");
  simulate->add_flag("--instant", simulated.is_instant, "Answer at once");

  const auto* version = app.add_subcommand("version", "Print the version");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kUsage;
  }
  if (version->parsed()) {
    std::puts(version_text().c_str());
    return kDone;
  }
  if (check->parsed()) return print_docs ? print_reference() : run_check(check_flags.request());
  if (simulate->parsed()) return run_simulate(simulated);
  return run_serve(serve_flags.request(), port_file);
}

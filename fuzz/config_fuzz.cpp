// Any text as a configuration file: it is taken or refused with problems that name their place.
#include "conciergus/gateway/config.hpp"

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace conciergus;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const gateway::ConfigSources sources{
      .environment = [](const std::string&) { return std::optional<std::string>(); },
      .read_file = [&](const std::string&) -> Result<std::string> { return std::string(text); },
  };
  const auto loaded = gateway::load_config({.file = "fuzz.toml", .flags = {}}, sources);
  if (loaded) {
    fuzz::require(!loaded->values.empty());
  } else {
    fuzz::require(!loaded.error().empty());
    for (const auto& problem : loaded.error()) fuzz::require(!problem.where.empty());
  }
  return 0;
}

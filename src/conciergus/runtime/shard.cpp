#include "conciergus/runtime/shard.hpp"

namespace conciergus::runtime {

Shard::Shard(std::size_t index, const Environment& environment)
    : index_(index),
      environment_(environment),
      escapes_(environment.metrics.counter("conciergus_runtime_escaped_exceptions_total",
                                           "Exceptions that ended a coroutine: each is a bug.")),
      random_(Random::from_entropy()),
      watchdog_(executor()),
      gate_(executor(), on_escape()) {
  gate_.spawn("watchdog", watchdog_.run());
}

Shard::~Shard() = default;

Gate::OnEscape Shard::on_escape() {
  return [this](std::string_view name, const std::exception_ptr& what) {
    escapes_.add();
    try {
      std::rethrow_exception(what);
    } catch (const std::exception& error) {
      log().error("runtime.escaped_exception", {{"coroutine", name}, {"what", error.what()}});
    } catch (...) {
      log().error("runtime.escaped_exception",
                  {{"coroutine", name}, {"what", "not a std::exception"}});
    }
  };
}

void Shard::run() {
  for (;;) {
    try {
      io_.run();
      return;
    } catch (...) {
      on_escape()("handler", std::current_exception());
    }
  }
}

}  // namespace conciergus::runtime

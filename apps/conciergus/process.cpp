#include "process.hpp"

#include <cstdio>
#include <fstream>

namespace conciergus::app {

sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int one : {SIGHUP, SIGINT, SIGTERM}) sigaddset(&signals, one);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);  // writing to a client that left is an error, not the end
  return signals;
}

int wait_for(const sigset_t& signals) {
  int signal = 0;
  while (sigwait(&signals, &signal) != 0) {
  }
  return signal;
}

void unblock(const sigset_t& signals) {
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

bool write_port(const std::string& path, unsigned port) {
  if (path.empty()) return true;
  const auto draft = path + ".part";  // whoever waits for the file never reads half a number
  {
    std::ofstream file(draft);
    file << port << '\n';
    if (!file.flush()) return false;
  }
  return std::rename(draft.c_str(), path.c_str()) == 0;
}

}  // namespace conciergus::app

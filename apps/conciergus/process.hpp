#pragma once
/// What concerns the process as a whole: signals, and the file that tells the port.
#include <csignal>
#include <string>

namespace conciergus::app {

/// Blocks SIGHUP, SIGINT and SIGTERM in this thread and all that it starts, so that they can be
/// waited for; ignores SIGPIPE.
sigset_t block_signals();

/// The next of `signals`.
int wait_for(const sigset_t& signals);

/// Gives `signals` their own effect back: the next SIGTERM ends the process at once.
void unblock(const sigset_t& signals);

/// False if the file cannot be written; nothing to do for an empty path.
bool write_port(const std::string& path, unsigned port);

}  // namespace conciergus::app

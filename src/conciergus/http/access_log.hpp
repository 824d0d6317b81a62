#pragma once
/// One structured line per request, gathered in memory and written in large pieces off the shard.
#include <memory>
#include <string>

#include "conciergus/http/exchange_observer.hpp"
#include "conciergus/observe/log.hpp"
#include "conciergus/runtime/gate.hpp"

namespace conciergus::http {

/// Appends the line of one exchange, with its newline. Path without query; no bodies, no header
/// fields: nothing in it is a credential or a prompt.
void append_access_line(std::string& out,
                        observe::LogFormat format,
                        Clock::WallTime now,
                        const RequestContext& context,
                        const Request& request,
                        const ExchangeEnd& end);

/// Belongs to one shard. Lines are written every kFlushEvery, or earlier once kFlushBytes have
/// gathered. A reader of the log that falls behind costs lines, never answers: beyond kMostBytes
/// they are counted and left out.
class AccessLog {
 public:
  static constexpr std::chrono::milliseconds kFlushEvery{200};
  static constexpr std::size_t kFlushBytes = 64 << 10;
  static constexpr std::size_t kMostBytes = 4 << 20;

  /// `descriptor` stays open as long as this lives, and may block.
  AccessLog(runtime::Shard& shard, observe::LogFormat format, int descriptor);
  ~AccessLog();

  void write(const RequestContext& context, const Request& request, const ExchangeEnd& end);
  /// Writes what is left. No line is written afterwards.
  Task<void> stop();

 private:
  Task<void> flush_regularly();
  Task<void> flush();

  runtime::Shard& shard_;
  const observe::LogFormat format_;
  const int descriptor_;
  observe::Counter& dropped_;
  std::string lines_;
  bool is_writing_ = false;
  runtime::Notifier wake_;
  runtime::Gate gate_;
};

}  // namespace conciergus::http

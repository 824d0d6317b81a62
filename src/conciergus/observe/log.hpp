#pragma once
/// Named, structured log events: few, and each tells its story alone. Bodies, prompts, tokens and
/// cookies never enter one.
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "conciergus/base/error.hpp"

namespace conciergus::observe {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarn, kError, kOff };
enum class LogFormat : std::uint8_t { kText, kJson };

struct LogField {
  using Value = std::variant<std::string_view, std::int64_t, double, bool>;
  std::string_view key;
  Value value;
  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const char* v) : key(k), value(std::string_view(v)) {}
  LogField(std::string_view k, const std::string& v) : key(k), value(std::string_view(v)) {}
  LogField(std::string_view k, bool v) : key(k), value(v) {}
  LogField(std::string_view k, double v) : key(k), value(v) {}
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  LogField(std::string_view k, T v) : key(k), value(static_cast<std::int64_t>(v)) {}
};
using LogFields = std::initializer_list<LogField>;

/// Any thread. Lines go to the writer handed in at construction, one call a line, without newline.
/// Events of the same name beyond `kBurst` a second are counted, and told in the next line of that
/// name.
class Log {
 public:
  using Writer = std::function<void(std::string_view line)>;
  static constexpr unsigned kBurst = 20;

  Log(LogLevel level, LogFormat format, Writer writer);
  ~Log();
  /// Writes to standard error through spdlog.
  static std::unique_ptr<Log> to_stderr(LogLevel level, LogFormat format);
  /// Drops everything: for tests and tools.
  static Log& none();

  void debug(std::string_view event, LogFields fields = {}) {
    write(LogLevel::kDebug, event, nullptr, fields);
  }
  void info(std::string_view event, LogFields fields = {}) {
    write(LogLevel::kInfo, event, nullptr, fields);
  }
  void warn(std::string_view event, LogFields fields = {}) {
    write(LogLevel::kWarn, event, nullptr, fields);
  }
  void warn(std::string_view event, const Error& error, LogFields fields = {}) {
    write(LogLevel::kWarn, event, &error, fields);
  }
  void error(std::string_view event, LogFields fields = {}) {
    write(LogLevel::kError, event, nullptr, fields);
  }
  void error(std::string_view event, const Error& error, LogFields fields = {}) {
    write(LogLevel::kError, event, &error, fields);
  }

  bool is_on(LogLevel level) const noexcept { return level >= level_; }
  LogFormat format() const noexcept { return format_; }

 private:
  void write(LogLevel level, std::string_view event, const Error* error, LogFields fields);
  struct Limiter;

  const LogLevel level_;
  const LogFormat format_;
  Writer writer_;
  std::unique_ptr<Limiter> limiter_;
};

/// Appends `text` as a JSON string with its quotes. Shared by the log and the access log.
void append_json_string(std::string& out, std::string_view text);

}  // namespace conciergus::observe

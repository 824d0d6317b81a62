#include "conciergus/observe/log.hpp"

#include <chrono>
#include <mutex>
#include <optional>
#include <unordered_map>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace conciergus::observe {
namespace {

std::string_view to_string(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarn:
      return "warn";
    case LogLevel::kError:
      return "error";
    case LogLevel::kOff:
      break;
  }
  return "off";
}

std::string timestamp() {
  const auto now =
      std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const auto seconds = std::chrono::time_point_cast<std::chrono::seconds>(now);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)),
                     (now - seconds).count());
}

void append_value(std::string& out, const LogField::Value& value, bool json) {
  std::visit(
      [&](const auto& v) {
        using V = std::decay_t<decltype(v)>;
        if constexpr (std::same_as<V, std::string_view>) {
          // text needs quotes only where it would not read as one word
          if (json || v.empty() || v.find_first_of(" \"=\n\t") != v.npos) {
            append_json_string(out, v);
          } else {
            out += v;
          }
        } else {
          fmt::format_to(std::back_inserter(out), "{}", v);
        }
      },
      value);
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

/// Counts per event name and second. Names are literals of the code, so the map is bounded.
struct Log::Limiter {
  struct Window {
    std::int64_t second = 0;
    unsigned written = 0;
    unsigned dropped = 0;
  };
  std::mutex mutex;
  std::unordered_map<std::string, Window> windows;

  /// Nothing when the event is to be dropped, else how many of its name were dropped before it.
  std::optional<unsigned> admit(std::string_view event) {
    const auto second = std::chrono::duration_cast<std::chrono::seconds>(
                            std::chrono::steady_clock::now().time_since_epoch())
                            .count();
    const std::scoped_lock lock(mutex);
    auto& window = windows[std::string(event)];
    if (window.second != second)
      window = {.second = second, .written = 0, .dropped = window.dropped};
    if (window.written >= kBurst) {
      ++window.dropped;
      return std::nullopt;
    }
    ++window.written;
    return std::exchange(window.dropped, 0);
  }
};

Log::Log(LogLevel level, LogFormat format, Writer writer)
    : level_(level),
      format_(format),
      writer_(std::move(writer)),
      limiter_(std::make_unique<Limiter>()) {}
Log::~Log() = default;

std::unique_ptr<Log> Log::to_stderr(LogLevel level, LogFormat format) {
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  auto logger = std::make_shared<spdlog::logger>("conciergus", std::move(sink));
  logger->set_pattern("%v");
  return std::make_unique<Log>(level, format, [logger](std::string_view line) {
    logger->info(spdlog::string_view_t(line.data(), line.size()));
  });
}

Log& Log::none() {
  static Log log(LogLevel::kOff, LogFormat::kText, [](std::string_view) {});
  return log;
}

void Log::write(LogLevel level, std::string_view event, const Error* error, LogFields fields) {
  if (!is_on(level)) return;
  const auto dropped = limiter_->admit(event);
  if (!dropped) return;
  const bool json = format_ == LogFormat::kJson;
  std::string line;
  const auto add = [&](const LogField& field) {
    if (json) {
      line += ',';
      append_json_string(line, field.key);
      line += ':';
    } else {
      line.append(" ").append(field.key).append("=");
    }
    append_value(line, field.value, json);
  };
  if (json) {
    line.append(R"({"time":")")
        .append(timestamp())
        .append(R"(","level":")")
        .append(to_string(level));
    line.append(R"(","event":)");
    append_json_string(line, event);
  } else {
    line = fmt::format("{} {:<5} {}", timestamp(), to_string(level), event);
  }
  if (error) {
    add({"code", conciergus::to_string(error->code())});
    add({"error", error->detail()});
  }
  for (const auto& field : fields) add(field);
  if (*dropped) add({"dropped_before", *dropped});
  if (json) line += '}';
  writer_(line);
}

}  // namespace conciergus::observe

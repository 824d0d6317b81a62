#include "conciergus/http/access_log.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "conciergus/base/text.hpp"
#include "conciergus/codec/http_date.hpp"

namespace conciergus::http {
namespace {

constexpr std::size_t kLongestText = 512;  // of a path or a name that came from outside

/// Writes fields in one of the two formats, each with what separates it from the one before.
class LineWriter {
 public:
  LineWriter(std::string& out, observe::LogFormat format)
      : out_(out), is_json_(format == observe::LogFormat::kJson) {
    if (is_json_) out_ += '{';
  }
  void text(std::string_view key, std::string_view value) {
    begin(key);
    value = value.substr(0, kLongestText);
    if (is_json_ || value.empty() || value.find_first_of(" \"=\n\r\t\\") != value.npos) {
      observe::append_json_string(out_, value);
    } else {
      out_ += value;
    }
  }
  void text_if_any(std::string_view key, std::string_view value) {
    if (!value.empty()) text(key, value);
  }
  void number(std::string_view key, std::uint64_t value) {
    begin(key);
    char digits[20];
    const auto [end, error] = std::to_chars(digits, digits + sizeof digits, value);
    out_.append(digits, end);
  }
  /// Microseconds as milliseconds with three decimals.
  void milliseconds(std::string_view key, std::uint64_t micros) {
    number(key, micros / 1'000);
    const auto rest = static_cast<unsigned>(micros % 1'000);
    out_ += '.';
    out_ += static_cast<char>('0' + rest / 100);
    out_ += static_cast<char>('0' + rest / 10 % 10);
    out_ += static_cast<char>('0' + rest % 10);
  }
  void real(std::string_view key, double value) {
    begin(key);
    fmt::format_to(std::back_inserter(out_), "{:.8g}", value);
  }
  void flag(std::string_view key, bool value) {
    begin(key);
    out_ += value ? "true" : "false";
  }
  void finish() { out_ += is_json_ ? "}\n" : "\n"; }

 private:
  void begin(std::string_view key) {
    if (!std::exchange(is_first_, false)) out_ += is_json_ ? ',' : ' ';
    if (is_json_) {
      out_.append("\"").append(key).append("\":");
    } else {
      out_.append(key).append("=");
    }
  }
  std::string& out_;
  const bool is_json_;
  bool is_first_ = true;
};

/// Blocks; for the offload pool. What cannot be written is lost: there is nowhere to tell.
void write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

void append_access_line(std::string& out,
                        observe::LogFormat format,
                        Clock::WallTime now,
                        const RequestContext& context,
                        const Request& request,
                        const ExchangeEnd& end) {
  LineWriter line(out, format);
  codec::Rfc3339Buffer time;
  line.text("time", codec::format_rfc3339(time, now));
  line.text("method", request.method);
  line.text("path", request.path());
  line.number("status", end.status == 0 ? 499 : end.status);
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(end.at - context.started);
  line.milliseconds("ms", static_cast<std::uint64_t>(std::max<std::int64_t>(took.count(), 0)));
  line.number("in", end.received_bytes);
  line.number("out", end.sent_bytes);
  line.text("route", context.notes.route);
  line.text("client", context.client_address);
  line.text("protocol", to_string(request.version));
  line.text("request_id", context.request_id);
  if (context.parent_span.is_valid()) {
    line.text("trace_id",
              to_hex({reinterpret_cast<const char*>(context.trace_id.bytes.data()),
                      context.trace_id.bytes.size()}));
  }
  const auto& notes = context.notes;
  line.text_if_any("tenant", notes.tenant);
  line.text_if_any("upstream", notes.upstream);
  line.text_if_any("model", notes.model);
  line.text_if_any("cache", notes.cache);
  if (notes.input_tokens) line.number("input_tokens", notes.input_tokens);
  if (notes.output_tokens) line.number("output_tokens", notes.output_tokens);
  if (notes.cost > 0) line.real("cost", notes.cost);
  line.text_if_any("error", notes.error);
  if (!end.is_complete) line.flag("complete", false);
  line.finish();
}

AccessLog::AccessLog(runtime::Shard& shard, observe::LogFormat format, int descriptor)
    : shard_(shard),
      format_(format),
      descriptor_(descriptor),
      dropped_(shard.metrics().counter(
          "conciergus_http_access_lines_dropped_total",
          "Access log lines left out because whoever reads the log fell behind.")),
      wake_(shard.executor()),
      gate_(shard.executor(), shard.on_escape()) {
  gate_.spawn("access_log", flush_regularly());
}

AccessLog::~AccessLog() = default;

void AccessLog::write(const RequestContext& context,
                      const Request& request,
                      const ExchangeEnd& end) {
  if (lines_.size() > kMostBytes) return dropped_.add();
  append_access_line(lines_, format_, shard_.clock().wall_now(), context, request, end);
  if (lines_.size() >= kFlushBytes && !is_writing_) wake_.notify_all();
}

Task<void> AccessLog::stop() {
  co_await gate_.stop();
  write_all(descriptor_, std::exchange(lines_, {}));
}

Task<void> AccessLog::flush_regularly() {
  for (;;) {
    co_await wake_.wait(Deadline(shard_.now() + kFlushEvery));
    co_await flush();
  }
}

Task<void> AccessLog::flush() {
  if (lines_.empty()) co_return;
  is_writing_ = true;
  std::string piece;
  piece.reserve(lines_.capacity());
  piece.swap(lines_);
  const auto lines = std::ranges::count(piece, '\n');
  auto job = [descriptor = descriptor_, text = std::move(piece)] { write_all(descriptor, text); };
  const auto written = co_await shard_.offload().run(std::move(job));
  is_writing_ = false;
  if (!written) dropped_.add(static_cast<std::uint64_t>(lines));  // the pool is full
}

}  // namespace conciergus::http

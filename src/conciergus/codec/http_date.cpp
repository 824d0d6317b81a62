#include "conciergus/codec/http_date.hpp"

#include <algorithm>
#include <array>

#include "conciergus/base/text.hpp"

namespace conciergus::codec {
namespace {

using namespace std::chrono;

constexpr std::string_view kDays = "SunMonTueWedThuFriSat";
constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
constexpr std::array<std::string_view, 7> kLongDays = {
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

constexpr sys_seconds kEarliest = ceil<seconds>(WallTime::min());
constexpr sys_seconds kLatest = floor<seconds>(WallTime::max());

/// Writes `value` with leading zeros at [at, at + width).
void put_digits(char* at, int width, unsigned value) noexcept {
  for (int i = width; i-- > 0; value /= 10) at[i] = static_cast<char>('0' + value % 10);
}

void put_time(char* at, const hh_mm_ss<seconds>& time) noexcept {
  put_digits(at, 2, static_cast<unsigned>(time.hours().count()));
  at[2] = ':';
  put_digits(at + 3, 2, static_cast<unsigned>(time.minutes().count()));
  at[5] = ':';
  put_digits(at + 6, 2, static_cast<unsigned>(time.seconds().count()));
}

/// Takes a date apart piece by piece; the first piece that does not fit spoils it.
class DateReader {
 public:
  explicit DateReader(std::string_view text) noexcept : rest_(text) {}

  void literal(std::string_view text) noexcept {
    is_good_ = is_good_ && rest_.starts_with(text);
    if (is_good_) rest_.remove_prefix(text.size());
  }
  /// Exactly `width` digits.
  unsigned digits(std::size_t width) noexcept {
    const auto value = parse_decimal(rest_.substr(0, width));
    is_good_ = is_good_ && value && rest_.size() >= width;
    if (!is_good_) return 0;
    rest_.remove_prefix(width);
    return static_cast<unsigned>(*value);
  }
  /// A day of asctime: two digits, or a space and one.
  unsigned padded_day() noexcept {
    if (!rest_.starts_with(' ')) return digits(2);
    rest_.remove_prefix(1);
    return digits(1);
  }
  unsigned month() noexcept { return name_of(kMonths) + 1; }
  unsigned weekday() noexcept { return name_of(kDays); }
  seconds time() noexcept {
    const unsigned hour = digits(2);
    literal(":");
    const unsigned minute = digits(2);
    literal(":");
    const unsigned second = digits(2);
    is_good_ = is_good_ && hour < 24 && minute < 60 && second <= 60;  // 60: a leap second
    return hours(hour) + minutes(minute) + seconds(std::min(second, 59u));
  }
  std::optional<sys_seconds> finish(unsigned year_number,
                                    unsigned month_number,
                                    unsigned day_number,
                                    seconds time_of_day) const noexcept {
    const year_month_day date{
        year(static_cast<int>(year_number)), std::chrono::month(month_number), day(day_number)};
    if (!is_good_ || !rest_.empty() || !date.ok()) return std::nullopt;
    return std::clamp<sys_seconds>(sys_days(date) + time_of_day, kEarliest, kLatest);
  }

 private:
  /// Which of the three-letter `names` comes next.
  unsigned name_of(std::string_view names) noexcept {
    for (std::size_t i = 0; is_good_ && i < names.size(); i += 3) {
      if (rest_.starts_with(names.substr(i, 3))) {
        rest_.remove_prefix(3);
        return static_cast<unsigned>(i / 3);
      }
    }
    is_good_ = false;
    return 0;
  }

  std::string_view rest_;
  bool is_good_ = true;
};

std::optional<sys_seconds> parse_imf_fixdate(std::string_view text) noexcept {
  DateReader reader(text);
  reader.weekday();
  reader.literal(", ");
  const unsigned day = reader.digits(2);
  reader.literal(" ");
  const unsigned month = reader.month();
  reader.literal(" ");
  const unsigned year = reader.digits(4);
  reader.literal(" ");
  const seconds time = reader.time();
  reader.literal(" GMT");
  return reader.finish(year, month, day, time);
}

std::optional<sys_seconds> parse_rfc850(std::string_view text, WallTime now) noexcept {
  const auto comma = std::min(text.find(','), text.size());
  if (std::ranges::find(kLongDays, text.substr(0, comma)) == kLongDays.end()) return std::nullopt;
  DateReader reader(text.substr(comma));
  reader.literal(", ");
  const unsigned day = reader.digits(2);
  reader.literal("-");
  const unsigned month = reader.month();
  reader.literal("-");
  const unsigned short_year = reader.digits(2);
  reader.literal(" ");
  const seconds time = reader.time();
  reader.literal(" GMT");
  const auto this_year =
      static_cast<unsigned>(static_cast<int>(year_month_day(floor<days>(now)).year()));
  unsigned year = this_year - this_year % 100 + 100 + short_year;
  while (year > this_year + 50) year -= 100;
  return reader.finish(year, month, day, time);
}

std::optional<sys_seconds> parse_asctime(std::string_view text) noexcept {
  DateReader reader(text);
  reader.weekday();
  reader.literal(" ");
  const unsigned month = reader.month();
  reader.literal(" ");
  const unsigned day = reader.padded_day();
  reader.literal(" ");
  const seconds time = reader.time();
  reader.literal(" ");
  const unsigned year = reader.digits(4);
  return reader.finish(year, month, day, time);
}

}  // namespace

std::string_view format_http_date(HttpDateBuffer& buffer, WallTime time) noexcept {
  const auto second = floor<seconds>(time);
  const auto today = floor<days>(second);
  const year_month_day date(today);
  const auto copy = [&](std::size_t at, std::string_view text) {
    std::ranges::copy(text, buffer + at);
  };
  copy(0, kDays.substr(std::size_t{3} * weekday(today).c_encoding(), 3));
  copy(3, ", ");
  put_digits(buffer + 5, 2, static_cast<unsigned>(date.day()));
  copy(7, " ");
  copy(8, kMonths.substr(std::size_t{3} * (static_cast<unsigned>(date.month()) - 1), 3));
  copy(11, " ");
  put_digits(buffer + 12, 4, static_cast<unsigned>(static_cast<int>(date.year())));
  copy(16, " ");
  put_time(buffer + 17, hh_mm_ss(second - today));
  copy(25, " GMT");
  return {buffer, sizeof buffer};
}

std::string format_http_date(WallTime time) {
  HttpDateBuffer buffer;
  return std::string(format_http_date(buffer, time));
}

std::optional<sys_seconds> parse_http_date(std::string_view text, WallTime now) noexcept {
  if (text.size() == sizeof(HttpDateBuffer) && text[3] == ',') return parse_imf_fixdate(text);
  if (text.ends_with(" GMT")) return parse_rfc850(text, now);
  return parse_asctime(text);
}

std::string_view format_rfc3339(Rfc3339Buffer& buffer, WallTime time) noexcept {
  const auto millisecond = floor<milliseconds>(time);
  const auto second = floor<seconds>(millisecond);
  const auto today = floor<days>(second);
  const year_month_day date(today);
  put_digits(buffer, 4, static_cast<unsigned>(static_cast<int>(date.year())));
  buffer[4] = buffer[7] = '-';
  put_digits(buffer + 5, 2, static_cast<unsigned>(date.month()));
  put_digits(buffer + 8, 2, static_cast<unsigned>(date.day()));
  buffer[10] = 'T';
  put_time(buffer + 11, hh_mm_ss(second - today));
  buffer[19] = '.';
  put_digits(buffer + 20, 3, static_cast<unsigned>((millisecond - second).count()));
  buffer[23] = 'Z';
  return {buffer, sizeof buffer};
}

std::string format_rfc3339(WallTime time) {
  Rfc3339Buffer buffer;
  return std::string(format_rfc3339(buffer, time));
}

}  // namespace conciergus::codec

#include "conciergus/llm/route_policy.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "conciergus/base/text.hpp"

namespace conciergus::llm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kCacheTtl = "x-conciergus-cache-ttl";
constexpr std::string_view kTimeout = "x-conciergus-timeout-";

struct TimeoutField {
  std::string_view name;
  milliseconds LlmTimeouts::* timeout;
};
constexpr std::array<TimeoutField, 5> kTimeouts{{{"connect", &LlmTimeouts::connect},
                                                 {"headers", &LlmTimeouts::headers},
                                                 {"first-content", &LlmTimeouts::first_content},
                                                 {"stall", &LlmTimeouts::stall},
                                                 {"total", &LlmTimeouts::total}}};

bool is_timeout(std::string_view name) noexcept {
  return iequals(name.substr(0, kTimeout.size()), kTimeout);
}

bool is_limit(std::string_view name) noexcept {
  return is_timeout(name) || iequals(name, kCacheTtl);
}

template <class T>
void override_with(T& value, const std::optional<T>& own) {
  if (own) value = *own;
}

}  // namespace

RoutePolicy RoutePolicy::of(const LlmConfig& config, const ModelConfig& model) {
  RoutePolicy policy{config.timeouts, config.cache, config.on_disconnect};
  override_with(policy.timeouts.connect, model.timeouts.connect);
  override_with(policy.timeouts.headers, model.timeouts.headers);
  override_with(policy.timeouts.first_content, model.timeouts.first_content);
  override_with(policy.timeouts.stall, model.timeouts.stall);
  override_with(policy.timeouts.total, model.timeouts.total);
  override_with(policy.cache.policy, model.cache.policy);
  override_with(policy.cache.temperature_bound, model.cache.temperature_bound);
  override_with(policy.cache.ttl, model.cache.ttl);
  override_with(policy.cache.short_ttl, model.cache.short_ttl);
  override_with(policy.cache.coalesce, model.cache.coalesce);
  override_with(policy.cache.tool_calls, model.cache.tool_calls);
  override_with(policy.cache.max_record_bytes, model.cache.max_record_bytes);
  override_with(policy.on_disconnect, model.on_disconnect);
  return policy;
}

Result<void> tighten(RoutePolicy& policy, const http::Headers& headers) {
  static constexpr std::uint64_t kLongest = 31'536'000'000;  // a year of milliseconds
  for (const auto& [name, value] : headers) {
    if (!is_limit(name)) continue;
    const auto given = parse_decimal(trim(value));
    if (!given || *given == 0) {
      return fail(ErrorCode::kInvalidRequest,
                  fmt::format("{} must be a whole number above 0", name));
    }
    const auto amount = static_cast<std::int64_t>(std::min(*given, kLongest));
    if (!is_timeout(name)) {
      policy.cache.ttl = std::min(policy.cache.ttl, seconds(amount));
      continue;
    }
    const auto means = [&, which = name.substr(kTimeout.size())](const TimeoutField& field) {
      return iequals(field.name, which);
    };
    const auto field = std::ranges::find_if(kTimeouts, means);
    if (field == kTimeouts.end()) {
      return fail(ErrorCode::kInvalidRequest, fmt::format("{} is no timeout known here", name));
    }
    milliseconds& timeout = policy.timeouts.*(field->timeout);
    timeout = std::min(timeout, milliseconds(amount));
  }
  return {};
}

std::string limit_fields(const http::Headers& headers) {
  std::string fields;
  for (const auto& [name, value] : headers) {
    if (is_limit(name)) fields.append(name).append(":").append(value).append("\n");
  }
  return fields;
}

}  // namespace conciergus::llm

#pragma once
/// W3C Trace Context: the `traceparent` and `tracestate` fields, as values.
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "conciergus/base/random.hpp"

namespace conciergus::codec {

struct TraceParent {
  static constexpr std::uint8_t kSampled = 0x01;
  static constexpr std::uint8_t kRandom =
      0x02;  ///< The right-most 7 bytes of the trace id are random.

  std::array<unsigned char, 16> trace_id{};  ///< Never all zero.
  std::array<unsigned char, 8> span_id{};    ///< Of the sender ("parent-id"); never all zero.
  std::uint8_t flags = 0;

  bool is_sampled() const noexcept { return (flags & kSampled) != 0; }
  bool operator==(const TraceParent&) const = default;
};

/// Nothing for a malformed field: then ignore `tracestate` too and start a trace. Reads the known
/// part of higher versions.
std::optional<TraceParent> parse_traceparent(std::string_view text) noexcept;

/// Version 00, 55 characters. Flags that version 00 does not know are left out.
std::string format_traceparent(const TraceParent& parent);

/// A new trace and its first span.
TraceParent start_trace(Random& random, bool is_sampled) noexcept;

/// The same trace and flags with a span id of our own, for the next hop.
TraceParent continue_trace(const TraceParent& received, Random& random) noexcept;

/// The `tracestate` to pass on: the member `key=value` first, then the received ones in order
/// without an older one of ours, dropped from the right beyond 32 members or 512 characters. A
/// malformed or repeated member voids all that was received. An empty `key` adds nothing; otherwise
/// key and value must be well-formed, or they are left out.
std::string update_tracestate(std::span<const std::string_view> received_lines,
                              std::string_view key,
                              std::string_view value);

}  // namespace conciergus::codec

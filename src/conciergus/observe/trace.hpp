#pragma once
/// Identity of a request in a distributed trace: W3C Trace Context ids as values.
#include <array>
#include <cstdint>
#include <string>

namespace conciergus::observe {

struct TraceId {
  std::array<unsigned char, 16> bytes{};
  bool is_valid() const noexcept { return bytes != decltype(bytes){}; }
  bool operator==(const TraceId&) const = default;
};

struct SpanId {
  std::array<unsigned char, 8> bytes{};
  bool is_valid() const noexcept { return bytes != decltype(bytes){}; }
  bool operator==(const SpanId&) const = default;
};

}  // namespace conciergus::observe

#pragma once
/// Writes HTTP/1 heads, RFC 9112 sections 3 to 5. What would let a value smuggle in a line of its
/// own cannot be written.
#include <cstdint>
#include <string>
#include <string_view>

#include "conciergus/base/result.hpp"

namespace conciergus::codec {

/// "Not Found" for 404; "" for a status without a registered phrase.
std::string_view reason_phrase(unsigned status) noexcept;

/// Appends one head to a buffer: a start line, fields, finish(). All or nothing: after a refusal
/// the buffer is as it was. Borrows the buffer.
class HeadWriter {
 public:
  explicit HeadWriter(std::string& out) noexcept : out_(out), start_(out.size()) {}

  /// `HTTP/1.1 404 Not Found`. We always speak 1.1, also to a 1.0 client (RFC 9112 section 2.3).
  HeadWriter& status(unsigned status);
  /// `GET /path HTTP/1.1`. Refuses a method that is no token, and a target with spaces or control
  /// bytes.
  HeadWriter& request(std::string_view method, std::string_view target);
  /// Refuses names that are no token, and values with control bytes (tab excepted).
  HeadWriter& field(std::string_view name, std::string_view value);
  HeadWriter& field(std::string_view name, std::uint64_t value);
  /// Ends the head. kInternal names what was refused first.
  Result<void> finish();

 private:
  void refuse(std::string_view what, std::string_view name);

  std::string& out_;
  std::size_t start_;
  std::string refusal_;
};

}  // namespace conciergus::codec

#pragma once
/// The body of a response as it comes from the upstream. Internal to the client.
#include <optional>
#include <variant>

#include "conciergus/codec/http1_body.hpp"
#include "conciergus/http/upstream_pool.hpp"

namespace conciergus::http {

/// Holds the connection: after a clean end it goes back to the pool, and is closed otherwise.
class UpstreamBody final : public BodyReader {
 public:
  struct Limits {
    std::chrono::milliseconds idle;  ///< For each piece.
    Deadline overall;
  };

  /// `kind` is not kNone. `may_reuse` is what head and upload allow.
  UpstreamBody(UpstreamPool::Lease lease,
               codec::BodyKind kind,
               std::optional<std::uint64_t> length,
               bool may_reuse,
               const Limits& limits);
  ~UpstreamBody() override;

  Task<Result<std::string_view>> read() override;
  bool limit_next_read(Clock::Instant at) noexcept override {
    next_read_until_ = at;
    return true;
  }
  std::optional<std::uint64_t> size() const noexcept override { return length_; }
  const Headers* trailers() const noexcept override {
    return std::holds_alternative<codec::ChunkedDecoder>(decoder_) ? &trailers_ : nullptr;
  }

 private:
  struct UntilClose {};

  /// What the buffer holds of the body, in one piece; empty if that is nothing.
  Result<std::string_view> decode();
  Result<std::string_view> decode_chunks(codec::ChunkedDecoder& decoder);
  Error cut() const;
  std::unexpected<Error> give_up(Error error);
  void finish() noexcept;

  std::optional<UpstreamPool::Lease> lease_;
  std::variant<codec::LengthDecoder, codec::ChunkedDecoder, UntilClose> decoder_;
  const std::optional<std::uint64_t> length_;
  const Limits limits_;
  Clock::Instant next_read_until_ = Clock::Instant::max();
  bool may_reuse_;
  bool complete_ = false;
  bool failed_ = false;
  Headers trailers_;
};

}  // namespace conciergus::http

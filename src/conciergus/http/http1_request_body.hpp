#pragma once
/// The body of an HTTP/1 request, read from the connection as the handler asks for it.
#include <memory>

#include "conciergus/http/http1_transport.hpp"
#include "conciergus/http/message.hpp"

namespace conciergus::http {

/// Pieces are views into the connection's input. The client is told to continue at the first read,
/// if it waits for that.
class Http1RequestBody final : public BodyReader {
 public:
  /// Reads `head` during construction only.
  Http1RequestBody(Http1Transport& transport,
                   const ServerConfig& config,
                   const codec::RequestHead& head);
  ~Http1RequestBody() override;

  Task<Result<std::string_view>> read() override;
  std::optional<std::uint64_t> size() const noexcept override;
  const Headers* trailers() const noexcept override;

  bool is_complete() const noexcept;
  /// Bytes of content so far.
  std::uint64_t received() const noexcept { return received_; }
  /// What to answer to a body that failed: 400 or 408; 0 while all is well.
  unsigned failure_status() const noexcept override { return failure_status_; }
  /// The final head is on its way: it is too late to tell the client to continue.
  void response_has_begun() noexcept { response_has_begun_ = true; }
  /// False if the connection cannot be used after the response, as far as can be told before it:
  /// the body is broken, too long to be read away, or the client may never send it.
  bool may_be_drained() const noexcept;
  /// Reads the rest away. False if there is too much of it, or it is broken.
  Task<bool> drain();

 private:
  struct Chunked;

  Task<Result<void>> receive();
  std::unexpected<Error> failed(unsigned status, ErrorCode code, std::string detail);

  Http1Transport& transport_;
  const ServerConfig& config_;
  std::uint64_t length_ = 0;
  codec::LengthDecoder left_;
  std::unique_ptr<Chunked> chunked_;  // null for a body of known length
  std::uint64_t received_ = 0;
  Clock::Instant::duration allowance_;  // for being slow; refilled by bytes, spent by waiting
  unsigned failure_status_ = 0;
  bool awaits_continue_;
  bool response_has_begun_ = false;
};

}  // namespace conciergus::http

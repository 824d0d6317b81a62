#pragma once
/// Requests and responses as handlers see them, whatever the protocol version underneath.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "conciergus/base/clock.hpp"
#include "conciergus/base/result.hpp"
#include "conciergus/http/headers.hpp"
#include "conciergus/net/stream.hpp"
#include "conciergus/runtime/task.hpp"

namespace conciergus::http {

enum class Version : std::uint8_t { kHttp10, kHttp11, kHttp2 };
std::string_view to_string(Version version) noexcept;  // "HTTP/1.1"

/// A body that is pulled: the consumer asks for the next piece, which is how back-pressure travels.
class BodyReader {
 public:
  virtual ~BodyReader() = default;
  /// The next piece, valid until the next call; empty once the body has ended. Each piece of a
  /// response is flushed to the client when it is returned. Errors: kProtocol, kTimeout, kTooLarge,
  /// kUnavailable (cut); after one, or after cancellation, the body cannot be read any further.
  virtual Task<Result<std::string_view>> read() = 0;
  /// True if read() will return without waiting: what goes before is then sent together with it.
  virtual bool is_ready() const noexcept { return false; }
  /// The next read() ends with kTimeout at `at` if nothing has come by then. False where that is
  /// not supported: race it with runtime::with_deadline() instead, which costs more.
  virtual bool limit_next_read([[maybe_unused]] Clock::Instant at) noexcept { return false; }
  /// Bytes in all, where that is known before reading.
  virtual std::optional<std::uint64_t> size() const noexcept { return std::nullopt; }
  /// For a request's body that failed by its client's doing: the status to answer with, such as 400
  /// or 408; else 0.
  virtual unsigned failure_status() const noexcept { return 0; }
  /// Trailer fields; complete once read() has returned the end. Null when the protocol has none.
  virtual const Headers* trailers() const noexcept { return nullptr; }
};

/// The rest of the body as one piece. kTooLarge beyond `limit`.
Task<Result<std::string>> read_all(BodyReader& body, std::size_t limit);

/// The body of a response, or of a request to an upstream: nothing, text of its own, text shared
/// with a cache, or a stream.
class Body {
 public:
  Body() = default;
  Body(std::string text) : value_(std::move(text)) {}                      // NOLINT: implicit
  Body(const char* text) : value_(std::string(text)) {}                    // NOLINT: implicit
  Body(std::unique_ptr<BodyReader> stream) : value_(std::move(stream)) {}  // NOLINT: implicit
  /// `text` stays valid as long as `owner` lives.
  static Body shared(std::shared_ptr<const void> owner, std::string_view text) {
    Body body;
    body.value_ = Shared{std::move(owner), text};
    return body;
  }

  bool is_stream() const noexcept {
    return std::holds_alternative<std::unique_ptr<BodyReader>>(value_);
  }
  /// Null unless is_stream().
  BodyReader* stream() const noexcept {
    const auto* held = std::get_if<std::unique_ptr<BodyReader>>(&value_);
    return held ? held->get() : nullptr;
  }
  /// Moves the stream out; the body is empty afterwards.
  std::unique_ptr<BodyReader> take_stream();
  /// Empty for a stream.
  std::string_view text() const noexcept;
  std::optional<std::uint64_t> size() const noexcept {
    return is_stream() ? stream()->size() : std::optional<std::uint64_t>(text().size());
  }

 private:
  struct Shared {
    std::shared_ptr<const void> owner;
    std::string_view text;
  };
  std::variant<std::string, Shared, std::unique_ptr<BodyReader>> value_;
};

/// A request that has arrived. Views into it are valid while it is being handled.
struct Request {
  std::string method;     ///< As sent; compare with == ("GET").
  std::string target;     ///< As sent: "/a%20b?x=1", "*", or the authority of CONNECT.
  std::string scheme;     ///< "http" or "https".
  std::string authority;  ///< Host field or :authority, verified to be well formed.
  Version version = Version::kHttp11;
  Headers headers;
  BodyReader* body = nullptr;  ///< Never null while handled; an absent body ends at once.

  /// Target up to the question mark, not decoded.
  std::string_view path() const noexcept {
    return std::string_view(target).substr(0, target.find('?'));
  }
  /// After the question mark, not decoded; empty without one.
  std::string_view query() const noexcept;
};

/// Takes over a connection after 101 (WebSocket): runs until both sides are done. `early` are bytes
/// that the client sent behind its request.
using Tunnel = std::move_only_function<Task<void>(net::Stream& client, std::string early)>;

struct Response {
  unsigned status = 200;
  Headers headers;
  Body body;
  Tunnel tunnel;  ///< Set with status 101 only.
};

/// 1xx responses ahead of the final one (103, 102). Dropped for clients that cannot take them.
class InterimSink {
 public:
  virtual ~InterimSink() = default;
  virtual Task<Result<void>> send(unsigned status, const Headers& headers) = 0;
};

/// Text with its type and length.
Response make_response(unsigned status, std::string_view content_type, std::string body);

}  // namespace conciergus::http

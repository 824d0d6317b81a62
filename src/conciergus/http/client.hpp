#pragma once
/// HTTP/1.1 client with keep-alive pools, one per shard and origin.
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "conciergus/base/deadline.hpp"
#include "conciergus/http/message.hpp"
#include "conciergus/runtime/shard.hpp"

namespace conciergus::http {

/// Where an upstream is. Equal origins share a pool.
struct Origin {
  std::string scheme = "http";  ///< "http" or "https".
  std::string host;             ///< Name or address, without brackets.
  std::uint16_t port = 80;
  /// Parses "https://api.example.com:8443/base" into the origin and the base path without a
  /// trailing slash ("/base", or empty). kConfig for anything else, userinfo, query and fragment
  /// included.
  static Result<std::pair<Origin, std::string>> parse(std::string_view url);
  std::string authority() const;  ///< "host" or "host:port" as the Host field wants it.
  std::string to_string() const;  ///< "https://host:port"
  bool operator==(const Origin&) const = default;
};

struct ClientConfig {
  std::chrono::milliseconds connect_timeout{3'000};  ///< DNS, TCP and TLS together; 10 ms to 60 s.
  std::chrono::milliseconds head_timeout{
      30'000};  ///< From dispatch to the final head; 10 ms to 1 h.
  std::chrono::milliseconds idle_timeout{60'000};  ///< Between two reads of a body; 10 ms to 1 h.
  std::uint32_t max_connections = 256;             ///< Per shard and origin; further calls queue.
  std::uint32_t max_queued = 1'024;                ///< Then kOverloaded at once; 0 never queues.
  std::chrono::seconds keep_idle{60};              ///< Keep below the origin's own keep-alive.
  std::uint32_t max_head_bytes = 65'536;           ///< Of a response.
  bool verify_tls = true;  ///< Against the system's authorities; off for tests.
  std::string ca_file{};   ///< Instead of the system's authorities.
};

struct ClientRequest {
  std::string method = "GET";
  std::string target = "/";  ///< Origin form.
  Headers headers{};         ///< Without Host, Content-Length, Transfer-Encoding and Connection.
  std::string host{};        ///< Host field; the origin's authority when empty.
  Body body{};
  std::string upgrade{};  ///< Protocol for Connection: Upgrade ("websocket"); empty: none.
  /// Safe to send twice though the method is not idempotent: repeated, too, on a stale connection.
  bool may_repeat = false;
};

/// What became of a call until send() returned, filled in as it happens and so readable after a
/// failure too. kBody: the rest of the body is for the caller to read.
struct CallReport {
  enum class Phase : std::uint8_t { kQueue, kDns, kConnect, kTls, kSend, kHead, kBody, kDone };
  Phase phase = Phase::kQueue;  ///< How far it came.
  bool reused = false;          ///< On a pooled connection.
  bool retried_stale = false;   ///< A pooled connection had died and a new one was taken.
  double connect_ms = -1;
  double head_ms = -1;  ///< From dispatch.
};

/// Overrides for one call; zero means the configuration's value.
struct CallLimits {
  std::chrono::milliseconds connect{0};
  std::chrono::milliseconds head{0};
  std::chrono::milliseconds idle{0};
  Deadline deadline;
};

/// Belongs to one shard; responses must be gone before it.
class Client {
 public:
  Client(runtime::Shard& shard, ClientConfig config);
  ~Client();

  /// Sends the request and returns once the final head is there; the body is a stream that holds
  /// the connection and gives it back to the pool after a clean end. Redirects are not followed.
  /// 1xx go to `interim` if there is one. For 101 the response's tunnel is empty: use
  /// take_upgraded(). Errors: kUnavailable (cannot connect, cut, reset), kTimeout, kProtocol,
  /// kOverloaded (queue full). Cancelled: the connection is closed. A stale pooled connection is
  /// retried once, when no byte of the response has come and the request is idempotent or was not
  /// sent.
  Task<Result<Response>> send(const Origin& origin,
                              ClientRequest request,
                              CallLimits limits,
                              InterimSink* interim = nullptr,
                              CallReport* report = nullptr);

  /// Closes idle connections, refuses new calls and waits for none: callers are stopped before.
  Task<void> stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// The connection behind a 101 response, and what the upstream sent after its head. Null for
/// others.
struct Upgraded {
  std::unique_ptr<net::Stream> stream;
  std::string early;
};
Upgraded take_upgraded(Response& response);

}  // namespace conciergus::http

#pragma once
/// Compresses answers as the client accepts it, RFC 9110 section 8.4, without ever holding back a
/// byte of a stream.
#include <array>
#include <cstddef>

#include "conciergus/codec/accept.hpp"
#include "conciergus/http/handler.hpp"
#include "conciergus/observe/metrics.hpp"

namespace conciergus::http {

struct CompressionConfig {
  bool event_streams = false;           ///< Compress them too, with a flush for each piece.
  std::size_t min_bytes = 1'024;        ///< Of a body whose size is known.
  std::size_t offload_bytes = 262'144;  ///< Larger whole bodies are compressed on the offload pool.
};

/// Shared by all shards. Of text, JSON, scripts and the like; not of what is encoded already or
/// must not be transformed (Cache-Control: no-transform, on either side). Every answer that could
/// have been compressed varies by Accept-Encoding, whether it has been or not.
class Compression final : public Middleware {
 public:
  Compression(const CompressionConfig& config, observe::Registry& metrics);

  Task<Result<Response>> handle(RequestContext& context,
                                Request& request,
                                Next next) const override;

 private:
  /// Identity if the answer is to stay as it is.
  codec::ContentCoding choose(const Request& request, const Response& response) const;
  Task<void> encode(runtime::Shard& shard, codec::ContentCoding coding, Response& response) const;

  const CompressionConfig config_;
  std::array<observe::Counter*, 4> responses_{};  // by coding
  observe::Counter& bytes_in_;
  observe::Counter& bytes_out_;
};

/// True for media types that shrink.
bool is_compressible(std::string_view content_type) noexcept;

}  // namespace conciergus::http

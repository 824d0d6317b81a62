#include "conciergus/http/compression.hpp"

#include <algorithm>
#include <memory>

#include "conciergus/base/text.hpp"
#include "conciergus/http/encoder.hpp"
#include "conciergus/http/event_stream.hpp"

namespace conciergus::http {
namespace {
using codec::ContentCoding;

/// In the order of preference between equally welcome ones.
constexpr std::array kOffered = {
    ContentCoding::kZstd, ContentCoding::kBrotli, ContentCoding::kGzip, ContentCoding::kIdentity};

/// Encodes what it pulls, piece by piece.
class EncodedBody final : public BodyReader {
 public:
  EncodedBody(std::unique_ptr<BodyReader> body,
              ContentCoding coding,
              observe::Counter& bytes_in,
              observe::Counter& bytes_out)
      : body_(std::move(body)),
        encoder_(take_encoder(coding)),
        bytes_in_(bytes_in),
        bytes_out_(bytes_out) {}

  Task<Result<std::string_view>> read() override {
    if (!encoder_) co_return std::string_view();
    const auto piece = co_await body_->read();
    if (!piece) co_return piece;
    out_.clear();
    encoder_->encode(*piece, piece->empty() ? Flush::kEnd : Flush::kPiece, out_);
    if (piece->empty()) encoder_.reset();
    bytes_in_.add(piece->size());
    bytes_out_.add(out_.size());
    co_return std::string_view(out_);  // neither a flush nor an end is ever empty
  }
  const Headers* trailers() const noexcept override { return body_->trailers(); }

 private:
  std::unique_ptr<BodyReader> body_;
  EncoderPtr encoder_;
  observe::Counter& bytes_in_;
  observe::Counter& bytes_out_;
  std::string out_;
};

bool may_not_be_transformed(const Headers& headers) noexcept {
  return headers.has_token("cache-control", "no-transform");
}

/// Whether the answer has a body, and one that may be sent in another form.
bool is_transformable(const Request& request, const Response& response) noexcept {
  const auto& headers = response.headers;
  const bool has_whole_body = response.status >= 200 && response.status != 204 &&
                              response.status != 206 && response.status != 304;
  return has_whole_body && !headers.contains("content-encoding") &&
         !headers.contains("content-range") && !may_not_be_transformed(headers) &&
         !may_not_be_transformed(request.headers) && is_compressible(headers.get("content-type"));
}

void add_vary(Headers& headers) {
  if (headers.has_token("vary", "accept-encoding") || headers.has_token("vary", "*")) return;
  const auto before = headers.joined("vary");
  headers.set("vary", before.empty() ? "accept-encoding" : before + ", accept-encoding");
}

/// The bytes are others now: what speaks of them goes, and a strong validator becomes a weak one.
void tell_coding(Headers& headers, ContentCoding coding) {
  headers.set("content-encoding", codec::to_string(coding));
  for (const auto* name : {"content-length", "accept-ranges", "content-md5", "content-digest"}) {
    headers.remove(name);
  }
  if (const auto etag = headers.get("etag"); etag.starts_with('"')) {
    headers.set("etag", "W/" + std::string(etag));
  }
}

}  // namespace

bool is_compressible(std::string_view content_type) noexcept {
  constexpr std::array<std::string_view, 11> kTypes = {"application/json",
                                                       "application/javascript",
                                                       "application/ecmascript",
                                                       "application/graphql",
                                                       "application/wasm",
                                                       "application/xml",
                                                       "application/x-javascript",
                                                       "application/x-ndjson",
                                                       "font/otf",
                                                       "font/ttf",
                                                       "image/bmp"};
  constexpr std::string_view kText = "text/";
  const auto type = trim(content_type.substr(0, content_type.find(';')));
  const auto ends_with = [&](std::string_view suffix) {
    return type.size() > suffix.size() && iequals(type.substr(type.size() - suffix.size()), suffix);
  };
  return iequals(type.substr(0, kText.size()), kText) || ends_with("+json") || ends_with("+xml") ||
         std::ranges::any_of(kTypes, [&](std::string_view known) { return iequals(known, type); });
}

Compression::Compression(const CompressionConfig& config, observe::Registry& metrics)
    : config_(config),
      bytes_in_(metrics.counter("conciergus_http_compression_input_bytes_total",
                                "Bytes of answers before compression.")),
      bytes_out_(metrics.counter("conciergus_http_compression_output_bytes_total",
                                 "Bytes of answers after compression.")) {
  for (const auto coding : kOffered) {
    responses_[static_cast<std::size_t>(coding)] =
        &metrics.counter("conciergus_http_compression_responses_total",
                         "Compressible answers, by the coding they were sent in.",
                         {{"coding", std::string(codec::to_string(coding))}});
  }
}

Task<Result<Response>> Compression::handle(RequestContext& context,
                                           Request& request,
                                           Next next) const {
  auto response = co_await next.run(context, request);
  if (!response || !is_transformable(request, *response)) co_return response;
  add_vary(response->headers);
  if (const auto coding = choose(request, *response); coding != ContentCoding::kIdentity) {
    co_await encode(context.shard, coding, *response);
  }
  const auto sent = codec::parse_content_coding(response->headers.get("content-encoding"));
  responses_[static_cast<std::size_t>(sent.value_or(ContentCoding::kIdentity))]->add();
  co_return response;
}

ContentCoding Compression::choose(const Request& request, const Response& response) const {
  if (request.method == "HEAD") return ContentCoding::kIdentity;
  if (is_event_stream(response.headers) && !config_.event_streams) return ContentCoding::kIdentity;
  if (response.body.size().value_or(config_.min_bytes) < config_.min_bytes) {
    return ContentCoding::kIdentity;
  }
  if (!request.headers.contains("accept-encoding")) return ContentCoding::kIdentity;
  return codec::choose_coding(request.headers.joined("accept-encoding"), kOffered)
      .value_or(ContentCoding::kIdentity);
}

/// A whole body that does not shrink stays as it is, and so does one for which the pool has no
/// room.
Task<void> Compression::encode(runtime::Shard& shard,
                               ContentCoding coding,
                               Response& response) const {
  if (response.body.is_stream()) {
    tell_coding(response.headers, coding);
    response.body = Body(
        std::make_unique<EncodedBody>(response.body.take_stream(), coding, bytes_in_, bytes_out_));
    co_return;
  }
  std::string encoded;
  const auto size = response.body.text().size();
  if (size <= config_.offload_bytes) {
    encoded = encode_whole(coding, response.body.text());
  } else {
    const auto body = std::make_shared<Body>(std::move(response.body));
    auto job = [body, coding] { return encode_whole(coding, body->text()); };
    auto outcome = co_await shard.offload().run(std::move(job));
    response.body = std::move(*body);
    if (!outcome) co_return;
    encoded = *std::move(outcome);
  }
  if (encoded.size() >= size) co_return;
  bytes_in_.add(size);
  bytes_out_.add(encoded.size());
  tell_coding(response.headers, coding);
  response.body = std::move(encoded);
}

}  // namespace conciergus::http

#include "conciergus/gateway/page_handler.hpp"

#include <boost/container/static_vector.hpp>
#include <boost/container_hash/hash.hpp>

#include "conciergus/codec/accept.hpp"
#include "conciergus/gateway/conditional.hpp"
#include "conciergus/http/error_response.hpp"

namespace conciergus::gateway {
namespace {

using codec::ContentCoding;

// The pages run no inline script and load nothing from elsewhere: what a model's answer smuggles
// into them cannot run, nor send anything away.
constexpr std::string_view kPolicy =
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'";

std::string_view body_of(const EmbeddedPage& page, ContentCoding coding) {
  if (coding == ContentCoding::kBrotli) return page.brotli;
  return coding == ContentCoding::kGzip ? page.gzip : page.identity;
}

ContentCoding choose(const EmbeddedPage& page, const http::Request& request) {
  boost::container::static_vector<ContentCoding, 3> offered;
  if (!page.brotli.empty()) offered.push_back(ContentCoding::kBrotli);
  if (!page.gzip.empty()) offered.push_back(ContentCoding::kGzip);
  offered.push_back(ContentCoding::kIdentity);
  const auto accept = request.headers.contains("accept-encoding")
                          ? std::optional(request.headers.joined("accept-encoding"))
                          : std::nullopt;
  return codec::choose_coding(accept, offered).value_or(ContentCoding::kIdentity);
}

/// Each coding is a representation of its own: "abc" → "abc-br".
std::string etag_of(const EmbeddedPage& page, ContentCoding coding) {
  std::string etag(page.etag);
  if (coding != ContentCoding::kIdentity)
    etag.insert(etag.size() - 1, "-" + std::string(codec::to_string(coding)));
  return etag;
}

}  // namespace

PageHandler::PageHandler(std::span<const EmbeddedPage> pages) {
  for (const auto& page : pages) {
    by_path_.emplace(page.path, &page);
    if (page.path == "/index.html") by_path_.emplace("/", &page);
  }
}

Task<Result<http::Response>> PageHandler::handle(http::RequestContext& context,
                                                 http::Request& request) const {
  const auto found = by_path_.find(request.path());
  if (found == by_path_.end()) co_return fail(ErrorCode::kNotFound, "");
  if (request.method != "GET" && request.method != "HEAD") {
    auto refusal = http::error_response(
        405, "method_not_allowed", "This address can only be read.", context, request);
    refusal.headers.add("allow", "GET, HEAD");
    co_return refusal;
  }
  const auto& page = *found->second;
  const auto coding = choose(page, request);
  const auto etag = etag_of(page, coding);
  const bool is_asset = page.path.starts_with("/assets/");

  http::Response response;
  auto& headers = response.headers;
  headers.add("etag", etag);
  headers.add("vary", "accept-encoding");
  headers.add("cache-control", is_asset ? "public, max-age=31536000, immutable" : "no-cache");
  if (is_not_modified(request, etag)) {
    response.status = 304;
    co_return response;
  }
  headers.add("content-type", page.content_type);
  if (coding != ContentCoding::kIdentity) headers.add("content-encoding", codec::to_string(coding));
  if (page.content_type.starts_with("text/html")) {
    headers.add("content-security-policy", kPolicy);
    headers.add("referrer-policy", "no-referrer");
  }
  headers.add("x-content-type-options", "nosniff");
  response.body = http::Body::shared(nullptr, body_of(page, coding));
  co_return response;
}

}  // namespace conciergus::gateway

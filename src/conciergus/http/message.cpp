#include "conciergus/http/message.hpp"

namespace conciergus::http {

std::string_view to_string(Version version) noexcept {
  switch (version) {
    case Version::kHttp10:
      return "HTTP/1.0";
    case Version::kHttp11:
      return "HTTP/1.1";
    case Version::kHttp2:
      return "HTTP/2";
  }
  return "HTTP/1.1";
}

Task<Result<std::string>> read_all(BodyReader& body, std::size_t limit) {
  const auto too_large = [&] {
    return fail(ErrorCode::kTooLarge, "body is larger than " + std::to_string(limit) + " bytes");
  };
  std::string all;
  if (const auto size = body.size()) {
    if (*size > limit) co_return too_large();
    all.reserve(*size);
  }
  for (;;) {
    const auto piece = co_await body.read();
    if (!piece) co_return std::unexpected(piece.error());
    if (piece->empty()) co_return all;
    if (all.size() + piece->size() > limit) co_return too_large();
    all.append(*piece);
  }
}

std::unique_ptr<BodyReader> Body::take_stream() {
  auto* held = std::get_if<std::unique_ptr<BodyReader>>(&value_);
  if (!held) return nullptr;
  auto stream = std::move(*held);
  value_ = std::string();
  return stream;
}

std::string_view Body::text() const noexcept {
  if (const auto* own = std::get_if<std::string>(&value_)) return *own;
  if (const auto* shared = std::get_if<Shared>(&value_)) return shared->text;
  return {};
}

std::string_view Request::query() const noexcept {
  const auto mark = target.find('?');
  return mark == target.npos ? std::string_view() : std::string_view(target).substr(mark + 1);
}

Response make_response(unsigned status, std::string_view content_type, std::string body) {
  Response response;
  response.status = status;
  response.headers.add("content-type", content_type);
  response.body = std::move(body);
  return response;
}

}  // namespace conciergus::http

#include "conciergus/gateway/conditional.hpp"

#include <array>
#include <utility>

#include "conciergus/codec/list.hpp"

namespace conciergus::gateway {

bool is_not_modified(const http::Request& request, std::string_view etag) {
  const auto opaque = [](std::string_view tag) {
    return tag.starts_with("W/") ? tag.substr(2) : tag;
  };
  for (const auto field : request.headers.find_all("if-none-match")) {
    auto rest = field;
    while (const auto member = codec::take_element(rest)) {
      if (*member == "*" || opaque(*member) == opaque(etag)) return true;
    }
  }
  return false;
}

std::string_view content_type_of(std::string_view path) {
  using Type = std::pair<std::string_view, std::string_view>;
  static constexpr std::array kTypes{
      Type{".html", "text/html; charset=utf-8"},
      Type{".css", "text/css; charset=utf-8"},
      Type{".js", "text/javascript; charset=utf-8"},
      Type{".mjs", "text/javascript; charset=utf-8"},
      Type{".json", "application/json"},
      Type{".map", "application/json"},
      Type{".webmanifest", "application/manifest+json"},
      Type{".txt", "text/plain; charset=utf-8"},
      Type{".md", "text/markdown; charset=utf-8"},
      Type{".xml", "application/xml"},
      Type{".svg", "image/svg+xml"},
      Type{".png", "image/png"},
      Type{".jpg", "image/jpeg"},
      Type{".jpeg", "image/jpeg"},
      Type{".gif", "image/gif"},
      Type{".webp", "image/webp"},
      Type{".avif", "image/avif"},
      Type{".ico", "image/x-icon"},
      Type{".woff", "font/woff"},
      Type{".woff2", "font/woff2"},
      Type{".wasm", "application/wasm"},
      Type{".pdf", "application/pdf"},
      Type{".mp4", "video/mp4"},
      Type{".webm", "video/webm"},
      Type{".mp3", "audio/mpeg"},
  };
  for (const auto& [ending, type] : kTypes) {
    if (path.ends_with(ending)) return type;
  }
  return "application/octet-stream";
}

}  // namespace conciergus::gateway

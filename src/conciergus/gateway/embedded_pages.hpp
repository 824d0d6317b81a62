#pragma once
/// The web pages that the binary carries. The table is generated when it is built
/// (cmake/WebPages.cmake).
#include <span>
#include <string_view>

namespace conciergus::gateway {

/// Everything is static: views of the program's own data.
struct EmbeddedPage {
  std::string_view path;  ///< "/index.html"
  std::string_view content_type;
  std::string_view etag;  ///< With its quotes; by content.
  std::string_view identity;
  std::string_view gzip;    ///< Empty where it would not be smaller.
  std::string_view brotli;  ///< Likewise.
};

/// The demo page; one page that tells how to build it where it was left out.
std::span<const EmbeddedPage> embedded_pages() noexcept;

}  // namespace conciergus::gateway

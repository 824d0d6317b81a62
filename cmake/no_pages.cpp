// Stands in for the web pages in builds without them.
#include "conciergus/gateway/embedded_pages.hpp"

namespace conciergus::gateway {
namespace {

constexpr EmbeddedPage kPages[] = {
    {"/index.html",
     "text/html; charset=utf-8",
     "\"none\"",
     "<!doctype html><html lang=\"en\"><title>Conciergus</title><p>This binary was built without "
     "its web pages. script/build makes one that has them.</p></html>\n",
     {},
     {}},
};

}  // namespace

std::span<const EmbeddedPage> embedded_pages() noexcept {
  return kPages;
}

}  // namespace conciergus::gateway

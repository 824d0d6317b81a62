#pragma once
/// Serves pages from memory, in the coding that the client likes best.
#include <span>

#include <boost/unordered/unordered_flat_map.hpp>

#include "conciergus/gateway/embedded_pages.hpp"
#include "conciergus/http/handler.hpp"

namespace conciergus::gateway {

/// Any thread. `pages` are static. "/" is "/index.html"; what lies under "/assets/" has its content
/// in its name and may be kept for ever.
class PageHandler final : public http::Handler {
 public:
  explicit PageHandler(std::span<const EmbeddedPage> pages);
  Task<Result<http::Response>> handle(http::RequestContext& context,
                                      http::Request& request) const override;

 private:
  boost::unordered_flat_map<std::string_view, const EmbeddedPage*> by_path_;
};

}  // namespace conciergus::gateway

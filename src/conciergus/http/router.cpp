#include "conciergus/http/router.hpp"

#include <algorithm>

#include "conciergus/codec/percent.hpp"
#include "conciergus/http/error_response.hpp"

namespace conciergus::http {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == text.npos) return parts;
    text.remove_prefix(end + 1);
  }
}

bool is_parameter(std::string_view segment) {
  return segment.starts_with('{') && segment.ends_with('}');
}

/// Fills `parameters` and returns true if the path has the pattern's form.
bool fits(const std::vector<std::string>& pattern,
          std::string_view path,
          std::vector<std::string>& parameters) {
  parameters.clear();
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const bool is_last = i + 1 == pattern.size();
    const auto end = path.find('/');
    if (is_last != (end == path.npos)) return false;
    const auto segment = path.substr(0, end);
    if (pattern[i].empty() && i > 0) {
      auto decoded = codec::percent_decode(segment);
      if (!decoded || decoded->empty()) return false;
      parameters.push_back(*std::move(decoded));
    } else if (segment != pattern[i]) {
      return false;
    }
    if (!is_last) path.remove_prefix(end + 1);
  }
  return true;
}

}  // namespace

void Router::add(std::string_view methods,
                 std::string_view pattern,
                 std::string_view name,
                 std::shared_ptr<const Handler> handler) {
  auto& route = route_for(pattern);
  route.name = name;
  for (const auto method : split(methods, ' ')) {
    route.methods.emplace_back(method, handler);
    if (method == "GET") route.methods.emplace_back("HEAD", handler);
  }
  route.allow.clear();
  for (const auto& [method, unused] : route.methods)
    route.allow.append(route.allow.empty() ? "" : ", ").append(method);
}

Router::Route& Router::route_for(std::string_view pattern) {
  if (pattern.ends_with("/*")) {
    pattern.remove_suffix(1);
    const auto known = std::ranges::find(prefixes_, pattern, &Prefix::text);
    if (known != prefixes_.end()) return known->route;
    const auto shorter = std::ranges::find_if(
        prefixes_, [&](const Prefix& other) { return other.text.size() < pattern.size(); });
    return prefixes_.insert(shorter, {std::string(pattern), {}})->route;
  }
  if (!pattern.contains('{')) return exact_[std::string(pattern)];
  std::vector<std::string> segments;
  for (const auto segment : split(pattern, '/'))
    segments.emplace_back(is_parameter(segment) ? std::string_view() : segment);
  const auto known = std::ranges::find(patterns_, segments, &Pattern::segments);
  if (known != patterns_.end()) return known->route;
  return patterns_.emplace_back(std::move(segments)).route;
}

const Handler* Router::Route::find(std::string_view method) const noexcept {
  for (const auto& [known, handler] : methods) {
    if (known == method || known == "*") return handler.get();
  }
  return nullptr;
}

const Router::Route* Router::match(std::string_view path,
                                   std::vector<std::string>& parameters) const {
  if (const auto found = exact_.find(path); found != exact_.end()) return &found->second;
  for (const auto& pattern : patterns_) {
    if (fits(pattern.segments, path, parameters)) return &pattern.route;
  }
  parameters.clear();
  for (const auto& prefix : prefixes_) {
    if (path.starts_with(prefix.text)) return &prefix.route;
  }
  return nullptr;
}

Task<Result<Response>> Router::handle(RequestContext& context, Request& request) const {
  const auto* route = match(request.path(), context.path_parameters);
  if (route) {
    context.notes.route = route->name;
    if (const auto* handler = route->find(request.method)) return handler->handle(context, request);
  }
  return refuse(context, request, route);
}

Task<Result<Response>> Router::refuse(RequestContext& context,
                                      const Request& request,
                                      const Route* route) const {
  if (!route && request.target != "*") co_return fail(ErrorCode::kNotFound, "");
  const std::string_view allow =
      route ? std::string_view(route->allow) : "GET, HEAD, POST, OPTIONS";
  if (request.method == "OPTIONS") {
    Response response;
    response.status = 204;
    response.headers.add("allow", allow);
    co_return response;
  }
  auto response = error_response(
      405, "method_not_allowed", "This address does not take that method.", context, request);
  response.headers.add("allow", allow);
  co_return response;
}

}  // namespace conciergus::http

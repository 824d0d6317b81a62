#pragma once
/// Picks the handler for a path and method. RFC 9110 sections 9.3.7, 15.5.5 and 15.5.6.
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/container_hash/hash.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include "conciergus/http/handler.hpp"

namespace conciergus::http {

/// Filled once, then const: any thread. Paths are compared as they were sent, without decoding: an
/// odd spelling of a route's path is another path and goes where those go.
class Router final : public Handler {
 public:
  /// `pattern` is an exact path ("/healthz"), has parameters for whole segments
  /// ("/api/chat/{id}/stream"), or ends in a slash and a star for everything below ("/assets/*").
  /// An exact path beats parameters, they beat the longest prefix. `methods` are separated by
  /// spaces ("GET POST"), or "*" for all; GET includes HEAD. `name` is a literal: the route's name
  /// in metrics. A pattern may be added several times with different methods.
  void add(std::string_view methods,
           std::string_view pattern,
           std::string_view name,
           std::shared_ptr<const Handler> handler);

  /// Sets the route's name and parameters in the context. 404 where nothing matches; 405 with Allow
  /// for a method that the path does not have; 204 with Allow for OPTIONS where no route takes it.
  Task<Result<Response>> handle(RequestContext& context, Request& request) const override;

 private:
  struct Route {
    std::string_view name;
    std::vector<std::pair<std::string, std::shared_ptr<const Handler>>> methods;
    std::string allow;
    const Handler* find(std::string_view method) const noexcept;
  };
  struct Pattern {
    std::vector<std::string> segments;  // empty for a parameter
    Route route;
  };
  struct Prefix {
    std::string text;  // with its last slash
    Route route;
  };

  Route& route_for(std::string_view pattern);
  const Route* match(std::string_view path, std::vector<std::string>& parameters) const;
  Task<Result<Response>> refuse(RequestContext& context,
                                const Request& request,
                                const Route* route) const;

  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return boost::hash<std::string_view>()(text);
    }
  };
  boost::unordered_flat_map<std::string, Route, TextHash, std::equal_to<>> exact_;
  std::vector<Pattern> patterns_;
  std::vector<Prefix> prefixes_;  // longest first
};

/// A handler behind middlewares of its own.
class Chain final : public Handler {
 public:
  Chain(std::vector<std::unique_ptr<Middleware>> middlewares, std::shared_ptr<const Handler> last)
      : middlewares_(std::move(middlewares)), last_(std::move(last)) {}
  Task<Result<Response>> handle(RequestContext& context, Request& request) const override {
    return Next(middlewares_, *last_).run(context, request);
  }

 private:
  std::vector<std::unique_ptr<Middleware>> middlewares_;
  std::shared_ptr<const Handler> last_;
};

}  // namespace conciergus::http

#pragma once
/// Who is asking. The tenant's scope is derived from what the server can verify, never from the
/// body, and is the first part of every cache key: no two tenants ever share an answer.
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "conciergus/base/result.hpp"
#include "conciergus/http/handler.hpp"
#include "conciergus/llm/llm_config.hpp"

namespace conciergus::llm {

/// An address or a network in CIDR notation, of either family.
class Network {
 public:
  static std::optional<Network> parse(std::string_view text);
  bool contains(std::string_view address) const;

 private:
  std::array<std::uint8_t, 16> prefix_{};
  unsigned bits_ = 0;
  bool is_v6_ = false;
};

struct Tenant {
  std::string scope;  ///< Distinguishes the kinds of tenants: "key:acme", "app:42", "hmac:1f…".
  std::string name;   ///< For logs and metrics; of an HMAC only the first digits.
};

/// The caller's credential: of `Authorization: Bearer`, `x-api-key` or `api-key`; empty without.
std::string_view credential(const http::Headers& headers) noexcept;

/// Immutable; any thread.
class TenantDirectory {
 public:
  explicit TenantDirectory(const TenantConfig& config);
  ~TenantDirectory();

  /// `peer` is the address of the connection. kUnauthenticated for an unknown key where keys are
  /// issued, and for no credential where that is refused.
  Result<Tenant> identify(const http::Headers& headers, std::string_view peer) const;

  /// Whether the tenant of `scope` may ask for the model by this public name.
  bool may_use(std::string_view scope, std::string_view model) const;
  /// Keys are issued: what callers send is for us and must not go upstream.
  bool issues_keys() const noexcept { return !names_.empty(); }

 private:
  class Mac;
  std::string mac(std::string_view text) const;

  std::unordered_map<std::string, std::string> names_;  // SHA-256 of a key → its tenant
  std::unordered_map<std::string, std::vector<std::string>> models_;  // scope → patterns
  bool allows_anonymous_;
  std::string trusted_header_;
  std::vector<Network> trusted_peers_;
  std::unique_ptr<Mac> mac_;
};

/// Sets the scope of the requests it lets through, and answers the others with 401 in the protocol
/// of the path they asked for.
class TenantMiddleware final : public http::Middleware {
 public:
  explicit TenantMiddleware(std::shared_ptr<const TenantDirectory> tenants)
      : tenants_(std::move(tenants)) {}
  Task<Result<http::Response>> handle(http::RequestContext& context,
                                      http::Request& request,
                                      http::Next next) const override;

 private:
  std::shared_ptr<const TenantDirectory> tenants_;
};

}  // namespace conciergus::llm

#include "conciergus/llm/tenant.hpp"

#include <algorithm>
#include <cstdlib>

#include <boost/asio/ip/address.hpp>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include "conciergus/base/text.hpp"
#include "conciergus/llm/glob.hpp"

namespace conciergus::llm {
namespace {

std::string sha256_hex(std::string_view text) {
  static EVP_MD* const kAlgorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  std::string digest(32, '\0');
  if (EVP_Digest(text.data(),
                 text.size(),
                 reinterpret_cast<unsigned char*>(digest.data()),
                 nullptr,
                 kAlgorithm,
                 nullptr) != 1) {
    std::abort();  // a wrong digest would let a stranger in
  }
  return to_hex(digest);
}

std::string random_secret() {
  std::string secret(32, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(secret.data()), 32) != 1) std::abort();
  return secret;
}

/// Sixteen bytes of either family; nothing for what is no address.
struct Address {
  std::array<std::uint8_t, 16> bytes{};
  bool is_v6 = false;

  static std::optional<Address> parse(std::string_view text) {
    boost::system::error_code error;
    auto address = asio::ip::make_address(text, error);
    if (error) return std::nullopt;
    if (address.is_v6() && address.to_v6().is_v4_mapped()) {
      address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
    }
    Address parsed;
    parsed.is_v6 = address.is_v6();
    if (parsed.is_v6) {
      std::ranges::copy(address.to_v6().to_bytes(), parsed.bytes.begin());
    } else {
      std::ranges::copy(address.to_v4().to_bytes(), parsed.bytes.begin());
    }
    return parsed;
  }
};

}  // namespace

std::optional<Network> Network::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = Address::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  const unsigned most = address->is_v6 ? 128 : 32;
  Network network;
  network.prefix_ = address->bytes;
  network.is_v6_ = address->is_v6;
  network.bits_ = most;
  if (slash != std::string_view::npos) {
    const auto bits = parse_decimal(text.substr(slash + 1));
    if (!bits || *bits > most) return std::nullopt;
    network.bits_ = static_cast<unsigned>(*bits);
  }
  return network;
}

bool Network::contains(std::string_view text) const {
  const auto address = Address::parse(text);
  if (!address || address->is_v6 != is_v6_) return false;
  const unsigned whole = bits_ / 8;
  if (!std::equal(prefix_.begin(), prefix_.begin() + whole, address->bytes.begin())) return false;
  const unsigned rest = bits_ % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xff00u >> rest);
  return (prefix_[whole] & mask) == (address->bytes[whole] & mask);
}

std::string_view credential(const http::Headers& headers) noexcept {
  constexpr std::string_view kBearer = "bearer ";
  const std::string_view authorization = headers.get("authorization");
  if (authorization.size() > kBearer.size() &&
      iequals(authorization.substr(0, kBearer.size()), kBearer)) {
    return trim(authorization.substr(kBearer.size()));
  }
  if (const auto key = headers.find("x-api-key")) return *key;
  return headers.get("api-key");
}

/// HMAC-SHA256 under one key, set up once: each use copies the keyed state.
class TenantDirectory::Mac {
 public:
  explicit Mac(std::string_view key) {
    EVP_MAC* const algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    keyed_.reset(EVP_MAC_CTX_new(algorithm));
    EVP_MAC_free(algorithm);
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end()};
    const auto* const bytes = reinterpret_cast<const unsigned char*>(key.data());
    if (EVP_MAC_init(keyed_.get(), bytes, key.size(), parameters) != 1) std::abort();
  }

  std::string hex(std::string_view text) const {
    const Context context(EVP_MAC_CTX_dup(keyed_.get()));
    std::string digest(32, '\0');
    std::size_t size = 0;
    const auto* const bytes = reinterpret_cast<const unsigned char*>(text.data());
    if (EVP_MAC_update(context.get(), bytes, text.size()) != 1 ||
        EVP_MAC_final(
            context.get(), reinterpret_cast<unsigned char*>(digest.data()), &size, digest.size()) !=
            1) {
      std::abort();  // a wrong scope would mix up tenants
    }
    return to_hex(digest);
  }

 private:
  struct Free {
    void operator()(EVP_MAC_CTX* context) const noexcept { EVP_MAC_CTX_free(context); }
  };
  using Context = std::unique_ptr<EVP_MAC_CTX, Free>;
  Context keyed_;
};

TenantDirectory::TenantDirectory(const TenantConfig& config)
    : allows_anonymous_(config.anonymous == Anonymous::kAllow ||
                        (config.anonymous == Anonymous::kAuto && config.keys.empty())),
      trusted_header_(config.trusted_header),
      mac_(std::make_unique<Mac>(config.scope_secret.empty() ? random_secret()
                                                             : config.scope_secret.reveal())) {
  for (const ApiKeyConfig& key : config.keys) {
    names_.emplace(key.sha256, key.name);
    if (!key.models.empty()) models_["key:" + key.name] = key.models;
  }
  for (const std::string& text : config.trusted_peers) {
    if (auto network = Network::parse(text)) trusted_peers_.push_back(*network);
  }
}

TenantDirectory::~TenantDirectory() = default;

Result<Tenant> TenantDirectory::identify(const http::Headers& headers,
                                         std::string_view peer) const {
  if (!trusted_header_.empty()) {
    const auto is_peer = [&](const Network& network) { return network.contains(peer); };
    const std::string_view name = headers.get(trusted_header_);
    if (!name.empty() && std::ranges::any_of(trusted_peers_, is_peer)) {
      return Tenant{.scope = "app:" + std::string(name), .name = std::string(name)};
    }
  }
  const std::string_view key = credential(headers);
  if (key.empty()) {
    if (allows_anonymous_) return Tenant{.scope = "anonymous", .name = "anonymous"};
    return fail(ErrorCode::kUnauthenticated, "No API key was sent.");
  }
  if (issues_keys()) {
    const auto known = names_.find(sha256_hex(key));
    if (known != names_.end()) return Tenant{"key:" + known->second, known->second};
    return fail(ErrorCode::kUnauthenticated, "The API key is not known here.");
  }
  const std::string hash = mac_->hex(key);
  return Tenant{.scope = "hmac:" + hash, .name = hash.substr(0, 12)};
}

bool TenantDirectory::may_use(std::string_view scope, std::string_view model) const {
  if (models_.empty()) return true;
  const auto patterns = models_.find(std::string(scope));
  if (patterns == models_.end()) return true;
  return std::ranges::any_of(
      patterns->second, [&](const std::string& pattern) { return glob_matches(pattern, model); });
}

}  // namespace conciergus::llm

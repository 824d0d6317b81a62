#pragma once
/// Certificates of a TLS server, chosen by the name that the client asks for (SNI).
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "conciergus/base/result.hpp"
#include "conciergus/base/secret.hpp"
#include "conciergus/net/tls_stream.hpp"

namespace conciergus::net {

/// PEM text; `name` says where it came from, for error messages.
struct TlsCertificate {
  std::string name;
  std::string chain;  ///< The server's certificate first.
  Secret key;
  /// Reads both files. kConfig with the path.
  static Result<TlsCertificate> from_files(const std::string& chain_file,
                                           const std::string& key_file);
};

struct TlsServerConfig {
  std::vector<TlsCertificate> certificates;  ///< At least one; the first for unknown names.
  bool offer_http2 = true;                   ///< ALPN: h2 before http/1.1.
};

/// Immutable and shared by all shards: a reload makes a new one, and connections keep the one they
/// began with. Sessions are resumed by tickets, under keys that change with each reload.
class TlsServerContext {
 public:
  /// kConfig names the certificate that cannot be used, and why.
  static Result<std::shared_ptr<const TlsServerContext>> make(const TlsServerConfig& config);

  /// For one connection; keep the context as long as it. Null when OpenSSL has no memory.
  SslPtr make_session() const;

 private:
  struct Entry {
    SslContextPtr context;
    std::vector<std::string> names;  // lower case; "*.example.com" for wildcards
  };

  TlsServerContext() = default;
  Result<void> add(const TlsCertificate& certificate, bool offer_http2);
  SSL_CTX* find(std::string_view host) const noexcept;
  static int on_server_name(SSL* ssl, int* alert, void* self) noexcept;

  std::vector<Entry> entries_;
};

}  // namespace conciergus::net

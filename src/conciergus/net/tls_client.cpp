#include "conciergus/net/tls_client.hpp"

#include <unordered_map>

#include <boost/asio/ip/address.hpp>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "conciergus/net/tls_stream.hpp"

namespace conciergus::net {
namespace {

/// Upstreams whose sessions are remembered; beyond that all are forgotten and made anew.
constexpr std::size_t kMaxSessions = 256;

constexpr unsigned char kAlpn[] = "\x08http/1.1";

struct SessionDelete {
  void operator()(SSL_SESSION* session) const noexcept { SSL_SESSION_free(session); }
};
using SessionPtr = std::unique_ptr<SSL_SESSION, SessionDelete>;

/// One context for all connections, and the last session of each upstream. A ticket is for one use
/// (RFC 8446 appendix C.4), so it is taken out, and the upstream sends the next.
struct Context {
  SslContextPtr ssl;
  std::unordered_map<std::string, SessionPtr> sessions;

  SessionPtr take_session(const std::string& upstream) {
    auto node = sessions.extract(upstream);
    return node ? std::move(node.mapped()) : nullptr;
  }
};

/// What the callback for new sessions finds behind its SSL; lives as long as the stream.
struct Link {
  std::shared_ptr<Context> context;
  std::string upstream;
};

int keep_session(SSL* ssl, SSL_SESSION* session) noexcept {
  const auto* const link = static_cast<Link*>(SSL_get_app_data(ssl));
  if (link == nullptr) return 0;
  auto& sessions = link->context->sessions;
  if (sessions.size() >= kMaxSessions) sessions.clear();
  sessions[link->upstream].reset(session);
  return 1;  // the reference is ours
}

Result<std::shared_ptr<Context>> make_context(const TlsClientConfig& config) {
  auto context = std::make_shared<Context>();
  context->ssl = make_ssl_context(TLS_client_method());
  SSL_CTX* const ssl = context->ssl.get();
  if (ssl == nullptr) return fail(ErrorCode::kInternal, "no TLS context: " + take_ssl_error());
  const bool loaded = config.ca_file.empty()
                          ? SSL_CTX_set_default_verify_paths(ssl) == 1
                          : SSL_CTX_load_verify_file(ssl, config.ca_file.c_str()) == 1;
  if (!loaded) {
    const auto where = config.ca_file.empty() ? "of the system" : config.ca_file;
    return fail(ErrorCode::kConfig,
                "cannot read the certificate authorities " + where + ": " + take_ssl_error());
  }
  SSL_CTX_set_verify(ssl, config.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_alpn_protos(ssl, kAlpn, sizeof kAlpn - 1);
  SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(ssl, keep_session);
  return context;
}

/// Whom we expect to meet: SNI for a name, and the same name or address in the certificate.
bool expect_host(SSL* ssl, const std::string& host) {
  X509_VERIFY_PARAM* const rules = SSL_get0_param(ssl);
  X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  boost::system::error_code is_name;
  asio::ip::make_address(host, is_name);
  if (!is_name) return X509_VERIFY_PARAM_set1_ip_asc(rules, host.c_str()) == 1;
  return SSL_set_tlsext_host_name(ssl, host.c_str()) == 1 &&
         X509_VERIFY_PARAM_set1_host(rules, host.data(), host.size()) == 1;
}

Error explain(const Error& error, SSL* ssl) {
  if (error.code() == ErrorCode::kCancelled) return error;
  if (const auto result = SSL_get_verify_result(ssl); result != X509_V_OK) {
    return {ErrorCode::kUnavailable,
            std::string("TLS verification failed: ") + X509_verify_cert_error_string(result)};
  }
  return {ErrorCode::kUnavailable, "TLS handshake failed: " + error.detail()};
}

}  // namespace

class TlsClient::Impl {
 public:
  explicit Impl(TlsClientConfig config) : config_(std::move(config)) {}

  Task<Result<std::unique_ptr<Stream>>> handshake(asio::ip::tcp::socket socket,
                                                  std::string host,
                                                  std::uint16_t port) {
    if (!context_) {
      CONCIERGUS_CO_TRY(context_, make_context(config_));
    }
    const auto link = std::make_shared<Link>(Link{context_, host + ":" + std::to_string(port)});
    SslPtr ssl(SSL_new(context_->ssl.get()));
    if (!ssl || !expect_host(ssl.get(), host)) {
      co_return fail(ErrorCode::kInternal, "cannot begin TLS: " + take_ssl_error());
    }
    SSL_set_connect_state(ssl.get());
    SSL_set_app_data(ssl.get(), link.get());
    if (const auto session = context_->take_session(link->upstream)) {
      SSL_set_session(ssl.get(), session.get());
    }
    auto stream = std::make_unique<TlsStream>(TcpStream(std::move(socket)), std::move(ssl), link);
    const auto done = co_await stream->handshake();
    if (!done) co_return std::unexpected(explain(done.error(), stream->ssl()));
    co_return stream;
  }

 private:
  const TlsClientConfig config_;
  std::shared_ptr<Context> context_;  // made when first needed: reading authorities takes time
};

TlsClient::TlsClient(TlsClientConfig config) : impl_(std::make_unique<Impl>(std::move(config))) {}

TlsClient::~TlsClient() = default;

Task<Result<std::unique_ptr<Stream>>> TlsClient::handshake(asio::ip::tcp::socket socket,
                                                           std::string host,
                                                           std::uint16_t port) {
  return impl_->handshake(std::move(socket), std::move(host), port);
}

}  // namespace conciergus::net

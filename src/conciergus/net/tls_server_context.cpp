#include "conciergus/net/tls_server_context.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "conciergus/base/text.hpp"

namespace conciergus::net {
namespace {

struct BioDelete {
  void operator()(BIO* bio) const noexcept { BIO_free(bio); }
};
struct X509Delete {
  void operator()(X509* certificate) const noexcept { X509_free(certificate); }
};
struct KeyDelete {
  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
};
struct NamesDelete {
  void operator()(GENERAL_NAMES* names) const noexcept { GENERAL_NAMES_free(names); }
};
using BioPtr = std::unique_ptr<BIO, BioDelete>;
using X509Ptr = std::unique_ptr<X509, X509Delete>;
using KeyPtr = std::unique_ptr<EVP_PKEY, KeyDelete>;

BioPtr open_text(std::string_view text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

int no_passphrase(char*, int, int, void*) noexcept {
  return -1;  // the default asks on the terminal
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), ascii_lower);
  return result;
}

/// The DNS names of the certificate's subjectAltName, which is all that clients look at (RFC 9525).
std::vector<std::string> dns_names(X509* certificate) {
  const std::unique_ptr<GENERAL_NAMES, NamesDelete> all(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> names;
  for (int i = 0; all && i < sk_GENERAL_NAME_num(all.get()); ++i) {
    const auto* const name = sk_GENERAL_NAME_value(all.get(), i);
    if (name->type != GEN_DNS) continue;
    const auto* const text = ASN1_STRING_get0_data(name->d.dNSName);
    names.push_back(lower({reinterpret_cast<const char*>(text),
                           static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName))}));
  }
  return names;
}

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorCode::kConfig, "cannot read " + path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

constexpr std::string_view kHttp1 = "\x08http/1.1";
constexpr std::string_view kHttp2AndHttp1 = "\x02h2\x08http/1.1";

/// The first of ours that the client offers; none of them: TLS without ALPN, as for old clients.
int on_alpn(SSL*,
            const unsigned char** out,
            unsigned char* out_size,
            const unsigned char* offered,
            unsigned offered_size,
            void* ours) noexcept {
  const auto& list = *static_cast<const std::string_view*>(ours);
  unsigned char* chosen = nullptr;
  const int outcome = SSL_select_next_proto(&chosen,
                                            out_size,
                                            reinterpret_cast<const unsigned char*>(list.data()),
                                            static_cast<unsigned>(list.size()),
                                            offered,
                                            offered_size);
  if (outcome != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_NOACK;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

Result<TlsCertificate> TlsCertificate::from_files(const std::string& chain_file,
                                                  const std::string& key_file) {
  CONCIERGUS_TRY(auto chain, read_file(chain_file));
  CONCIERGUS_TRY(auto key, read_file(key_file));
  return TlsCertificate{chain_file, std::move(chain), Secret(std::move(key))};
}

Result<std::shared_ptr<const TlsServerContext>> TlsServerContext::make(
    const TlsServerConfig& config) {
  if (config.certificates.empty()) return fail(ErrorCode::kConfig, "TLS needs a certificate");
  std::shared_ptr<TlsServerContext> made(new TlsServerContext);
  for (const auto& certificate : config.certificates) {
    CONCIERGUS_CHECK(made->add(certificate, config.offer_http2));
  }
  SSL_CTX* const first = made->entries_.front().context.get();
  SSL_CTX_set_tlsext_servername_callback(first, on_server_name);
  SSL_CTX_set_tlsext_servername_arg(first, made.get());
  return std::shared_ptr<const TlsServerContext>(std::move(made));
}

Result<void> TlsServerContext::add(const TlsCertificate& certificate, bool offer_http2) {
  const auto unusable = [&](std::string_view why) {
    ERR_clear_error();
    return fail(ErrorCode::kConfig, certificate.name + ": " + std::string(why));
  };
  Entry entry{make_ssl_context(TLS_server_method()), {}};
  if (!entry.context) return unusable("no memory for TLS");
  SSL_CTX* const context = entry.context.get();

  const auto chain = open_text(certificate.chain);
  const X509Ptr own(PEM_read_bio_X509_AUX(chain.get(), nullptr, no_passphrase, nullptr));
  if (!own) return unusable("holds no certificate in PEM form");
  if (SSL_CTX_use_certificate(context, own.get()) != 1) return unusable(take_ssl_error());
  while (X509* const issuer = PEM_read_bio_X509(chain.get(), nullptr, no_passphrase, nullptr)) {
    SSL_CTX_add0_chain_cert(context, issuer);  // takes it over
  }
  ERR_clear_error();  // the end of the file

  const auto key_text = open_text(certificate.key.reveal());
  const KeyPtr key(PEM_read_bio_PrivateKey(key_text.get(), nullptr, no_passphrase, nullptr));
  if (!key) return unusable("its key is not in PEM form, or has a passphrase");
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
    return unusable("its key does not belong to it");
  }

  const auto& protocols = offer_http2 ? kHttp2AndHttp1 : kHttp1;
  SSL_CTX_set_alpn_select_cb(context, on_alpn, const_cast<std::string_view*>(&protocols));
  entry.names = dns_names(own.get());
  entries_.push_back(std::move(entry));
  return {};
}

SslPtr TlsServerContext::make_session() const {
  SslPtr ssl(SSL_new(entries_.front().context.get()));
  if (ssl) SSL_set_accept_state(ssl.get());
  return ssl;
}

SSL_CTX* TlsServerContext::find(std::string_view host) const noexcept {
  const auto dot = host.find('.');
  const auto parent = dot == host.npos ? std::string_view() : host.substr(dot);
  const Entry* wildcard = nullptr;
  for (const auto& entry : entries_) {
    for (const std::string_view name : entry.names) {
      if (iequals(name, host)) return entry.context.get();
      const bool covers =
          name.starts_with("*.") && !parent.empty() && iequals(name.substr(1), parent);
      if (covers && !wildcard) wildcard = &entry;
    }
  }
  return wildcard ? wildcard->context.get() : nullptr;
}

int TlsServerContext::on_server_name(SSL* ssl, int*, void* self) noexcept {
  const char* const host = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (!host) return SSL_TLSEXT_ERR_NOACK;
  SSL_CTX* const context = static_cast<const TlsServerContext*>(self)->find(host);
  if (context) SSL_set_SSL_CTX(ssl, context);
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace conciergus::net

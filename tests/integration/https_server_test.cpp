#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/certificates.hpp"
#include "support/test_server.hpp"

namespace conciergus::http {
namespace {
using namespace std::chrono_literals;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

net::TlsCertificate certificate_for(const std::string& names) {
  auto pem = make_certificate(names);
  return {names, std::move(pem.certificate), Secret(std::move(pem.key))};
}

Server::TlsContext tls_for(std::initializer_list<std::string> names, bool offer_http2 = false) {
  net::TlsServerConfig config{.certificates = {}, .offer_http2 = offer_http2};
  for (const auto& name : names) config.certificates.push_back(certificate_for(name));
  auto made = net::TlsServerContext::make(config);
  EXPECT_TRUE(made.has_value()) << made.error().to_string();
  return *made;
}

Task<Result<Response>> tell_scheme(RequestContext&, Request& request) {
  auto body = co_await read_all(*request.body, 10'000'000);
  if (!body) co_return std::unexpected(body.error());
  co_return make_response(200, "text/plain", request.scheme + *body);
}

/// OpenSSL on a blocking socket.
class TlsClientSide {
 public:
  struct Options {
    std::string name{};  ///< For SNI.
    std::string alpn{};  ///< In wire form.
    int max_version = 0;
    SSL_SESSION* session = nullptr;
  };
  TlsClientSide(RawClient socket, const Options& options) : socket_(std::move(socket)) {
    if (!options.name.empty()) SSL_set_tlsext_host_name(ssl_.get(), options.name.c_str());
    if (!options.alpn.empty()) {
      SSL_set_alpn_protos(ssl_.get(),
                          reinterpret_cast<const unsigned char*>(options.alpn.data()),
                          static_cast<unsigned>(options.alpn.size()));
    }
    SSL_set_max_proto_version(ssl_.get(), options.max_version);
    if (options.session) SSL_set_session(ssl_.get(), options.session);
    SSL_set_fd(ssl_.get(), socket_.descriptor());
    is_connected_ = SSL_connect(ssl_.get()) == 1;
  }
  bool is_connected() const { return is_connected_; }
  SSL* ssl() { return ssl_.get(); }

  /// The first DNS name of the certificate that the server showed.
  std::string shown_name() {
    const std::unique_ptr<X509, void (*)(X509*)> shown(SSL_get1_peer_certificate(ssl_.get()),
                                                       X509_free);
    auto* const names = static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(shown.get(), NID_subject_alt_name, nullptr, nullptr));
    const auto* const first = sk_GENERAL_NAME_value(names, 0)->d.dNSName;
    std::string name(reinterpret_cast<const char*>(ASN1_STRING_get0_data(first)));
    GENERAL_NAMES_free(names);
    return name;
  }
  std::string alpn() {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &name, &size);
    return {reinterpret_cast<const char*>(name), size};
  }
  bool send(std::string_view text) {
    std::size_t sent = 0;
    return SSL_write_ex(ssl_.get(), text.data(), text.size(), &sent) == 1;
  }
  std::string read_until(std::string_view end) {
    while (!unread_.contains(end)) {
      char piece[16384];
      std::size_t size = 0;
      if (SSL_read_ex(ssl_.get(), piece, sizeof piece, &size) != 1) break;
      unread_.append(piece, size);
    }
    return std::exchange(unread_, {});
  }

 private:
  RawClient socket_;
  net::SslContextPtr context_{SSL_CTX_new(TLS_client_method())};
  net::SslPtr ssl_{SSL_new(context_.get())};
  std::string unread_;
  bool is_connected_ = false;
};

TEST(HttpsServerTest, ServesOverBothVersionsOfTlsAndNoOlderOnes) {
  TestServer server(tell_scheme, {}, tls_for({"DNS:a.example"}));
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClientSide client(server.connect(), {.max_version = version});
    ASSERT_TRUE(client.is_connected());
    EXPECT_EQ(SSL_version(client.ssl()), version);
    for (int i = 0; i < 3; ++i) {
      client.send(kGet);
      EXPECT_THAT(client.read_until("https"), AllOf(StartsWith("HTTP/1.1 200"), EndsWith("https")));
    }
  }
  TlsClientSide old(server.connect(), {.max_version = TLS1_1_VERSION});
  EXPECT_FALSE(old.is_connected());
  auto plain = server.connect();
  plain.send(kGet);
  plain.read_all();
  EXPECT_EQ(server.count("conciergus_http_failed_handshakes_total"), 2u);
}

TEST(HttpsServerTest, MovesLargeBodiesBothWays) {
  TestServer server(tell_scheme, {}, tls_for({"DNS:a.example"}));
  TlsClientSide client(server.connect(), {});
  ASSERT_TRUE(client.is_connected());
  const std::string body(3'000'000, 'b');
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000001\r\n\r\n" + body + "!");
  EXPECT_TRUE(client.read_until("!").ends_with("https" + body + "!"));
}

TEST(HttpsServerTest, ShowsTheCertificateOfTheNameThatIsAskedFor) {
  TestServer server(
      tell_scheme, {}, tls_for({"DNS:a.example", "DNS:*.b.example", "DNS:x.b.example"}));
  const std::pair<std::string, std::string> cases[] = {{"", "a.example"},
                                                       {"unknown.example", "a.example"},
                                                       {"y.B.example", "*.b.example"},
                                                       {"x.b.example", "x.b.example"},
                                                       {"z.y.b.example", "a.example"}};
  for (const auto& [asked, shown] : cases) {
    TlsClientSide client(server.connect(), {.name = asked});
    ASSERT_TRUE(client.is_connected()) << asked;
    EXPECT_EQ(client.shown_name(), shown) << asked;
  }
}

TEST(HttpsServerTest, AgreesOnHttp11WhereHttp2IsNotOffered) {
  TestServer server(tell_scheme, {}, tls_for({"DNS:a.example"}));
  TlsClientSide both(server.connect(), {.alpn = "\x02h2\x08http/1.1"});
  EXPECT_EQ(both.alpn(), "http/1.1");
  TlsClientSide other(server.connect(),
                      {.alpn = "\x03"
                               "foo"});
  EXPECT_TRUE(other.is_connected());
  EXPECT_EQ(other.alpn(), "");
}

TEST(HttpsServerTest, ResumesSessions) {
  TestServer server(tell_scheme, {}, tls_for({"DNS:a.example"}));
  TlsClientSide first(server.connect(), {.max_version = TLS1_2_VERSION});
  ASSERT_TRUE(first.is_connected());
  EXPECT_FALSE(SSL_session_reused(first.ssl()));
  SSL_SESSION* const session = SSL_get1_session(first.ssl());
  TlsClientSide second(server.connect(), {.max_version = TLS1_2_VERSION, .session = session});
  ASSERT_TRUE(second.is_connected());
  EXPECT_TRUE(SSL_session_reused(second.ssl()));
  SSL_SESSION_free(session);
}

TEST(HttpsServerTest, ReloadsCertificatesWithoutDroppingConnections) {
  TestServer server(tell_scheme, {}, tls_for({"DNS:old.example"}), 2);
  TlsClientSide before(server.connect(), {});
  ASSERT_TRUE(before.is_connected());
  server.server().replace_tls(tls_for({"DNS:new.example"}));
  before.send(kGet);
  EXPECT_THAT(before.read_until("https"), HasSubstr("200 OK"));
  TlsClientSide after(server.connect(), {});
  ASSERT_TRUE(after.is_connected());
  EXPECT_EQ(after.shown_name(), "new.example");
}

TEST(HttpsServerTest, GivesUpOnHandshakesThatDoNotCome) {
  TestServer server(tell_scheme, {.handshake_timeout = 100ms}, tls_for({"DNS:a.example"}));
  auto silent = server.connect();
  EXPECT_TRUE(silent.is_closed(2s));
}

TEST(TlsServerContextTest, SaysWhichCertificateCannotBeUsed) {
  auto good = certificate_for("DNS:a.example");
  auto other = certificate_for("DNS:b.example");
  const auto error_of = [](net::TlsCertificate certificate) {
    const auto made = net::TlsServerContext::make({{std::move(certificate)}});
    return made ? std::string("none") : made.error().to_string();
  };
  EXPECT_EQ(error_of(good), "none");
  EXPECT_THAT(error_of({"x.pem", "nonsense", good.key}), HasSubstr("x.pem: holds no certificate"));
  EXPECT_THAT(error_of({"x.pem", good.chain, Secret("nonsense")}), HasSubstr("x.pem: its key"));
  EXPECT_THAT(error_of({"x.pem", good.chain, other.key}), HasSubstr("does not belong to it"));
  EXPECT_FALSE(net::TlsServerContext::make({}).has_value());
  EXPECT_FALSE(net::TlsCertificate::from_files("/nowhere", "/nowhere").has_value());
}

}  // namespace
}  // namespace conciergus::http

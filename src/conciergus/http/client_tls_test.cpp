#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "support/certificates.hpp"
#include "support/client_fixture.hpp"
#include "support/test_server.hpp"

namespace conciergus::http {
namespace {
using testing::HasSubstr;
using testing::StartsWith;

/// A server with a certificate of its own making, and a client that is told to trust it or not.
class ClientTlsTest : public ClientTest {
 protected:
  void SetUp() override {}
  void serve(const std::string& alt_names) {
    const auto pem = make_certificate(alt_names);
    ca_file_ = testing::TempDir() + "conciergus_client_tls_" + std::to_string(::getpid()) + ".pem";
    std::ofstream(ca_file_) << pem.certificate;
    auto tls =
        net::TlsServerContext::make({.certificates = {{"test", pem.certificate, Secret(pem.key)}}});
    ASSERT_TRUE(tls.has_value());
    auto answer = [this](RequestContext&, Request&) -> Task<Result<Response>> {
      ++requests_;
      co_return make_response(200, "text/plain", "secret");
    };
    server_.emplace(answer, ServerConfig{}, *tls);
  }
  Result<Response> call(const std::string& host) {
    Result<Response> result = fail(ErrorCode::kInternal, "not run");
    shard_.run([&]() -> Task<void> {
      report_ = {};
      result = co_await client_->send({"https", host, server_->port()}, {}, {}, nullptr, &report_);
    });
    return result;
  }

  std::string ca_file_;
  std::atomic<int> requests_{0};
  std::optional<TestServer> server_;
};

TEST_F(ClientTlsTest, TrustsAServerOfTheGivenAuthorityByNameAndByAddress) {
  serve("DNS:localhost,IP:127.0.0.1");
  start({.ca_file = ca_file_});
  for (const auto* host : {"localhost", "127.0.0.1"}) {
    const auto response = call(host);
    ASSERT_TRUE(response.has_value()) << response.error().to_string();
    EXPECT_EQ(response->body.text(), "secret");
    EXPECT_GE(report_.connect_ms, 0);
    ASSERT_TRUE(call(host).has_value());
    EXPECT_TRUE(report_.reused) << host;
  }
}

TEST_F(ClientTlsTest, RefusesACertificateForAnotherName) {
  serve("DNS:other.example");
  start({.ca_file = ca_file_});
  for (const auto* host : {"localhost", "127.0.0.1"}) {
    const auto response = call(host);
    ASSERT_FALSE(response.has_value());
    EXPECT_EQ(response.error().code(), ErrorCode::kUnavailable);
    EXPECT_THAT(response.error().detail(), StartsWith("TLS verification failed: "));
    EXPECT_THAT(response.error().detail(), HasSubstr("mismatch"));
    EXPECT_EQ(report_.phase, CallReport::Phase::kTls);
  }
  EXPECT_EQ(requests_, 0);
}

TEST_F(ClientTlsTest, RefusesACertificateThatTheSystemDoesNotKnow) {
  serve("DNS:localhost");
  start({});
  const auto response = call("localhost");
  ASSERT_FALSE(response.has_value());
  EXPECT_THAT(response.error().detail(), HasSubstr("TLS verification failed: self-signed"));
  EXPECT_EQ(requests_, 0);
}

TEST_F(ClientTlsTest, AcceptsAnyCertificateWhereVerificationIsOff) {
  serve("DNS:other.example");
  start({.verify_tls = false});
  EXPECT_TRUE(call("localhost").has_value());
}

TEST_F(ClientTlsTest, TellsOfAnAuthorityFileThatCannotBeRead) {
  serve("DNS:localhost");
  start({.ca_file = "/nowhere.pem"});
  const auto response = call("localhost");
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error().code(), ErrorCode::kConfig);
}

TEST_F(ClientTlsTest, TellsAHandshakeThatFailsFromOneThatIsNotTrusted) {
  const FakeUpstream plain([](FakeConnection& connection) {
    connection.send("HTTP/1.1 400 Bad Request\r\n\r\n");
    connection.is_closed_by_client();
  });
  start({});
  shard_.run([&]() -> Task<void> {
    const auto response =
        co_await client_->send({"https", "127.0.0.1", plain.port()}, {}, {}, nullptr, &report_);
    CONCIERGUS_CO_ASSERT(!response.has_value());
    EXPECT_EQ(response.error().code(), ErrorCode::kUnavailable);
    EXPECT_THAT(response.error().detail(), StartsWith("TLS handshake failed: "));
    EXPECT_EQ(report_.phase, CallReport::Phase::kTls);
  });
}

TEST_F(ClientTlsTest, BoundsTheHandshakeByTheConnectTimeout) {
  const FakeUpstream silent([](FakeConnection& connection) { connection.is_closed_by_client(); });
  start({.connect_timeout = std::chrono::milliseconds(60)});
  shard_.run([&]() -> Task<void> {
    const auto response =
        co_await client_->send({"https", "127.0.0.1", silent.port()}, {}, {}, nullptr, &report_);
    CONCIERGUS_CO_ASSERT(!response.has_value());
    EXPECT_EQ(response.error().code(), ErrorCode::kTimeout);
    EXPECT_EQ(report_.phase, CallReport::Phase::kTls);
  });
}

}  // namespace
}  // namespace conciergus::http

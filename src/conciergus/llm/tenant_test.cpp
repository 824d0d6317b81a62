#include "conciergus/llm/tenant.hpp"

#include <gtest/gtest.h>

namespace conciergus::llm {
namespace {

// SHA-256 of "sk-acme".
constexpr const char* kAcmeHash =
    "5f8eee912cd7c0ccb238560e8a22e7f78909e6dac18288188f7f4ea35112700d";

TenantConfig with_issued_key() {
  TenantConfig config;
  config.keys.push_back({.name = "acme", .sha256 = kAcmeHash, .models = {"small-*"}});
  return config;
}

http::Headers bearer(std::string_view key) {
  return {{"Authorization", "Bearer " + std::string(key)}};
}

TEST(NetworkTest, ContainsTheAddressesOfItsPrefix) {
  EXPECT_TRUE(Network::parse("127.0.0.0/8")->contains("127.1.2.3"));
  EXPECT_FALSE(Network::parse("127.0.0.0/8")->contains("128.0.0.1"));
  EXPECT_TRUE(Network::parse("10.64.0.0/10")->contains("10.127.0.1"));
  EXPECT_FALSE(Network::parse("10.64.0.0/10")->contains("10.128.0.1"));
  EXPECT_TRUE(Network::parse("::1")->contains("::1"));
  EXPECT_FALSE(Network::parse("::/0")->contains("1.2.3.4"));
  EXPECT_TRUE(Network::parse("0.0.0.0/0")->contains("::ffff:1.2.3.4"));
  EXPECT_FALSE(Network::parse("0.0.0.0/0")->contains("/run/socket"));
}

TEST(NetworkTest, RefusesWhatIsNoNetwork) {
  for (const char* text : {"", "x", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "::/129"}) {
    EXPECT_FALSE(Network::parse(text)) << text;
  }
}

TEST(CredentialTest, IsFoundWhereTheSdksPutIt) {
  EXPECT_EQ(credential(bearer("sk-1")), "sk-1");
  EXPECT_EQ(credential({{"authorization", "bearer sk-1"}}), "sk-1");
  EXPECT_EQ(credential({{"x-api-key", "sk-2"}}), "sk-2");
  EXPECT_EQ(credential({{"api-key", "sk-3"}}), "sk-3");
  EXPECT_EQ(credential({{"authorization", "Basic eDp5"}}), "");
}

TEST(TenantDirectoryTest, HidesTheCallersCredentialBehindAnHmac) {
  const TenantDirectory tenants(TenantConfig{});
  const auto first = tenants.identify(bearer("sk-secret-1"), "192.0.2.1");
  const auto again = tenants.identify(bearer("sk-secret-1"), "192.0.2.9");
  const auto other = tenants.identify(bearer("sk-secret-2"), "192.0.2.1");
  ASSERT_TRUE(first && again && other);
  EXPECT_EQ(first->scope, again->scope);
  EXPECT_NE(first->scope, other->scope);
  EXPECT_EQ(first->scope.find("secret"), std::string::npos);
  EXPECT_EQ(first->name.size(), 12u);
}

TEST(TenantDirectoryTest, DerivesTheSameScopeOnEveryReplicaWithTheSameSecret) {
  TenantConfig config;
  config.scope_secret = Secret("0123456789abcdef");
  const auto one = TenantDirectory(config).identify(bearer("sk"), "::1");
  const auto two = TenantDirectory(config).identify(bearer("sk"), "::1");
  const auto elsewhere = TenantDirectory(TenantConfig{}).identify(bearer("sk"), "::1");
  EXPECT_EQ(one->scope, two->scope);
  EXPECT_NE(one->scope, elsewhere->scope);
}

TEST(TenantDirectoryTest, KnowsIssuedKeysAndRefusesOthers) {
  const TenantDirectory tenants(with_issued_key());
  const auto known = tenants.identify(bearer("sk-acme"), "192.0.2.1");
  ASSERT_TRUE(known);
  EXPECT_EQ(known->scope, "key:acme");
  EXPECT_EQ(known->name, "acme");
  EXPECT_EQ(tenants.identify(bearer("sk-other"), "::1").error().code(),
            ErrorCode::kUnauthenticated);
  EXPECT_FALSE(tenants.identify({}, "::1"));
}

TEST(TenantDirectoryTest, LimitsATenantToItsModels) {
  const TenantDirectory tenants(with_issued_key());
  EXPECT_TRUE(tenants.may_use("key:acme", "small-1"));
  EXPECT_FALSE(tenants.may_use("key:acme", "large"));
  EXPECT_TRUE(tenants.may_use("anonymous", "large"));
}

TEST(TenantDirectoryTest, SwitchesAnonymousOnAndOff) {
  TenantConfig config;
  EXPECT_EQ(TenantDirectory(config).identify({}, "::1")->scope, "anonymous");
  config.anonymous = Anonymous::kRefuse;
  EXPECT_FALSE(TenantDirectory(config).identify({}, "::1"));
  config = with_issued_key();
  config.anonymous = Anonymous::kAllow;
  EXPECT_EQ(TenantDirectory(config).identify({}, "::1")->scope, "anonymous");
}

TEST(TenantDirectoryTest, BelievesTheApplicationsHeaderFromTrustedPeersOnly) {
  TenantConfig config;
  config.trusted_header = "x-tenant";
  config.trusted_peers = {"10.0.0.0/8"};
  const TenantDirectory tenants(config);
  const http::Headers headers{{"X-Tenant", "42"}};
  EXPECT_EQ(tenants.identify(headers, "10.1.1.1")->scope, "app:42");
  EXPECT_EQ(tenants.identify(headers, "192.0.2.1")->scope, "anonymous");
}

}  // namespace
}  // namespace conciergus::llm

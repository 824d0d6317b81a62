#include "conciergus/llm/sha256.hpp"

#include <cstdlib>
#include <memory>

#include <openssl/evp.h>

namespace conciergus::llm {

CacheKey sha256(std::span<const std::string_view> parts) {
  // Fetching the algorithm by name costs as much as hashing a kilobyte, so it is done once.
  static EVP_MD* const kAlgorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  thread_local const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(
      EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  CacheKey key;
  auto* const digest = reinterpret_cast<unsigned char*>(key.digest.data());
  bool is_good = EVP_DigestInit_ex2(context.get(), kAlgorithm, nullptr) == 1;
  for (const std::string_view part : parts) {
    is_good = is_good && EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1;
  }
  if (!is_good || EVP_DigestFinal_ex(context.get(), digest, nullptr) != 1) {
    std::abort();  // no memory or no SHA-256: a key of zeros would mix up tenants
  }
  return key;
}

}  // namespace conciergus::llm

#pragma once
/// The request as it goes upstream: aliases resolved, translated where client and upstream speak
/// different protocols, with the key under which its answer is cached.
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "conciergus/base/result.hpp"
#include "conciergus/llm/cache_key.hpp"
#include "conciergus/llm/client_request.hpp"
#include "conciergus/llm/protocol.hpp"

namespace conciergus::llm {

/// Who is to answer.
struct Target {
  std::string provider;  ///< Its name in the configuration.
  Protocol protocol;     ///< Never kUiMessages.
  std::string model;     ///< As the upstream calls it.
  std::uint64_t default_max_tokens =
      4096;  ///< For messages, which require a limit, when none is given.
};

/// Immutable once made. Borrows `client`, which must outlive it.
class EffectiveRequest {
 public:
  /// Translates if need be. kInvalidRequest naming the field that the target's protocol cannot say.
  static Result<EffectiveRequest> make(const ClientRequest& client, Target target);

  const Target& target() const noexcept { return target_; }
  const RequestFacts& facts() const noexcept { return client_->facts(); }
  bool is_translated() const noexcept { return translated_ != nullptr; }
  /// The upstream's usage chunk was asked for by us alone and must not reach the client.
  bool strips_usage() const noexcept;

  /// The key within `scope`; nothing when there is no scope, or when the body is ambiguous.
  std::optional<CacheKey> key(std::string_view scope, std::span<const HeaderField> headers) const;

  /// The bytes to send. For one protocol on both sides these are the client's own with the model
  /// renamed and usage asked for; made on each call, as a cache hit needs none.
  std::string upstream_body() const;

 private:
  struct Translation {
    std::string text;
    JsonDocument document;
  };
  EffectiveRequest(const ClientRequest& client, Target target)
      : client_(&client), target_(std::move(target)) {}

  const ClientRequest* client_;
  Target target_;
  std::unique_ptr<Translation> translated_;
};

}  // namespace conciergus::llm

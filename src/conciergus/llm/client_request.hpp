#pragma once
/// A client's request as it came, read once: the facts that routing, caching and rendering need.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "conciergus/base/result.hpp"
#include "conciergus/llm/json_document.hpp"
#include "conciergus/llm/protocol.hpp"

namespace conciergus::llm {

/// What the request says about itself. Views live as long as the ClientRequest.
struct RequestFacts {
  std::string_view model{};  ///< As the client named it; empty when it did not.
  bool is_stream = false;
  bool wants_usage = true;  ///< A stream's usage chunk was asked for, or always belongs to it.
  std::optional<double> temperature{};  ///< When given explicitly.
  bool has_seed = false;
  std::uint64_t choices = 1;  ///< `n`.
  bool has_tools = false;
  bool is_deterministic = false;  ///< By its nature: embeddings.
  bool is_regeneration =
      false;                   ///< The user asked for another answer: skip the look-up, store over.
  std::string_view forbids{};  ///< Why it must not be cached or shared; empty when it may.
  std::string_view chat_id{};  ///< Of a UI request: what resume asks for.
};

/// Owns the body. May be moved: what the facts and values view stays where it is.
class ClientRequest {
 public:
  /// kInvalidRequest naming the byte offset for a body that is not JSON, or saying that it is no
  /// object.
  static Result<ClientRequest> parse(Protocol protocol,
                                     std::string body,
                                     const JsonBounds& bounds = {});

  Protocol protocol() const noexcept { return protocol_; }
  std::string_view body() const noexcept { return *body_; }
  JsonValue json() const noexcept { return document_.root(); }
  const RequestFacts& facts() const noexcept { return facts_; }

 private:
  ClientRequest(Protocol protocol, std::unique_ptr<std::string> body, JsonDocument document);

  Protocol protocol_;
  std::unique_ptr<std::string> body_;  // short strings would move with the object
  JsonDocument document_;
  RequestFacts facts_;
};

}  // namespace conciergus::llm

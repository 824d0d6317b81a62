#include "conciergus/llm/client_request.hpp"

#include "conciergus/llm/request_fields.hpp"

namespace conciergus::llm {
namespace {

RequestFacts read_facts(Protocol protocol, JsonValue request) {
  RequestFacts facts;
  facts.model = request["model"].text();
  facts.is_stream = protocol == Protocol::kUiMessages ||
                    (protocol != Protocol::kEmbeddings && request["stream"].is_true());
  if (protocol == Protocol::kChatCompletions) {
    facts.wants_usage = !facts.is_stream || request["stream_options"]["include_usage"].is_true();
    if (const JsonValue n = request["n"]; !n.is_nothing()) {
      facts.choices = n.unsigned_integer().value_or(2);  // whatever it is, it is not a plain 1
    }
  }
  facts.temperature = request["temperature"].number();
  facts.has_seed = !request["seed"].is_nothing();
  facts.has_tools = request["tools"].size() > 0 || request["functions"].size() > 0;
  facts.is_deterministic = protocol == Protocol::kEmbeddings;
  facts.forbids = forbidding_reason(protocol, request);
  if (protocol == Protocol::kUiMessages) {
    facts.is_regeneration = request["trigger"].text() == "regenerate-message";
    facts.chat_id = request["id"].text();
  }
  return facts;
}

}  // namespace

ClientRequest::ClientRequest(Protocol protocol,
                             std::unique_ptr<std::string> body,
                             JsonDocument document)
    : protocol_(protocol),
      body_(std::move(body)),
      document_(std::move(document)),
      facts_(read_facts(protocol, document_.root())) {}

Result<ClientRequest> ClientRequest::parse(Protocol protocol,
                                           std::string body,
                                           const JsonBounds& bounds) {
  auto kept = std::make_unique<std::string>(std::move(body));
  CONCIERGUS_TRY(JsonDocument document, JsonDocument::parse(*kept, bounds));
  if (!document.root().is(JsonKind::kObject)) {
    return fail(ErrorCode::kInvalidRequest, "the request body must be a JSON object");
  }
  return ClientRequest(protocol, std::move(kept), std::move(document));
}

}  // namespace conciergus::llm

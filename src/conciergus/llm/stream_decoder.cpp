#include "conciergus/llm/stream_decoder.hpp"

#include <algorithm>
#include <cstdlib>

#include "conciergus/llm/decoding.hpp"
#include "conciergus/llm/json_document.hpp"

namespace conciergus::llm {
namespace {

void decode_embeddings(JsonValue body, std::vector<Delta>& out) {
  if (body["data"].size() == 0) {
    out.push_back(delta::Failed{malformed("an answer without embeddings")});
    return;
  }
  out.push_back(delta::UsageReport{read_chat_usage(body["usage"])});
  out.push_back(delta::Finished{{.reason = FinishReason::kStop}});
  out.push_back(delta::Done{});
}

}  // namespace

std::unique_ptr<StreamDecoder> make_stream_decoder(Protocol upstream) {
  switch (upstream) {
    case Protocol::kChatCompletions:
      return make_chat_decoder();
    case Protocol::kMessages:
      return make_messages_decoder();
    case Protocol::kResponses:
      return make_responses_decoder();
    case Protocol::kEmbeddings:
    case Protocol::kUiMessages:
      break;
  }
  std::abort();
}

std::vector<Delta> decode_whole(Protocol upstream, std::string_view body) {
  std::vector<Delta> deltas;
  const auto document = JsonDocument::parse(body);
  if (!document) {
    deltas.push_back(delta::Failed{malformed(document.error().detail())});
    return deltas;
  }
  const JsonValue root = document->root();
  const JsonValue error = root["error"];
  if (!error.is_nothing() && !error.is(JsonKind::kFalse)) {
    deltas.push_back(delta::Failed{read_failure(error)});
    return deltas;
  }
  switch (upstream) {
    case Protocol::kChatCompletions:
      decode_whole_chat(root, deltas);
      break;
    case Protocol::kMessages:
      decode_whole_message(root, deltas);
      break;
    case Protocol::kResponses:
      decode_whole_response(root, deltas);
      break;
    case Protocol::kEmbeddings:
      decode_embeddings(root, deltas);
      break;
    case Protocol::kUiMessages:
      std::abort();
  }
  return deltas;
}

Failure decode_error(unsigned status, std::string_view body) {
  Failure failure{.status = status, .message = "The provider refused the request."};
  if (status >= 500) failure.message = "The provider failed.";
  const auto document = JsonDocument::parse(body);
  if (!document) return failure;
  const JsonValue root = document->root();
  // Some servers wrap their error in a list, some leave the wrapping object out.
  const JsonValue holder = root.is(JsonKind::kArray) && root.size() > 0 ? *root.begin() : root;
  const JsonValue error = holder["error"].is_nothing() ? holder : holder["error"];
  if (error.is(JsonKind::kString) || error["message"].is(JsonKind::kString)) {
    failure = read_failure(error);
    failure.status = status;
  }
  return failure;
}

bool is_usage_only(std::span<const Delta> deltas) noexcept {
  return !deltas.empty() && std::ranges::all_of(deltas, [](const Delta& delta) {
    return std::holds_alternative<delta::UsageReport>(delta);
  });
}

}  // namespace conciergus::llm

#include "conciergus/llm/effective_request.hpp"

#include <array>

#include "conciergus/llm/json_members.hpp"
#include "conciergus/llm/json_writer.hpp"
#include "conciergus/llm/translate_request.hpp"

namespace conciergus::llm {
namespace {

/// The client's `stream_options` with `include_usage` switched on.
std::string usage_options(std::string_view body) {
  static constexpr std::string_view kAsked = R"({"include_usage":true})";
  const auto members = json_members(body);
  if (!members) return std::string(kAsked);
  for (const JsonMember& member : *members) {
    if (member.name != "stream_options") continue;
    const JsonEdit edit{"include_usage", "true"};
    auto edited = edit_json_members(member.value, {&edit, 1});
    if (edited) return *std::move(edited);
  }
  return std::string(kAsked);
}

}  // namespace

Result<EffectiveRequest> EffectiveRequest::make(const ClientRequest& client, Target target) {
  EffectiveRequest request(client, std::move(target));
  if (client.protocol() == request.target_.protocol) return request;
  CONCIERGUS_TRY(std::string text,
                 translate_request(client.protocol(),
                                   request.target_.protocol,
                                   client.json(),
                                   {request.target_.model, request.target_.default_max_tokens}));
  request.translated_ = std::make_unique<Translation>(Translation{std::move(text), {}});
  CONCIERGUS_TRY(request.translated_->document, JsonDocument::parse(request.translated_->text));
  return request;
}

bool EffectiveRequest::strips_usage() const noexcept {
  return client_->protocol() == Protocol::kChatCompletions && !client_->facts().wants_usage;
}

std::optional<CacheKey> EffectiveRequest::key(std::string_view scope,
                                              std::span<const HeaderField> headers) const {
  if (scope.empty()) return std::nullopt;
  return make_cache_key({.scope = scope,
                         .protocol = target_.protocol,
                         .provider = target_.provider,
                         .model = target_.model,
                         .body = translated_ ? translated_->document.root() : client_->json(),
                         .headers = headers});
}

std::string EffectiveRequest::upstream_body() const {
  if (translated_) return translated_->text;
  std::array<JsonEdit, 2> edits;
  std::size_t count = 0;
  std::string model;
  if (target_.model != client_->facts().model) {
    append_json_string(model, target_.model);
    edits[count++] = {"model", model};
  }
  std::string options;
  if (strips_usage()) {
    options = usage_options(client_->body());
    edits[count++] = {"stream_options", options};
  }
  auto edited = edit_json_members(client_->body(), std::span(edits).first(count));
  return edited ? *std::move(edited) : std::string(client_->body());
}

}  // namespace conciergus::llm

#pragma once
/// The LLM routes of a gateway on a test's own thread: tenants, handlers, cache and hub, everything
/// but the server in front.
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "conciergus/cache/memory_store.hpp"
#include "conciergus/codec/sse.hpp"
#include "conciergus/llm/chat_handler.hpp"
#include "conciergus/llm/models_handler.hpp"
#include "conciergus/llm/tenant.hpp"
#include "conciergus/llm/ui_chat_handler.hpp"
#include "support/test_shard.hpp"

namespace conciergus {

/// A request's body that is already there.
class TextReader final : public http::BodyReader {
 public:
  explicit TextReader(std::string text) : text_(std::move(text)) {}
  Task<Result<std::string_view>> read() override {
    if (std::exchange(is_read_, true)) co_return std::string_view{};
    co_return text_;
  }

 private:
  std::string text_;
  bool is_read_ = false;
};

/// A response, read to its end.
struct Reply {
  unsigned status = 0;
  http::Headers headers;
  std::string body;
  bool is_cut = false;  ///< The body ended with an error.

  /// The data of all events.
  std::vector<std::string> events() const {
    std::vector<std::string> found;
    codec::SseParser parser;
    parser.push(body);
    parser.finish();
    for (;;) {
      const auto event = parser.next();
      if (!event || !*event) return found;
      if ((*event)->has_data) found.emplace_back((*event)->data);
    }
  }
  std::string cache() const { return std::string(headers.get("cache-status")); }
};

class LlmGateway {
 public:
  explicit LlmGateway(llm::LlmConfig config) {
    runtime::Shard* const shard = &shard_.get();
    auto made = llm::LlmEngine::make(std::move(config), {&shard, 1}, {store_, hub_, resume_});
    EXPECT_TRUE(made.has_value()) << made.error().to_string();
    engine_ = *std::move(made);
    tenants_.push_back(std::make_unique<llm::TenantMiddleware>(engine_->shared_tenants()));
  }
  ~LlmGateway() {
    shard_.run([this]() -> Task<void> {
      co_await engine_->stop(shard_.get(), Deadline(shard_.get().now()));
    });
  }

  /// One with the simulated provider, answering at once.
  static llm::LlmConfig simulated() {
    llm::LlmConfig config;
    llm::ProviderConfig provider;
    provider.name = "simulated";
    provider.kind = llm::ProviderKind::kSimulated;
    provider.simulated.instant = true;
    config.providers.push_back(std::move(provider));
    return config;
  }

  TestShard& shard() noexcept { return shard_; }
  const std::shared_ptr<llm::LlmEngine>& engine() noexcept { return engine_; }
  std::uint64_t count(std::string_view name, const observe::Labels& labels = {}) {
    return shard_.metrics().counter(name, "", labels).value();
  }
  std::uint64_t attempts(std::string_view provider, std::string_view outcome) {
    return count("conciergus_llm_attempts_total",
                 {{"provider", std::string(provider)}, {"outcome", std::string(outcome)}});
  }

  using Fields = std::initializer_list<http::HeaderField>;

  /// On the shard: a request and all of its answer.
  Task<Reply> ask(llm::Protocol protocol, std::string body, Fields headers = {}) {
    const llm::ChatHandler handler(engine_, protocol);
    co_return co_await send(
        handler, "POST", std::string(llm::endpoint(protocol)), std::move(body), headers, {});
  }
  Task<Reply> send(const http::Handler& handler,
                   std::string method,
                   std::string path,
                   std::string body,
                   http::Headers headers,
                   std::vector<std::string> parameters) {
    TextReader reader(std::move(body));
    const net::Endpoint peer{.address = "127.0.0.1", .is_loopback = true};
    http::RequestContext context{
        .shard = shard_.get(), .peer = peer, .started = shard_.get().now()};
    context.request_id = "req-1";
    context.path_parameters = std::move(parameters);
    http::Request request;
    request.method = std::move(method);
    request.target = std::move(path);
    request.headers = std::move(headers);
    request.body = &reader;
    Reply reply;
    auto response = co_await http::Next(tenants_, handler).run(context, request);
    if (!response) {
      reply.is_cut = true;
      co_return reply;
    }
    reply.status = response->status;
    reply.headers = response->headers;
    reply.body = response->body.text();
    auto* const stream = response->body.stream();
    while (stream) {
      const auto piece = co_await stream->read();
      reply.is_cut = !piece;
      if (!piece || piece->empty()) break;
      reply.body += *piece;
    }
    co_return reply;
  }
  /// From the test: the same, waited for.
  Reply ask_now(llm::Protocol protocol, std::string body, Fields headers = {}) {
    Reply reply;
    shard_.run([&]() -> Task<void> { reply = co_await ask(protocol, body, headers); });
    return reply;
  }

 private:
  TestShard shard_;
  cache::MemoryStore store_{shard_.get().clock(), cache::CacheMetrics(shard_.metrics(), "test")};
  llm::StreamHub hub_{shard_.metrics()};
  llm::ResumeRegistry resume_{shard_.get().clock(), shard_.metrics()};
  std::shared_ptr<llm::LlmEngine> engine_;
  std::vector<std::unique_ptr<http::Middleware>> tenants_;
};

/// A question in each protocol; `rest` are further members, with a comma in front.
inline std::string question_in(llm::Protocol protocol,
                               std::string_view model,
                               bool is_stream,
                               std::string_view text = "hello",
                               std::string_view rest = "") {
  const std::string tail =
      std::string(is_stream ? R"(,"stream":true)" : "") + std::string(rest) + "}";
  const std::string head = R"({"model":")" + std::string(model) + R"(",)";
  const std::string said(text);
  switch (protocol) {
    case llm::Protocol::kMessages:
      return head + R"("max_tokens":500,"messages":[{"role":"user","content":")" + said + R"("}])" +
             tail;
    case llm::Protocol::kResponses:
      return head + R"("input":")" + said + "\"" + tail;
    case llm::Protocol::kEmbeddings:
      return head + R"("input":")" + said + "\"}";
    case llm::Protocol::kUiMessages:
      return head +
             R"("id":"chat-1","trigger":"submit-message","messages":[{"id":"u1","role":"user","parts":[{"type":"text","text":")" +
             said + R"("}]}])" + std::string(rest) + "}";
    case llm::Protocol::kChatCompletions:
      return head + R"("messages":[{"role":"user","content":")" + said + R"("}])" + tail;
  }
  return {};
}

}  // namespace conciergus

#include "conciergus/llm/models_handler.hpp"

#include <algorithm>

#include "conciergus/codec/http_date.hpp"
#include "conciergus/llm/json_writer.hpp"
#include "conciergus/runtime/with_deadline.hpp"

namespace conciergus::llm {
namespace {

constexpr std::size_t kMaxModels = 1'000;
constexpr std::size_t kMaxListBytes = 2u << 20;
constexpr std::chrono::minutes kRefreshEvery{5};
constexpr std::chrono::seconds kWait{3};

std::string openai_list(const std::vector<ListedModel>& models) {
  std::string json;
  JsonWriter out(json);
  out.begin_object().member("object", "list").name("data").begin_array();
  for (const ListedModel& model : models) {
    out.begin_object().member("id", model.name).member("object", "model");
    out.member("created", model.created).member("owned_by", model.owner).end_object();
  }
  out.end_array().end_object();
  return json;
}

std::string anthropic_list(const std::vector<ListedModel>& models) {
  std::string json;
  JsonWriter out(json);
  out.begin_object().name("data").begin_array();
  for (const ListedModel& model : models) {
    const Clock::WallTime created{std::chrono::seconds(model.created)};
    out.begin_object().member("type", "model").member("id", model.name);
    out.member("display_name", model.name);
    out.member("created_at", codec::format_rfc3339(created)).end_object();
  }
  out.end_array().member("has_more", false);
  if (models.empty()) {
    out.null_member("first_id").null_member("last_id");
  } else {
    out.member("first_id", models.front().name).member("last_id", models.back().name);
  }
  out.end_object();
  return json;
}

}  // namespace

std::vector<ListedModel> parse_model_list(std::string_view body,
                                          std::string_view owner,
                                          std::size_t limit) {
  std::vector<ListedModel> models;
  const auto document = JsonDocument::parse(body);
  if (!document) return models;
  for (const JsonValue item : document->root()["data"]) {
    const std::string_view name = item["id"].text();
    if (name.empty() || name.size() > 256) continue;
    if (models.size() == limit) break;
    const auto created = item["created"].unsigned_integer().value_or(0);
    models.push_back({std::string(name), std::string(owner), static_cast<std::int64_t>(created)});
  }
  return models;
}

ModelsHandler::ModelsHandler(std::shared_ptr<const LlmEngine> engine)
    : engine_(std::move(engine)), known_(engine_->config().providers.size()) {
  for (std::size_t i = 0; i < known_.size(); ++i) {
    const ProviderConfig& provider = engine_->config().providers[i];
    for (const std::string& name : provider.models) {
      known_[i].models.push_back({name, provider.name, 0});
    }
  }
}

Task<void> ModelsHandler::refresh(runtime::Shard& shard, std::size_t provider) const {
  {
    const std::lock_guard lock(mutex_);
    if (shard.now() < known_[provider].refresh_at) co_return;
    known_[provider].refresh_at = shard.now() + kRefreshEvery;  // others do not ask meanwhile
  }
  Provider& asked = engine_->on(shard).provider(provider);
  const Deadline deadline(shard.now() + kWait);
  const http::CallLimits limits{
      .connect = kWait, .head = kWait, .idle = kWait, .deadline = deadline};
  auto response = co_await asked.list_models({}, limits);
  if (!response || response->status != 200) co_return;
  std::string body(response->body.text());
  if (auto* const stream = response->body.stream()) {
    auto read = co_await runtime::with_deadline(http::read_all(*stream, kMaxListBytes), deadline);
    if (!read) co_return;
    body = *std::move(read);
  }
  auto models = parse_model_list(body, asked.name(), kMaxModels);
  if (models.empty()) co_return;
  const std::lock_guard lock(mutex_);
  known_[provider].models = std::move(models);
}

Task<Result<http::Response>> ModelsHandler::handle(http::RequestContext& context,
                                                   http::Request& request) const {
  std::vector<ListedModel> models;
  for (const std::string& name : engine_->models().names()) {
    models.push_back({name, "conciergus", 0});
  }
  for (std::size_t i = 0; i < known_.size(); ++i) {
    co_await refresh(context.shard, i);
    const std::string& provider = engine_->config().providers[i].name;
    const std::lock_guard lock(mutex_);
    for (const ListedModel& model : known_[i].models) {
      // Only what a request of that name would really get from this provider.
      const auto route = engine_->models().resolve(model.name, Protocol::kChatCompletions);
      const bool is_served = std::ranges::any_of(
          route.choices, [&](const auto& choice) { return choice.provider == i; });
      const auto is_same = [&](const ListedModel& listed) { return listed.name == model.name; };
      if (is_served && std::ranges::none_of(models, is_same)) {
        models.push_back({model.name, provider, model.created});
      }
    }
  }
  std::erase_if(models, [&](const ListedModel& model) {
    return !engine_->tenants().may_use(context.scope, model.name);
  });
  const bool is_anthropic = request.headers.contains("anthropic-version");
  co_return http::make_response(
      200, "application/json", is_anthropic ? anthropic_list(models) : openai_list(models));
}

}  // namespace conciergus::llm

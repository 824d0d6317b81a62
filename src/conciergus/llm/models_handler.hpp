#pragma once
/// GET /v1/models: the models of the map, and those that providers list themselves where a pattern
/// lets any of theirs through. In OpenAI's form, or in Anthropic's for a client that sends
/// `anthropic-version`.
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "conciergus/http/handler.hpp"
#include "conciergus/llm/llm_engine.hpp"

namespace conciergus::llm {

struct ListedModel {
  std::string name;
  std::string owner;
  std::int64_t created = 0;
};

/// What a provider's list says; at most `limit` models. Nothing when it is no such list.
std::vector<ListedModel> parse_model_list(std::string_view body,
                                          std::string_view owner,
                                          std::size_t limit);

/// Const and thread-safe. A provider is asked at most once in five minutes, by one request at a
/// time, and for at most three seconds; meanwhile, and when it cannot be reached, what is known
/// goes out.
class ModelsHandler final : public http::Handler {
 public:
  explicit ModelsHandler(std::shared_ptr<const LlmEngine> engine);
  Task<Result<http::Response>> handle(http::RequestContext& context,
                                      http::Request& request) const override;

 private:
  struct Known {
    std::vector<ListedModel> models;
    Clock::Instant refresh_at{};
  };
  Task<void> refresh(runtime::Shard& shard, std::size_t provider) const;

  const std::shared_ptr<const LlmEngine> engine_;
  mutable std::mutex mutex_;
  mutable std::vector<Known> known_;  // by provider
};

}  // namespace conciergus::llm

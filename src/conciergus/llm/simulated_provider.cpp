#include "conciergus/llm/simulated_provider.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "conciergus/llm/json_writer.hpp"
#include "conciergus/llm/simulated_script.hpp"

namespace conciergus::llm {
namespace {

using namespace std::chrono_literals;
using Fault = SimulatedFaultKind;

constexpr std::size_t kMaxRequestBytes = 32u << 20;

http::Response json_response(unsigned status, std::string body) {
  return http::make_response(status, "application/json", std::move(body));
}

Task<void> keep_silent() {
  asio::steady_timer timer{co_await asio::this_coro::executor};
  for (;;) {
    timer.expires_after(1h);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

/// The faults that need no answer.
std::optional<http::Response> plain_fault(Protocol protocol, const SimulatedFault& fault) {
  switch (fault.kind) {
    case Fault::kStatus: {
      const auto status = static_cast<unsigned>(fault.value);
      auto response = json_response(status, error_body(protocol, status, "simulated failure"));
      if (!fault.retry_after.empty()) response.headers.add("retry-after", fault.retry_after);
      if (!fault.retry_after_ms.empty()) {
        response.headers.add("retry-after-ms", fault.retry_after_ms);
      }
      return response;
    }
    case Fault::kHtml:
      return http::make_response(200, "text/html", "<!doctype html><title>Welcome</title>");
    case Fault::kRedirect: {
      auto response = http::make_response(307, "text/plain", "");
      response.headers.add("location", "http://127.0.0.1:9/elsewhere");
      return response;
    }
    default:
      return std::nullopt;
  }
}

/// Splits "simulated!cut=3" into the model and its fault; the header decides when both are there.
Result<SimulatedFault> wanted_fault(const http::Headers& headers, std::string_view& model) {
  const auto mark = model.find('!');
  std::string_view text = headers.get("x-sim-fault");
  if (mark != std::string_view::npos) {
    if (text.empty()) text = model.substr(mark + 1);
    model = model.substr(0, mark);
  }
  if (text.empty()) return SimulatedFault{};
  return SimulatedFault::parse(text);
}

http::Response played(std::string_view content_type, SimulatedScript script) {
  http::Response response;
  response.headers.add("content-type", content_type);
  std::unique_ptr<http::BodyReader> body = std::make_unique<SimulatedBody>(std::move(script));
  response.body = std::move(body);
  return response;
}

void make_empty(SimulatedAnswer& answer) {
  answer.text.clear();
  answer.reasoning.clear();
  answer.tool_call.reset();
}

}  // namespace

http::Response SimulatedProvider::list_models(std::int64_t now) const {
  std::string json;
  JsonWriter out(json);
  out.begin_object().member("object", "list").name("data").begin_array();
  for (const std::string& model : config_.models) {
    out.begin_object().member("id", model).member("object", "model").member("created", now);
    out.member("owned_by", "conciergus-simulation").end_object();
  }
  out.end_array().end_object();
  return json_response(200, std::move(json));
}

Task<Result<http::Response>> SimulatedProvider::handle(http::RequestContext& context,
                                                       http::Request& request) const {
  const auto now = std::chrono::system_clock::to_time_t(context.shard.clock().wall_now());
  if (request.method == "GET" && request.path() == "/v1/models") co_return list_models(now);
  const auto protocol = protocol_at(request.path());
  if (request.method != "POST" || !protocol || *protocol == Protocol::kUiMessages) {
    co_return json_response(
        404,
        error_body(Protocol::kChatCompletions, 404, "The simulated provider has no such path."));
  }
  CONCIERGUS_CO_TRY(const std::string body,
                    co_await http::read_all(*request.body, kMaxRequestBytes));
  const auto document = JsonDocument::parse(body);
  if (!document) {
    co_return json_response(400, error_body(*protocol, 400, document.error().detail()));
  }
  const JsonValue json = document->root();
  std::string_view model = json["model"].text();
  const auto fault = wanted_fault(request.headers, model);
  if (!fault) co_return json_response(400, error_body(*protocol, 400, fault.error().detail()));
  if (fault->is(Fault::kSilence)) co_await keep_silent();
  if (auto response = plain_fault(*protocol, *fault)) co_return std::move(*response);
  if (*protocol == Protocol::kEmbeddings) {
    co_return json_response(200, simulated_embeddings(json, model, config_.seed));
  }

  const SimulatedQuestion question = read_question(*protocol, json);
  SimulatedAnswer answer = compose_answer(question, model, config_.seed, now);
  if (fault->is(Fault::kLength)) answer.is_cut_short = true;
  if (fault->is(Fault::kFiltered)) answer.is_filtered = true;
  if (fault->is(Fault::kBadArguments) && answer.tool_call) answer.tool_call->arguments = "{\"x\": ";
  if (fault->is(Fault::kEmpty)) make_empty(answer);

  SimulatedPace pace(config_, stable_hash(question.text, config_.seed));
  const bool is_stream =
      (json["stream"].is_true() || fault->is(Fault::kStream)) && !fault->is(Fault::kWhole);
  if (!is_stream) {
    co_return played("application/json", script_whole(*protocol, answer, *fault, pace));
  }
  const bool includes_usage = json["stream_options"]["include_usage"].is_true();
  co_return played("text/event-stream; charset=utf-8",
                   script_stream(*protocol, answer, includes_usage, *fault, pace));
}

}  // namespace conciergus::llm

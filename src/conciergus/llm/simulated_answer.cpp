#include "conciergus/llm/simulated_answer.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "conciergus/base/random.hpp"
#include "conciergus/base/text.hpp"
#include "conciergus/llm/json_writer.hpp"

namespace conciergus::llm {
namespace {

constexpr std::size_t kQuotedBytes = 300;  // of the question, restated in the answer

/// The text of a `content`: a string, or an array of parts with `text` or `content`.
std::string text_of(JsonValue content) {
  if (const auto text = content.string()) return std::string(*text);
  std::string joined;
  for (const JsonValue part : content) {
    std::string piece = part["text"] ? std::string(part["text"].text()) : text_of(part["content"]);
    if (!joined.empty() && !piece.empty()) joined += '\n';
    joined += piece;
  }
  return joined;
}

void read_message(JsonValue message, SimulatedQuestion& into) {
  const std::string_view role = message["role"].text();
  const std::string_view type = message["type"].text();
  std::string text = text_of(message["content"]);
  if (type == "function_call_output") text = text_of(message["output"]);
  into.bytes += text.size();
  ++into.turns;

  bool is_tool_result = role == "tool" || type == "function_call_output";
  for (const JsonValue part : message["content"]) {
    is_tool_result = is_tool_result || part["type"].text() == "tool_result";
  }
  if (is_tool_result) {
    into.tool_result = text.empty() ? "(nothing)" : std::move(text);
  } else if (role == "user") {
    into.text = std::move(text);
    into.tool_result.clear();
  }
}

void read_tool(JsonValue tool, SimulatedQuestion& into) {
  // Chat completions nest the function, responses and messages do not.
  const JsonValue function = tool["function"] ? tool["function"] : tool;
  const std::string_view name = function["name"].text();
  if (name.empty()) return;
  into.tools.push_back(
      {name, tool["input_schema"] ? tool["input_schema"] : function["parameters"]});
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), ascii_lower);
  return out;
}

/// True when the question speaks of the tool: of a word of its name, or of tools as such.
bool is_about(std::string_view lower_question, std::string_view tool) {
  if (lower_question.find("tool") != std::string_view::npos) return true;
  const std::string name = lower(tool);
  std::size_t begin = 0;
  while (begin < name.size()) {
    const std::size_t end = std::min(name.find_first_of("_-. ", begin), name.size());
    const std::string_view word = std::string_view(name).substr(begin, end - begin);
    if (word.size() >= 4 && lower_question.find(word) != std::string_view::npos) return true;
    begin = end + 1;
  }
  return false;
}

const SimulatedQuestion::Tool* chosen_tool(const SimulatedQuestion& question) {
  if (question.tools.empty() || !question.tool_result.empty()) return nullptr;
  const std::string text = lower(question.text);
  const auto found = std::ranges::find_if(
      question.tools, [&](const auto& tool) { return is_about(text, tool.name); });
  if (found != question.tools.end()) return &*found;
  return question.must_call_tool ? &question.tools.front() : nullptr;
}

/// The last word of the question that begins with a capital, as a place or a name does.
std::string_view subject_of(std::string_view question) {
  std::string_view found = "something";
  std::size_t begin = 0;
  while (begin < question.size()) {
    const std::size_t end =
        std::min(question.find_first_of(" \t\n,.?!:;\"'()", begin), question.size());
    const std::string_view word = question.substr(begin, end - begin);
    if (!word.empty() && word.front() >= 'A' && word.front() <= 'Z') found = word;
    begin = end + 1;
  }
  return found;
}

/// A value that fits the schema, as far as type and enum say what fits.
void write_argument(JsonWriter& out, JsonValue schema, std::string_view subject) {
  if (schema["enum"].size() > 0) {
    out.value(*schema["enum"].begin());
    return;
  }
  const std::string_view type = schema["type"].text();
  if (type == "number" || type == "integer") {
    out.number(1);
  } else if (type == "boolean") {
    out.boolean(true);
  } else if (type == "array") {
    out.begin_array().end_array();
  } else if (type == "object") {
    out.begin_object().end_object();
  } else {
    out.string(subject);
  }
}

std::string make_arguments(JsonValue schema, std::string_view subject) {
  std::string json;
  JsonWriter out(json);
  out.begin_object();
  for (const JsonValue property : schema["properties"]) {
    out.name(property.name());
    write_argument(out, property, subject);
  }
  out.end_object();
  return json;
}

/// At most `limit` bytes, on one line, without cutting a character in two.
std::string excerpt(std::string_view text, std::size_t limit) {
  std::string out(text.substr(0, limit));
  if (text.size() > limit) {
    while (!out.empty() && (static_cast<unsigned char>(out.back()) & 0xc0) == 0x80) out.pop_back();
    if (!out.empty() && static_cast<unsigned char>(out.back()) >= 0xc0) out.pop_back();
    out += "…";
  }
  std::ranges::replace(out, '\n', ' ');
  return out;
}

constexpr std::array<std::string_view, 4> kOpenings{"Here is a simulated answer",
                                                    "This answer is simulated",
                                                    "A simulated reply follows",
                                                    "What you read is simulated"};
constexpr std::array<std::string_view, 4> kPoints{
    "The answer depends on the question alone, so that the same question gives the same words.",
    "It arrives token by token, at a pace like that of a real model.",
    "Repeated questions come from the cache, simultaneous ones share one call.",
    "Tokens are counted, so that usage and cost can be seen without spending anything."};

std::string compose_text(const SimulatedQuestion& question, Random& random) {
  const std::string quoted = excerpt(question.text, kQuotedBytes);
  if (!question.tool_result.empty()) {
    return fmt::format(
        "The tool answered: {}\n\nThat is all a simulated model can make of it: no real model was "
        "asked.",
        excerpt(question.tool_result, kQuotedBytes));
  }
  std::string text = fmt::format("{}: no real model was asked.\n\nYou wrote:\n\n> {}\n\n",
                                 kOpenings[random.below(kOpenings.size())],
                                 quoted.empty() ? "(nothing)" : quoted);
  const std::string asked = lower(question.text);
  const bool wants_code = asked.find("code") != std::string::npos ||
                          asked.find("function") != std::string::npos ||
                          asked.find("program") != std::string::npos;
  if (wants_code) {
    text +=
        "Some code, to see how it is rendered:\n\n```python\ndef answer(question):\n"
        "    return \"simulated: \" + question\n```\n\n";
  }
  text += "**What can be seen here**\n\n";
  const std::size_t first = random.below(kPoints.size());
  for (std::size_t i = 0; i < 3; ++i) {
    text += fmt::format("{}. {}\n", i + 1, kPoints[(first + i) % kPoints.size()]);
  }
  text += fmt::format("\nThis conversation has {} message{} so far.",
                      question.turns,
                      question.turns == 1 ? "" : "s");
  return text;
}

std::string join(const std::vector<std::string>& pieces) {
  std::string joined;
  for (const std::string& piece : pieces) joined += piece;
  return joined;
}

}  // namespace

std::uint64_t stable_hash(std::string_view text, std::uint64_t seed) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325 ^ seed;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3;
  }
  return hash;
}

std::vector<std::string> split_tokens(std::string_view text) {
  std::vector<std::string> tokens;
  std::size_t begin = 0;
  while (begin < text.size()) {
    std::size_t end = text.find_first_of(" \n", begin);
    end = end == std::string_view::npos ? text.size() : end + 1;
    tokens.emplace_back(text.substr(begin, end - begin));
    begin = end;
  }
  return tokens;
}

std::string SimulatedAnswer::whole_text() const {
  return join(text);
}
std::string SimulatedAnswer::whole_reasoning() const {
  return join(reasoning);
}

SimulatedQuestion read_question(Protocol protocol, JsonValue request) {
  SimulatedQuestion question;
  const bool is_responses = protocol == Protocol::kResponses;
  const JsonValue messages = request[is_responses ? "input" : "messages"];
  if (const auto text = messages.string()) {
    question.text = *text;
    question.bytes = text->size();
    question.turns = 1;
  } else {
    for (const JsonValue message : messages) read_message(message, question);
  }
  question.bytes += text_of(request["system"]).size() + request["instructions"].text().size();
  for (const JsonValue tool : request["tools"]) read_tool(tool, question);

  const JsonValue choice = request["tool_choice"];
  question.must_call_tool = choice.text() == "required" || choice["type"].text() == "any" ||
                            choice["type"].text() == "tool" || choice["type"].text() == "function";
  question.wants_reasoning = !request["reasoning_effort"].is_nothing() ||
                             !request["reasoning"].is_nothing() ||
                             request["thinking"]["type"].text() == "enabled";
  for (const char* const name : {"max_tokens", "max_completion_tokens", "max_output_tokens"}) {
    if (const auto limit = request[name].unsigned_integer()) question.max_tokens = limit;
  }
  return question;
}

SimulatedAnswer compose_answer(const SimulatedQuestion& question,
                               std::string_view model,
                               std::uint64_t seed,
                               std::int64_t created) {
  const std::uint64_t hash = stable_hash(question.text + question.tool_result, seed);
  Random random(hash);
  SimulatedAnswer answer;
  answer.id = fmt::format("sim-{:016x}", random());
  answer.model = model;
  answer.created = created;
  if (question.wants_reasoning) {
    answer.reasoning = split_tokens(
        "Let me see what is being asked. I am a simulation, so there is nothing to think about. ");
  }
  if (const auto* const tool = chosen_tool(question)) {
    answer.tool_call = SimulatedAnswer::ToolCall{
        .id = fmt::format("call_{:016x}", random()),
        .name = std::string(tool->name),
        .arguments = make_arguments(tool->parameters, subject_of(question.text))};
  } else {
    answer.text = split_tokens(compose_text(question, random));
    if (question.max_tokens && answer.text.size() > *question.max_tokens) {
      answer.text.resize(*question.max_tokens);
      answer.is_cut_short = true;
    }
  }
  answer.input_tokens = question.bytes / 4 + 4 * question.turns + 1;  // about as tokenisers do
  answer.reasoning_tokens = answer.reasoning.size();
  answer.output_tokens = answer.text.size() + answer.reasoning.size() +
                         (answer.tool_call ? answer.tool_call->arguments.size() / 4 + 8 : 0);
  return answer;
}

}  // namespace conciergus::llm

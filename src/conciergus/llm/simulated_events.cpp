#include "conciergus/llm/simulated_events.hpp"

#include <fmt/format.h>

#include "conciergus/llm/json_writer.hpp"

namespace conciergus::llm {
namespace {

using Kind = SimulatedEvent::Kind;

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string_view chat_finish(const SimulatedAnswer& answer) {
  if (answer.is_filtered) return "content_filter";
  if (answer.is_cut_short) return "length";
  return answer.tool_call ? "tool_calls" : "stop";
}

std::string_view messages_stop(const SimulatedAnswer& answer) {
  if (answer.is_filtered) return "refusal";
  if (answer.is_cut_short) return "max_tokens";
  return answer.tool_call ? "tool_use" : "end_turn";
}

std::string chat_usage(const SimulatedAnswer& answer) {
  return fmt::format(
      R"({{"prompt_tokens":{},"completion_tokens":{},"total_tokens":{},"prompt_tokens_details":{{"cached_tokens":0}},"completion_tokens_details":{{"reasoning_tokens":{}}}}})",
      answer.input_tokens,
      answer.output_tokens,
      answer.input_tokens + answer.output_tokens,
      answer.reasoning_tokens);
}

std::string responses_usage(const SimulatedAnswer& answer) {
  return fmt::format(
      R"({{"input_tokens":{},"input_tokens_details":{{"cached_tokens":0}},"output_tokens":{},"output_tokens_details":{{"reasoning_tokens":{}}},"total_tokens":{}}})",
      answer.input_tokens,
      answer.output_tokens,
      answer.reasoning_tokens,
      answer.input_tokens + answer.output_tokens);
}

/// Collects the events of one stream.
class Events {
 public:
  explicit Events(const SimulatedAnswer& answer) : answer_(answer) {}

  void data(Kind kind, std::string_view json) {
    out_.push_back({kind, fmt::format("data: {}\n\n", json)});
  }
  void named(Kind kind, std::string_view name, std::string_view json) {
    out_.push_back({kind, fmt::format("event: {}\ndata: {}\n\n", name, json)});
  }
  void chat(Kind kind, std::string_view delta, std::string_view finish = "null") {
    data(
        kind,
        fmt::format(
            R"({{"id":"{}","object":"chat.completion.chunk","created":{},"model":{},"choices":[{{"index":0,"delta":{},"finish_reason":{}}}]}})",
            answer_.id,
            answer_.created,
            quoted(answer_.model),
            delta,
            finish));
  }
  /// `members` follow the type and, in the responses protocol, the number.
  void message(Kind kind, std::string_view type, std::string_view members) {
    named(kind, type, fmt::format(R"({{"type":"{}"{}}})", type, members));
  }
  void response(Kind kind, std::string_view type, std::string_view members) {
    named(kind,
          type,
          fmt::format(R"({{"type":"{}","sequence_number":{}{}}})", type, sequence_++, members));
  }
  std::vector<SimulatedEvent> take() { return std::move(out_); }

 private:
  const SimulatedAnswer& answer_;
  std::vector<SimulatedEvent> out_;
  std::uint64_t sequence_ = 0;
};

/// Tool arguments leave in pieces of twelve bytes, as tokens would.
template <class Send>
void in_pieces(std::string_view text, Send send) {
  for (; !text.empty(); text.remove_prefix(std::min<std::size_t>(12, text.size()))) {
    send(text.substr(0, 12));
  }
}

std::vector<SimulatedEvent> chat_stream(const SimulatedAnswer& answer,
                                        const SimulatedFinish& finish) {
  Events out(answer);
  out.chat(Kind::kOpening, R"({"role":"assistant","content":""})");
  for (const std::string& token : answer.reasoning) {
    out.chat(Kind::kContent, fmt::format(R"({{"reasoning_content":{}}})", quoted(token)));
  }
  for (const std::string& token : answer.text) {
    out.chat(Kind::kContent, fmt::format(R"({{"content":{}}})", quoted(token)));
  }
  if (answer.tool_call) {
    out.chat(
        Kind::kContent,
        fmt::format(
            R"({{"tool_calls":[{{"index":0,"id":"{}","type":"function","function":{{"name":{},"arguments":""}}}}]}})",
            answer.tool_call->id,
            quoted(answer.tool_call->name)));
    in_pieces(answer.tool_call->arguments, [&](std::string_view piece) {
      out.chat(Kind::kContent,
               fmt::format(R"({{"tool_calls":[{{"index":0,"function":{{"arguments":{}}}}}]}})",
                           quoted(piece)));
    });
  }
  if (finish.has_reason) out.chat(Kind::kClosing, "{}", quoted(chat_finish(answer)));
  if (finish.includes_usage) {
    out.data(
        Kind::kClosing,
        fmt::format(
            R"({{"id":"{}","object":"chat.completion.chunk","created":{},"model":{},"choices":[],"usage":{}}})",
            answer.id,
            answer.created,
            quoted(answer.model),
            chat_usage(answer)));
  }
  out.data(Kind::kTerminal, "[DONE]");
  return out.take();
}

std::vector<SimulatedEvent> message_stream(const SimulatedAnswer& answer,
                                           const SimulatedFinish& finish) {
  Events out(answer);
  int index = 0;
  const auto block = [&](std::string_view start, const auto& write_deltas) {
    out.message(Kind::kOpening,
                "content_block_start",
                fmt::format(R"(,"index":{},"content_block":{})", index, start));
    write_deltas();
    out.message(Kind::kClosing, "content_block_stop", fmt::format(R"(,"index":{})", index++));
  };
  const auto delta = [&](std::string_view type, std::string_view field, std::string_view text) {
    out.message(
        Kind::kContent,
        "content_block_delta",
        fmt::format(
            R"(,"index":{},"delta":{{"type":"{}","{}":{}}})", index, type, field, quoted(text)));
  };

  out.message(
      Kind::kOpening,
      "message_start",
      fmt::format(
          R"(,"message":{{"id":"{}","type":"message","role":"assistant","model":{},"content":[],"stop_reason":null,"stop_sequence":null,"usage":{{"input_tokens":{},"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":1}}}})",
          answer.id,
          quoted(answer.model),
          answer.input_tokens));
  if (!answer.reasoning.empty()) {
    block(R"({"type":"thinking","thinking":"","signature":""})", [&] {
      for (const std::string& token : answer.reasoning) delta("thinking_delta", "thinking", token);
      delta("signature_delta", "signature", "c2ltdWxhdGVk");
    });
  }
  if (!answer.text.empty()) {
    block(R"({"type":"text","text":""})", [&] {
      for (const std::string& token : answer.text) delta("text_delta", "text", token);
    });
  }
  if (answer.tool_call) {
    block(fmt::format(R"({{"type":"tool_use","id":"{}","name":{},"input":{{}}}})",
                      answer.tool_call->id,
                      quoted(answer.tool_call->name)),
          [&] {
            in_pieces(answer.tool_call->arguments, [&](std::string_view piece) {
              delta("input_json_delta", "partial_json", piece);
            });
          });
  }
  const std::string reason = finish.has_reason ? quoted(messages_stop(answer)) : "null";
  out.message(
      Kind::kClosing,
      "message_delta",
      fmt::format(
          R"(,"delta":{{"stop_reason":{},"stop_sequence":null}},"usage":{{"output_tokens":{}}})",
          reason,
          answer.output_tokens));
  out.message(Kind::kTerminal, "message_stop", "");
  return out.take();
}

/// The response object with its output as far as it has come.
std::string response_object(const SimulatedAnswer& answer, bool is_done) {
  std::string json;
  JsonWriter out(json);
  const bool is_whole = !answer.is_cut_short && !answer.is_filtered;
  out.begin_object().member("id", "resp_" + answer.id).member("object", "response");
  out.member("created_at", answer.created);
  out.member("status", !is_done ? "in_progress" : is_whole ? "completed" : "incomplete");
  out.null_member("error");
  if (is_done && !is_whole) {
    out.name("incomplete_details").begin_object();
    out.member("reason", answer.is_filtered ? "content_filter" : "max_output_tokens").end_object();
  } else {
    out.null_member("incomplete_details");
  }
  out.member("model", answer.model).name("output").begin_array();
  if (is_done && !answer.reasoning.empty()) {
    out.raw(fmt::format(
        R"({{"id":"rs_{}","type":"reasoning","summary":[{{"type":"summary_text","text":{}}}]}})",
        answer.id,
        quoted(answer.whole_reasoning())));
  }
  if (is_done && !answer.text.empty()) {
    out.raw(fmt::format(
        R"({{"id":"msg_{}","type":"message","status":"completed","role":"assistant","content":[{{"type":"output_text","text":{},"annotations":[]}}]}})",
        answer.id,
        quoted(answer.whole_text())));
  }
  if (is_done && answer.tool_call) {
    out.raw(fmt::format(
        R"({{"id":"fc_{}","type":"function_call","status":"completed","call_id":"{}","name":{},"arguments":{}}})",
        answer.id,
        answer.tool_call->id,
        quoted(answer.tool_call->name),
        quoted(answer.tool_call->arguments)));
  }
  out.end_array().member("parallel_tool_calls", true);
  if (is_done) {
    out.name("usage").raw(responses_usage(answer));
  } else {
    out.null_member("usage");
  }
  out.end_object();
  return json;
}

std::vector<SimulatedEvent> response_stream(const SimulatedAnswer& answer,
                                            const SimulatedFinish& finish) {
  Events out(answer);
  int index = 0;
  const auto in_progress = fmt::format(R"(,"response":{})", response_object(answer, false));
  out.response(Kind::kOpening, "response.created", in_progress);
  out.response(Kind::kOpening, "response.in_progress", in_progress);
  const auto item = [&](std::string_view type, std::string_view json, const auto& write) {
    out.response(Kind::kOpening,
                 "response.output_item.added",
                 fmt::format(R"(,"output_index":{},"item":{{"type":"{}",{}}})", index, type, json));
    const std::string done = write();
    out.response(Kind::kClosing,
                 "response.output_item.done",
                 fmt::format(R"(,"output_index":{},"item":{{"type":"{}",{}}})", index, type, done));
    ++index;
  };

  if (!answer.reasoning.empty()) {
    const std::string id = "rs_" + answer.id;
    item("reasoning", fmt::format(R"("id":"{}","summary":[])", id), [&] {
      const auto place =
          fmt::format(R"(,"item_id":"{}","output_index":{},"summary_index":0)", id, index);
      for (const std::string& token : answer.reasoning) {
        out.response(Kind::kContent,
                     "response.reasoning_summary_text.delta",
                     fmt::format(R"({},"delta":{})", place, quoted(token)));
      }
      return fmt::format(R"("id":"{}","summary":[{{"type":"summary_text","text":{}}}])",
                         id,
                         quoted(answer.whole_reasoning()));
    });
  }
  if (!answer.text.empty()) {
    const std::string id = "msg_" + answer.id;
    item("message",
         fmt::format(R"("id":"{}","status":"in_progress","role":"assistant","content":[])", id),
         [&] {
           const auto place =
               fmt::format(R"(,"item_id":"{}","output_index":{},"content_index":0)", id, index);
           const auto part = fmt::format(R"({{"type":"output_text","text":{},"annotations":[]}})",
                                         quoted(answer.whole_text()));
           out.response(Kind::kOpening,
                        "response.content_part.added",
                        place + R"(,"part":{"type":"output_text","text":"","annotations":[]})");
           for (const std::string& token : answer.text) {
             out.response(Kind::kContent,
                          "response.output_text.delta",
                          fmt::format(R"({},"delta":{})", place, quoted(token)));
           }
           out.response(Kind::kClosing,
                        "response.output_text.done",
                        fmt::format(R"({},"text":{})", place, quoted(answer.whole_text())));
           out.response(Kind::kClosing,
                        "response.content_part.done",
                        fmt::format(R"({},"part":{})", place, part));
           return fmt::format(
               R"("id":"{}","status":"completed","role":"assistant","content":[{}])", id, part);
         });
  }
  if (answer.tool_call) {
    const std::string id = "fc_" + answer.id;
    const auto members = [&](std::string_view status, std::string_view arguments) {
      return fmt::format(R"("id":"{}","status":"{}","call_id":"{}","name":{},"arguments":{})",
                         id,
                         status,
                         answer.tool_call->id,
                         quoted(answer.tool_call->name),
                         quoted(arguments));
    };
    item("function_call", members("in_progress", ""), [&] {
      const auto place = fmt::format(R"(,"item_id":"{}","output_index":{})", id, index);
      in_pieces(answer.tool_call->arguments, [&](std::string_view piece) {
        out.response(Kind::kContent,
                     "response.function_call_arguments.delta",
                     fmt::format(R"({},"delta":{})", place, quoted(piece)));
      });
      out.response(Kind::kClosing,
                   "response.function_call_arguments.done",
                   fmt::format(R"({},"arguments":{})", place, quoted(answer.tool_call->arguments)));
      return members("completed", answer.tool_call->arguments);
    });
  }
  const bool is_whole = !answer.is_cut_short && !answer.is_filtered;
  if (finish.has_reason) {
    out.response(Kind::kTerminal,
                 is_whole ? "response.completed" : "response.incomplete",
                 fmt::format(R"(,"response":{})", response_object(answer, true)));
  }
  return out.take();
}

std::string whole_chat(const SimulatedAnswer& answer) {
  std::string json;
  JsonWriter out(json);
  out.begin_object().member("id", answer.id).member("object", "chat.completion");
  out.member("created", answer.created).member("model", answer.model);
  out.name("choices").begin_array().begin_object().member("index", 0);
  out.name("message").begin_object().member("role", "assistant");
  if (answer.tool_call) {
    out.null_member("content").name("tool_calls").begin_array().begin_object();
    out.member("id", answer.tool_call->id).member("type", "function");
    out.name("function").begin_object().member("name", answer.tool_call->name);
    out.member("arguments", answer.tool_call->arguments).end_object().end_object().end_array();
  } else {
    out.member("content", answer.whole_text());
  }
  if (!answer.reasoning.empty()) out.member("reasoning_content", answer.whole_reasoning());
  out.null_member("refusal").end_object();
  out.null_member("logprobs").member("finish_reason", chat_finish(answer));
  out.end_object().end_array().name("usage").raw(chat_usage(answer)).end_object();
  return json;
}

std::string whole_message(const SimulatedAnswer& answer) {
  std::string json;
  JsonWriter out(json);
  out.begin_object().member("id", answer.id).member("type", "message");
  out.member("role", "assistant").member("model", answer.model).name("content").begin_array();
  if (!answer.reasoning.empty()) {
    out.begin_object().member("type", "thinking").member("thinking", answer.whole_reasoning());
    out.member("signature", "c2ltdWxhdGVk").end_object();
  }
  if (!answer.text.empty()) {
    out.begin_object().member("type", "text").member("text", answer.whole_text()).end_object();
  }
  if (answer.tool_call) {
    out.begin_object().member("type", "tool_use").member("id", answer.tool_call->id);
    out.member("name", answer.tool_call->name).name("input").raw(answer.tool_call->arguments);
    out.end_object();
  }
  out.end_array().member("stop_reason", messages_stop(answer)).null_member("stop_sequence");
  out.name("usage").begin_object().member("input_tokens", answer.input_tokens);
  out.member("cache_creation_input_tokens", 0).member("cache_read_input_tokens", 0);
  out.member("output_tokens", answer.output_tokens).end_object().end_object();
  return json;
}

}  // namespace

std::vector<SimulatedEvent> stream_of(Protocol protocol,
                                      const SimulatedAnswer& answer,
                                      const SimulatedFinish& finish) {
  if (protocol == Protocol::kMessages) return message_stream(answer, finish);
  if (protocol == Protocol::kResponses) return response_stream(answer, finish);
  return chat_stream(answer, finish);
}

std::string whole_of(Protocol protocol, const SimulatedAnswer& answer) {
  if (protocol == Protocol::kMessages) return whole_message(answer);
  if (protocol == Protocol::kResponses) return response_object(answer, true);
  return whole_chat(answer);
}

std::string empty_event(Protocol protocol, const SimulatedAnswer& answer) {
  if (protocol == Protocol::kMessages) return "event: ping\ndata: {\"type\":\"ping\"}\n\n";
  Events out(answer);
  if (protocol == Protocol::kResponses) {
    out.response(Kind::kOpening,
                 "response.in_progress",
                 fmt::format(R"(,"response":{})", response_object(answer, false)));
  } else {
    out.chat(Kind::kOpening, R"({"content":""})");
  }
  return out.take().front().bytes;
}

std::string error_event(Protocol protocol, std::string_view message) {
  const std::string text = quoted(message);
  if (protocol == Protocol::kMessages) {
    return fmt::format(
        "event: error\ndata: {{\"type\":\"error\",\"error\":{{\"type\":\"api_error\","
        "\"message\":{}}}}}\n\n",
        text);
  }
  if (protocol == Protocol::kResponses) {
    return fmt::format(
        "event: error\ndata: {{\"type\":\"error\",\"code\":\"server_error\",\"message\":{},"
        "\"param\":null,\"sequence_number\":0}}\n\n",
        text);
  }
  return fmt::format(
      "data: {{\"error\":{{\"message\":{},\"type\":\"server_error\",\"param\":null,"
      "\"code\":\"server_error\"}}}}\n\n",
      text);
}

std::string error_body(Protocol protocol, unsigned status, std::string_view message) {
  std::string_view type = status >= 500 ? "server_error" : "invalid_request_error";
  if (status == 401) type = "authentication_error";
  if (status == 429) type = "rate_limit_error";
  if (protocol == Protocol::kMessages) {
    if (status >= 500) type = status == 529 ? "overloaded_error" : "api_error";
    return fmt::format(
        R"({{"type":"error","error":{{"type":"{}","message":{}}}}})", type, quoted(message));
  }
  return fmt::format(
      R"({{"error":{{"message":{},"type":"{}","param":null,"code":"simulated_{}"}}}})",
      quoted(message),
      type,
      status);
}

}  // namespace conciergus::llm

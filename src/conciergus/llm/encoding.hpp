#pragma once
/// Internal to the encoders.
#include <memory>
#include <string>
#include <string_view>

#include "conciergus/llm/answer.hpp"
#include "conciergus/llm/json_writer.hpp"
#include "conciergus/llm/stream_encoder.hpp"

namespace conciergus::llm {

/// Writes one server-sent event whose data is JSON; the destructor ends it.
class EventWriter {
 public:
  explicit EventWriter(std::string& out, std::string_view event = {}) : out_(out), json_(out) {
    if (!event.empty()) {
      out_ += "event: ";
      out_ += event;
      out_ += '\n';
    }
    out_ += "data: ";
  }
  ~EventWriter() { out_ += "\n\n"; }
  EventWriter(const EventWriter&) = delete;
  EventWriter& operator=(const EventWriter&) = delete;
  JsonWriter& json() noexcept { return json_; }

 private:
  std::string& out_;
  JsonWriter json_;
};

/// Takes the place of what the upstream left out.
inline void complete(delta::Start& start, const EncoderOptions& options) {
  if (start.id.empty()) start.id = options.fallback_id;
  if (start.model.empty()) start.model = options.fallback_model;
  if (start.created == 0) start.created = options.fallback_created;
}

/// Which protocol a citation was written for; citations are not translated, only kept.
enum class CitationForm : std::uint8_t { kChat, kMessages, kResponses };
CitationForm citation_form(JsonValue citation) noexcept;

void write_chat_usage(JsonWriter& json, const Usage& usage);
void write_messages_usage(JsonWriter& json, const Usage& usage);
void write_responses_usage(JsonWriter& json, const Usage& usage);

/// Arguments as a JSON value: `{}` when there are none, and a string when they are not JSON, so
/// that the client's tool refuses them rather than runs on something the model did not say.
std::string arguments_value(std::string_view arguments);

std::unique_ptr<StreamEncoder> make_chat_encoder(EncoderOptions options);
std::unique_ptr<StreamEncoder> make_messages_encoder(EncoderOptions options);
std::unique_ptr<StreamEncoder> make_responses_encoder(EncoderOptions options);
std::unique_ptr<StreamEncoder> make_ui_encoder(EncoderOptions options);

void encode_whole_chat(const Answer& answer, const EncoderOptions& options, std::string& out);
void encode_whole_message(const Answer& answer, const EncoderOptions& options, std::string& out);
void encode_whole_response(const Answer& answer, const EncoderOptions& options, std::string& out);

}  // namespace conciergus::llm

#pragma once
/// Internal to the responses encoders: blocks as output items, and the response object around them.
#include <span>
#include <string>
#include <string_view>

#include "conciergus/llm/answer.hpp"
#include "conciergus/llm/json_writer.hpp"

namespace conciergus::llm {

/// How many of `blocks`, from the first on, make one output item: texts and refusals of one
/// message, or the summaries of one reasoning up to the one that is signed.
std::size_t blocks_of_item(std::span<const Block> blocks) noexcept;

/// The item's id: the provider's own, or one made of the answer's id and the item's place.
std::string item_id(const Block& block, std::string_view answer_id, std::size_t output_index);

/// Writes the item that `blocks` make.
void write_item(JsonWriter& json, std::span<const Block> blocks, std::string_view id);

/// Writes the part of a message: a text with its citations, or a refusal.
void write_content_part(JsonWriter& json, const Block& block);

/// Writes the response object. Without a finish it is in progress and has no output.
void write_response(JsonWriter& json, const delta::Start& start, const Answer* answer);

}  // namespace conciergus::llm

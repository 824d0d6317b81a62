#include <algorithm>
#include <bit>
#include <cmath>

#include <fmt/format.h>

#include "conciergus/base/random.hpp"
#include "conciergus/llm/json_writer.hpp"
#include "conciergus/llm/simulated_events.hpp"

namespace conciergus::llm {
namespace {

constexpr std::uint64_t kDimensions = 256;
constexpr std::uint64_t kMaxDimensions = 4'096;

std::vector<float> unit_vector(std::string_view text,
                               std::uint64_t dimensions,
                               std::uint64_t seed) {
  Random random(stable_hash(text, seed));
  std::vector<float> vector(dimensions);
  double square = 0;
  for (float& x : vector) {
    x = static_cast<float>(2 * random.unit() - 1);
    square += static_cast<double>(x) * x;
  }
  for (float& x : vector) x = static_cast<float>(x / std::sqrt(square));
  return vector;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      out += i + k <= bytes.size() ? kDigits[group >> (18 - 6 * k) & 63] : '=';
    }
  }
  return out;
}

static_assert(std::endian::native == std::endian::little, "vectors go out as they lie in memory");

}  // namespace

std::string simulated_embeddings(JsonValue request, std::string_view model, std::uint64_t seed) {
  const std::uint64_t dimensions = std::clamp<std::uint64_t>(
      request["dimensions"].unsigned_integer().value_or(kDimensions), 1, kMaxDimensions);
  const bool wants_base64 = request["encoding_format"].text() == "base64";
  std::string json;
  JsonWriter out(json);
  std::uint64_t tokens = 0;
  int index = 0;
  out.begin_object().member("object", "list").name("data").begin_array();
  const auto embed = [&](std::string_view text) {
    const auto vector = unit_vector(text, dimensions, seed);
    out.begin_object().member("object", "embedding").member("index", index++).name("embedding");
    if (wants_base64) {
      out.string(base64({reinterpret_cast<const char*>(vector.data()), vector.size() * 4}));
    } else {
      out.begin_array();
      for (const float x : vector) out.raw(fmt::format("{}", x));
      out.end_array();
    }
    out.end_object();
    tokens += text.size() / 4 + 1;
  };
  const JsonValue input = request["input"];
  if (const auto text = input.string()) {
    embed(*text);
  } else {
    for (const JsonValue item : input) {
      std::string written;
      append_json(written, item);  // arrays of token numbers too
      embed(item.string().value_or(written));
    }
  }
  out.end_array().member("model", model).name("usage").begin_object();
  out.member("prompt_tokens", tokens).member("total_tokens", tokens).end_object().end_object();
  return json;
}

}  // namespace conciergus::llm

/// Oracles: the canonical form is JSON and its own canonical form; the text in its own order has
/// the same one; members found in the text are the parser's, and an edited object is still one.
#include "conciergus/llm/canonical_json.hpp"

#include <string>

#include "conciergus/llm/json_members.hpp"
#include "conciergus/llm/json_writer.hpp"
#include "fuzz.hpp"

using namespace conciergus::llm;
using conciergus::fuzz::require;

namespace {

void edit(std::string_view text, JsonValue root) {
  const auto members = json_members(text);
  require(members.has_value());
  require(members->size() == root.size());
  auto parsed = root.begin();
  for (const JsonMember& member : *members) {
    require(member.name == (*parsed).name());
    const auto value = JsonDocument::parse(member.value);
    require(value.has_value() && value->root().kind() == (*parsed).kind());
    ++parsed;
  }
  const std::string first = members->empty() ? "a" : members->front().name;
  for (const JsonEdit& change :
       {JsonEdit{first, "[1]"}, JsonEdit{first, {}}, JsonEdit{"new", "2"}}) {
    const auto edited = edit_json_members(text, {&change, 1});
    require(edited.has_value());
    const auto document = JsonDocument::parse(*edited);
    require(document.has_value());
    const JsonValue value = document->root()[change.name];
    require(static_cast<bool>(value) == change.value.has_value());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const conciergus::fuzz::ExactCopy copy({reinterpret_cast<const char*>(data), size});
  const std::string_view text = copy.view();
  const auto document = JsonDocument::parse(text, {.max_depth = 32, .max_values = 1000});
  if (!document) {
    static_cast<void>(json_members(text).has_value());  // whatever it says, it stays inside
    return 0;
  }
  std::string ordered;
  append_json(ordered, document->root());
  const auto canonical = canonical_json(text);
  require(canonical_json(ordered).has_value() == canonical.has_value());
  if (canonical) {
    require(canonical_json(*canonical).value() == *canonical);
    require(canonical_json(ordered).value() == *canonical);
  }
  if (document->root().is(JsonKind::kObject)) edit(text, document->root());
  return 0;
}

/// Oracles: a record that parses stays within its bytes, whatever it says of its sizes; what was
/// recorded is read back; a changed byte is seen.
#include "conciergus/llm/record.hpp"

#include <cstring>
#include <string>
#include <vector>

#include <xxhash.h>

#include "fuzz.hpp"

using namespace conciergus;
using fuzz::require;

namespace {

/// Behind a good checksum, as no accident could make it.
void read_forged(std::string_view input) {
  std::string bytes("CGR1\x01\0\0\0", 8);
  const std::uint64_t checksum = XXH3_64bits(input.data(), input.size());
  bytes.append(reinterpret_cast<const char*>(&checksum), sizeof checksum);
  bytes += input;
  const fuzz::ExactCopy copy(bytes);
  const auto record = llm::RecordView::parse(copy.view());
  if (!record) return;
  std::string events;
  for (std::size_t i = 0; i < record->size(); ++i) events += (*record)[i].bytes;
  require(events == record->stream());
  require(record->stream().size() + record->whole().size() <= input.size());
}

/// The input cut into pieces as long as its bytes say.
void write_and_read(std::string_view input) {
  std::vector<llm::PiecePtr> pieces;
  for (std::string_view rest = input; !rest.empty();) {
    auto piece = std::make_shared<llm::Piece>();
    const auto size = static_cast<unsigned char>(rest.front());
    piece->bytes = rest.substr(0, size);
    piece->at = std::chrono::milliseconds(size);
    rest.remove_prefix(std::min<std::size_t>(rest.size(), std::max<std::size_t>(1, size)));
    pieces.push_back(std::move(piece));
  }
  llm::RecordFacts facts;
  facts.id = input.substr(0, input.size() / 2);
  facts.usage.output = input.size();
  const auto bytes = llm::make_record(facts, pieces, input);
  if (!bytes) return;
  const auto record = llm::RecordView::parse(*bytes);
  require(record.has_value());
  require(record->facts().id == facts.id && record->facts().usage == facts.usage);
  require(record->whole() == input && record->size() == pieces.size());
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    require((*record)[i].bytes == pieces[i]->bytes && (*record)[i].at == pieces[i]->at);
  }
  if (input.empty()) return;
  std::string changed = *bytes;
  char& byte = changed[static_cast<unsigned char>(input.back()) % changed.size()];
  byte = static_cast<char>(byte ^ 1);
  require(!llm::RecordView::parse(changed));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const fuzz::ExactCopy copy(input);
  if (const auto record = llm::RecordView::parse(copy.view())) {
    for (std::size_t i = 0; i < record->size(); ++i) require((*record)[i].bytes.data() != nullptr);
  }
  read_forged(input);
  write_and_read(input);
  return 0;
}

#include "conciergus/llm/record.hpp"

#include <array>
#include <bit>
#include <cstring>
#include <limits>

#include <xxhash.h>

namespace conciergus::llm {
namespace {

static_assert(std::endian::native == std::endian::little, "records are little-endian");

constexpr std::uint32_t kMagic = 0x31524743;  // "CGR1"
constexpr std::uint32_t kVersion = 1;
constexpr std::uint64_t kUnknown = std::numeric_limits<std::uint64_t>::max();

/// The fixed part; behind it the id, the model, the provider, the index, the events, the whole
/// body. No padding, so that every byte is under the checksum.
struct Header {
  std::uint32_t magic;
  std::uint32_t version;
  std::uint64_t checksum;  // XXH3 of everything behind it
  std::int64_t created_ms;
  double cost;
  std::array<std::uint64_t, 5> usage;
  std::uint32_t protocol;
  std::uint16_t finish;
  std::uint16_t is_stream;
  std::uint32_t id_size;
  std::uint32_t model_size;
  std::uint32_t provider_size;
  std::uint32_t events;
  std::uint32_t stream_size;
  std::uint32_t whole_size;
};
static_assert(sizeof(Header) == 104);
constexpr std::size_t kChecked = offsetof(Header, checksum) + sizeof(Header::checksum);

struct IndexEntry {
  std::uint32_t end;  // in the events' bytes
  std::uint32_t at;   // milliseconds
};

std::uint64_t packed(const std::optional<std::uint64_t>& count) {
  return count.value_or(kUnknown);
}
std::optional<std::uint64_t> unpacked(std::uint64_t count) {
  return count == kUnknown ? std::nullopt : std::optional(count);
}

template <class T>
void append_raw(std::string& out, const T& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <class T>
T read_raw(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

IndexEntry entry_at(std::string_view index, std::size_t place) {
  return read_raw<IndexEntry>(index.data() + place * sizeof(IndexEntry));
}

/// Event ends ascend and the last one is the end of all.
bool is_index_sound(std::string_view index, std::size_t events, std::size_t stream_size) {
  std::uint32_t end = 0;
  for (std::size_t i = 0; i < events; ++i) {
    const IndexEntry entry = entry_at(index, i);
    if (entry.end < end) return false;
    end = entry.end;
  }
  return end == stream_size;
}

}  // namespace

Result<std::string> make_record(const RecordFacts& facts,
                                std::span<const PiecePtr> pieces,
                                std::string_view whole,
                                std::size_t limit) {
  std::size_t stream_size = 0;
  for (const PiecePtr& piece : pieces) stream_size += piece->bytes.size();
  const std::size_t size = sizeof(Header) + facts.id.size() + facts.model.size() +
                           facts.provider.size() + pieces.size() * sizeof(IndexEntry) +
                           stream_size + whole.size();
  if (size > std::min<std::size_t>(limit, std::numeric_limits<std::uint32_t>::max())) {
    return fail(ErrorCode::kTooLarge, "the answer is larger than a record may be");
  }

  Header header{};
  header.magic = kMagic;
  header.version = kVersion;
  header.protocol = static_cast<std::uint32_t>(facts.protocol);
  header.finish = static_cast<std::uint16_t>(facts.finish);
  header.created_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(facts.created.time_since_epoch())
          .count();
  header.cost = facts.cost;
  header.usage = {packed(facts.usage.input),
                  packed(facts.usage.output),
                  packed(facts.usage.cached_input),
                  packed(facts.usage.cache_creation),
                  packed(facts.usage.reasoning)};
  header.is_stream = facts.is_stream ? 1 : 0;
  header.id_size = static_cast<std::uint32_t>(facts.id.size());
  header.model_size = static_cast<std::uint32_t>(facts.model.size());
  header.provider_size = static_cast<std::uint32_t>(facts.provider.size());
  header.events = static_cast<std::uint32_t>(pieces.size());
  header.stream_size = static_cast<std::uint32_t>(stream_size);
  header.whole_size = static_cast<std::uint32_t>(whole.size());

  std::string out;
  out.reserve(size);
  append_raw(out, header);
  out += facts.id;
  out += facts.model;
  out += facts.provider;
  std::uint32_t end = 0;
  for (const PiecePtr& piece : pieces) {
    end += static_cast<std::uint32_t>(piece->bytes.size());
    append_raw(out, IndexEntry{end, static_cast<std::uint32_t>(piece->at.count())});
  }
  for (const PiecePtr& piece : pieces) out += piece->bytes;
  out += whole;
  const std::uint64_t checksum = XXH3_64bits(out.data() + kChecked, out.size() - kChecked);
  std::memcpy(out.data() + offsetof(Header, checksum), &checksum, sizeof checksum);
  return out;
}

Result<RecordView> RecordView::parse(std::string_view bytes) {
  if (bytes.size() < sizeof(Header)) return fail(ErrorCode::kProtocol, "record is cut short");
  const auto header = read_raw<Header>(bytes.data());
  if (header.magic != kMagic || header.version != kVersion) {
    return fail(ErrorCode::kProtocol, "record of another format version");
  }
  if (header.checksum != XXH3_64bits(bytes.data() + kChecked, bytes.size() - kChecked)) {
    return fail(ErrorCode::kProtocol, "record is damaged");
  }
  // A checksum keeps out accidents, not forgers: sizes are checked all the same.
  constexpr auto kLatest = std::chrono::duration_cast<std::chrono::milliseconds>(
      Clock::WallTime::max().time_since_epoch());
  const std::uint64_t index_size = std::uint64_t{header.events} * sizeof(IndexEntry);
  const std::uint64_t size = std::uint64_t{sizeof(Header)} + header.id_size + header.model_size +
                             header.provider_size + index_size + header.stream_size +
                             header.whole_size;
  const bool is_known = header.protocol <= static_cast<std::uint32_t>(Protocol::kUiMessages) &&
                        header.finish <= static_cast<std::uint16_t>(FinishReason::kOther) &&
                        header.is_stream <= 1 && header.created_ms >= 0 &&
                        header.created_ms <= kLatest.count();
  if (size != bytes.size() || !is_known) {
    return fail(ErrorCode::kProtocol, "record is inconsistent");
  }

  bytes.remove_prefix(sizeof(Header));
  const auto next = [&bytes](std::uint64_t count) {
    const std::string_view part = bytes.substr(0, count);
    bytes.remove_prefix(count);
    return part;
  };
  RecordView view;
  view.facts_.protocol = static_cast<Protocol>(header.protocol);
  view.facts_.is_stream = header.is_stream == 1;
  view.facts_.id = next(header.id_size);
  view.facts_.model = next(header.model_size);
  view.facts_.provider = next(header.provider_size);
  view.facts_.finish = static_cast<FinishReason>(header.finish);
  view.facts_.usage = {unpacked(header.usage[0]),
                       unpacked(header.usage[1]),
                       unpacked(header.usage[2]),
                       unpacked(header.usage[3]),
                       unpacked(header.usage[4])};
  view.facts_.cost = header.cost;
  view.facts_.created = Clock::WallTime(std::chrono::milliseconds(header.created_ms));
  view.index_ = next(index_size);
  view.stream_ = next(header.stream_size);
  view.whole_ = next(header.whole_size);
  view.count_ = header.events;
  if (!is_index_sound(view.index_, view.count_, view.stream_.size())) {
    return fail(ErrorCode::kProtocol, "record is inconsistent");
  }
  return view;
}

RecordView::Event RecordView::operator[](std::size_t index) const noexcept {
  const std::uint32_t begin = index == 0 ? 0 : entry_at(index_, index - 1).end;
  const IndexEntry entry = entry_at(index_, index);
  return {stream_.substr(begin, entry.end - begin), std::chrono::milliseconds(entry.at)};
}

}  // namespace conciergus::llm

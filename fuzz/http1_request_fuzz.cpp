/// Oracles: pieces give what the whole gives; an accepted head is framed in one way only; rebuilt
/// by the writer, it is read as the same again.
#include <algorithm>

#include "conciergus/codec/http1_parser.hpp"
#include "conciergus/codec/http1_writer.hpp"
#include "fuzz.hpp"

using namespace conciergus;
using fuzz::require;

namespace {

codec::HeadStatus parse_in_pieces(codec::RequestParser& parser,
                                  std::string_view text,
                                  std::size_t piece) {
  for (std::size_t size = 0;; size = std::min(size + piece, text.size())) {
    const auto status = parser.parse(fuzz::ExactCopy(text.substr(0, size)).view());
    if (status != codec::HeadStatus::kNeedMore || size == text.size()) return status;
  }
}

bool is_same(const codec::Field& a, const codec::Field& b) {
  return a.name == b.name && a.value == b.value;
}

void check_rebuilt(const codec::RequestHead& head) {
  std::string out;
  codec::HeadWriter writer(out);
  writer.request(head.method, head.target);
  for (const auto& field : head.fields) writer.field(field.name, field.value);
  require(writer.finish().has_value());
  codec::RequestParser again;
  const auto status = again.parse(out);
  if (head.minor_version == 0) return;  // a 1.0 head need not be a good 1.1 head
  require(status == codec::HeadStatus::kComplete && again.consumed() == out.size());
  require(std::ranges::equal(again.head().fields, head.fields, is_same));
  require(again.head().target == head.target && again.head().host == head.host);
  require(again.head().chunked == head.chunked);
  require(again.head().content_length == head.content_length);
  require(again.head().keep_alive == head.keep_alive);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = 1 + data[0] % 64;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const codec::Http1Limits limits{
      .line_bytes = 512, .head_bytes = 1024, .target_bytes = 256, .fields = 16};

  const fuzz::ExactCopy copy(text);
  codec::RequestParser whole(limits);
  const auto status = whole.parse(copy.view());
  codec::RequestParser pieces(limits);
  require(parse_in_pieces(pieces, text, piece) == status);
  if (status == codec::HeadStatus::kError) {
    require(whole.error().status >= 400 && whole.error().status <= 505);
    require(whole.error().offset <= text.size() && whole.error().offset == pieces.error().offset);
    require(whole.error().what == pieces.error().what);
  }
  if (status != codec::HeadStatus::kComplete) return 0;

  const auto& head = whole.head();
  require(whole.consumed() == pieces.consumed() && whole.consumed() <= text.size());
  require(text.substr(0, whole.consumed()).ends_with("\r\n\r\n"));
  require(!(head.chunked && head.content_length));
  require(head.fields.size() <= limits.fields && head.target.size() <= limits.target_bytes);
  check_rebuilt(head);
  return 0;
}

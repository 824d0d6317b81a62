/// Oracle: pieces give what the whole gives, and the framing follows from method, status and
/// fields.
#include <algorithm>

#include "conciergus/codec/http1_parser.hpp"
#include "fuzz.hpp"

using namespace conciergus;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = 1 + data[0] % 64;
  const std::string_view method = data[0] >= 0xc0 ? "HEAD" : "GET";
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);

  const fuzz::ExactCopy copy(text);
  codec::ResponseParser whole;
  const auto status = whole.parse(copy.view(), method);
  codec::ResponseParser pieces;
  auto status_of_pieces = codec::HeadStatus::kNeedMore;
  for (std::size_t end = 0; status_of_pieces == codec::HeadStatus::kNeedMore; end += piece) {
    const fuzz::ExactCopy part(text.substr(0, end));
    status_of_pieces = pieces.parse(part.view(), method);
    if (end >= text.size()) break;
  }
  require(status_of_pieces == status);
  if (status == codec::HeadStatus::kError) {
    require(whole.error().status == 502 && whole.error().offset == pieces.error().offset);
  }
  if (status != codec::HeadStatus::kComplete) return 0;

  const auto& head = whole.head();
  require(whole.consumed() == pieces.consumed() && head.body == pieces.head().body);
  require(head.status >= 100 && head.status <= 599);
  require(!(head.chunked && head.content_length));
  if (method == "HEAD" || head.status < 200) require(head.body == codec::BodyKind::kNone);
  if (head.body == codec::BodyKind::kUntilClose) require(!head.keep_alive);
  return 0;
}

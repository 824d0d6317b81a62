#pragma once
/// Replays a recorded stream in the protocol it was recorded in.
#include <boost/asio/steady_timer.hpp>

#include "conciergus/cache/value.hpp"
#include "conciergus/http/message.hpp"
#include "conciergus/llm/record.hpp"

namespace conciergus::llm {

/// A body that belongs to one shard. Without pacing the events come as fast as the client reads,
/// many in one piece; with it one by one, each `pace` times as late as it was at first.
class RecordReader final : public http::BodyReader {
 public:
  /// `owner` holds the bytes of `record`. `pace` 0: none; 1: as recorded.
  RecordReader(cache::Value owner, RecordView record, double pace = 0);

  Task<Result<std::string_view>> read() override;
  std::optional<std::uint64_t> size() const noexcept override { return record_.stream().size(); }

 private:
  const cache::Value owner_;
  const RecordView record_;
  const double pace_;
  std::size_t sent_ = 0;   // bytes
  std::size_t event_ = 0;  // the next one, when paced
  std::optional<Clock::Instant> began_;
};

}  // namespace conciergus::llm

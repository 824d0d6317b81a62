#include "conciergus/llm/record_reader.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace conciergus::llm {
namespace {

constexpr std::size_t kPieceBytes = 64 * 1024;

}  // namespace

RecordReader::RecordReader(cache::Value owner, RecordView record, double pace)
    : owner_(std::move(owner)), record_(record), pace_(pace) {}

Task<Result<std::string_view>> RecordReader::read() {
  if (pace_ <= 0) {
    const std::string_view piece = record_.stream().substr(sent_, kPieceBytes);
    sent_ += piece.size();
    co_return piece;
  }
  while (event_ < record_.size() && record_[event_].bytes.empty()) ++event_;
  if (event_ == record_.size()) co_return std::string_view{};
  const RecordView::Event event = record_[event_++];
  const auto now = Clock::Instant::clock::now();
  if (!began_) began_ = now;
  const std::chrono::duration<double, std::milli> wait(pace_ *
                                                       static_cast<double>(event.at.count()));
  const auto due = *began_ + std::chrono::duration_cast<Clock::Instant::duration>(wait);
  if (due > now) {
    asio::steady_timer timer{co_await asio::this_coro::executor, due};
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  co_return event.bytes;
}

}  // namespace conciergus::llm

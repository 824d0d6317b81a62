#include "conciergus/http/tunnel.hpp"

#include <algorithm>
#include <array>
#include <memory>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "conciergus/runtime/watchdog.hpp"
#include "conciergus/runtime/with_deadline.hpp"

namespace conciergus::http {
namespace {

/// Back-pressure needs no more: what is not written is not read either.
constexpr std::size_t kPieceBytes = 16'384;
constexpr std::chrono::milliseconds kHalfOpenIdle{30'000};

/// Closes both streams when the tunnel ends, and when it has been silent for too long.
class Silence final : public runtime::Watchdog::Watch {
 public:
  Silence(runtime::Shard& shard,
          net::Stream& client,
          net::Stream& upstream,
          std::chrono::milliseconds limit)
      : Watch(shard.watchdog()),
        shard_(shard),
        client_(client),
        upstream_(upstream),
        limit_(limit) {
    broken();
  }
  ~Silence() override { close(); }

  void broken() { expires_at(shard_.now() + limit_); }
  void half_open() {
    limit_ = std::min(limit_, kHalfOpenIdle);
    broken();
  }
  void close() noexcept {
    client_.close();
    upstream_.close();
  }

 private:
  void on_expired() override { close(); }

  runtime::Shard& shard_;
  net::Stream& client_;
  net::Stream& upstream_;
  std::chrono::milliseconds limit_;
};

Task<Result<void>> write_text(net::Stream& to, std::string_view text) {
  const std::array<asio::const_buffer, 1> buffers{asio::buffer(text)};
  co_return co_await to.write(buffers);
}

/// One direction. `head` goes first.
Task<Result<void>> pump(net::Stream& from, net::Stream& to, std::string head, Silence& silence) {
  if (!head.empty()) CONCIERGUS_CO_CHECK(co_await write_text(to, head));
  const auto buffer = std::make_unique_for_overwrite<char[]>(kPieceBytes);
  for (;;) {
    const auto size = co_await from.read_some({buffer.get(), kPieceBytes});
    if (!size || *size == 0) {
      if (!size || !to.finish_sending()) silence.close();
      silence.half_open();
      co_return Result<void>{};
    }
    silence.broken();
    const auto written = co_await write_text(to, {buffer.get(), *size});
    if (!written) {
      silence.close();
      co_return written;
    }
  }
}

}  // namespace

Task<void> run_tunnel(runtime::Shard& shard,
                      net::Stream& client,
                      std::string early,
                      Upgraded upstream,
                      std::chrono::milliseconds idle) {
  using namespace asio::experimental::awaitable_operators;
  auto& stream = *upstream.stream;
  Silence silence(shard, client, stream, idle);
  co_await (runtime::contain(pump(client, stream, std::move(early), silence)) &&
            runtime::contain(pump(stream, client, std::move(upstream.early), silence)));
}

}  // namespace conciergus::http

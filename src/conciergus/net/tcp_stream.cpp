#include "conciergus/net/tcp_stream.hpp"

#include <array>
#include <cerrno>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <poll.h>
#include <sys/socket.h>

#include "conciergus/net/endpoint.hpp"

namespace conciergus::net {
namespace {

constexpr std::size_t kLingerBytes = 1024 * 1024;

std::unexpected<Error> broken(const boost::system::error_code& error) {
  const bool cancelled =
      error == asio::error::operation_aborted || error == asio::error::bad_descriptor;
  return fail(cancelled ? ErrorCode::kCancelled : ErrorCode::kUnavailable, error.message());
}

}  // namespace

TcpStream::TcpStream(Socket socket) : TcpStream(std::move(socket), Endpoint()) {
  boost::system::error_code error;
  const auto remote = socket_.remote_endpoint(error);
  if (!error) peer_ = to_endpoint(remote.data(), static_cast<socklen_t>(remote.size()));
}

TcpStream::TcpStream(Socket socket, Endpoint peer)
    : socket_(std::move(socket)), peer_(std::move(peer)) {
  boost::system::error_code ignored;  // a socket that is broken already says so when it is used
  socket_.non_blocking(true, ignored);
}

Task<Result<std::size_t>> TcpStream::read_some(std::span<char> into) {
  const auto [error, size] = co_await socket_.async_read_some(
      asio::buffer(into.data(), into.size()), asio::as_tuple(asio::use_awaitable));
  if (!error) co_return size;
  if (error == asio::error::eof) co_return 0;
  co_return broken(error);
}

Task<Result<void>> TcpStream::write(std::span<const asio::const_buffer> buffers) {
  boost::system::error_code at_once;
  std::size_t sent = socket_.write_some(buffers, at_once);
  if (at_once && at_once != asio::error::would_block) co_return broken(at_once);
  for (const auto& buffer : buffers) {
    if (sent >= buffer.size()) {
      sent -= buffer.size();
      continue;
    }
    const auto rest = buffer + std::exchange(sent, 0);
    const auto [error, size] =
        co_await asio::async_write(socket_, rest, asio::as_tuple(asio::use_awaitable));
    if (error) co_return broken(error);
  }
  co_return Result<void>{};
}

Task<void> TcpStream::shutdown() {
  boost::system::error_code error;
  socket_.shutdown(Socket::shutdown_send, error);
  std::array<char, 4096> sink;
  for (std::size_t left = kLingerBytes; !error && left > 0;) {
    const auto read = co_await read_some(sink);
    if (!read || *read == 0) break;
    left -= std::min(left, *read);
  }
  close();
}

bool TcpStream::finish_sending() noexcept {
  boost::system::error_code error;
  socket_.shutdown(Socket::shutdown_send, error);
  return !error;
}

void TcpStream::close() noexcept {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

void TcpStream::cancel() noexcept {
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

const Endpoint& TcpStream::local() const noexcept {
  if (!local_) local_ = local_endpoint(const_cast<Socket&>(socket_).native_handle());
  return *local_;
}

bool TcpStream::has_unread() noexcept {
  char byte;
  const auto seen = ::recv(descriptor(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return seen >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

bool TcpStream::peer_has_closed() noexcept {
  pollfd state{descriptor(), POLLRDHUP, 0};
  return ::poll(&state, 1, 0) > 0 && (state.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

void TcpStream::when_readable(std::function<void()> then) {
  socket_.async_wait(Socket::wait_read,
                     [then = std::move(then)](const boost::system::error_code& error) {
                       if (!error) then();
                     });
}

Task<Result<void>> TcpStream::wait_readable() {
  const auto [error] =
      co_await socket_.async_wait(Socket::wait_read, asio::as_tuple(asio::use_awaitable));
  if (error) co_return broken(error);
  co_return Result<void>{};
}

Task<Result<void>> TcpStream::wait_writable() {
  const auto [error] =
      co_await socket_.async_wait(Socket::wait_write, asio::as_tuple(asio::use_awaitable));
  if (error) co_return broken(error);
  co_return Result<void>{};
}

}  // namespace conciergus::net

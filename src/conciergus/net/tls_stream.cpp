#include "conciergus/net/tls_stream.hpp"

#include <cerrno>
#include <cstdint>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <sys/socket.h>

namespace conciergus::net {
namespace {

constexpr std::size_t kRecord = 16 * 1024;

int descriptor_of(BIO* bio) noexcept {
  return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
}

bool wants_retry() noexcept {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/// OpenSSL's own socket BIO raises SIGPIPE, which is not for a library to switch off.
int send_bytes(BIO* bio, const char* data, int size) noexcept {
  BIO_clear_retry_flags(bio);
  const auto sent = ::send(descriptor_of(bio), data, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (sent < 0 && wants_retry()) BIO_set_retry_write(bio);
  return static_cast<int>(sent);
}

int receive_bytes(BIO* bio, char* into, int size) noexcept {
  BIO_clear_retry_flags(bio);
  const auto received = ::recv(descriptor_of(bio), into, static_cast<std::size_t>(size), 0);
  if (received < 0 && wants_retry()) BIO_set_retry_read(bio);
  if (received == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return static_cast<int>(received);
}

long control(BIO* bio, int command, long, void*) noexcept {
  if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO* make_socket_bio(int descriptor) {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
    BIO_meth_set_write(made, send_bytes);
    BIO_meth_set_read(made, receive_bytes);
    BIO_meth_set_ctrl(made, control);
    return made;
  }();
  BIO* const bio = BIO_new(method);
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(descriptor)));
  BIO_set_init(bio, 1);
  return bio;
}

}  // namespace

SslContextPtr make_ssl_context(const SSL_METHOD* method) {
  SslContextPtr context(SSL_CTX_new(method));
  if (!context) return context;
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(),
                      SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                          SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                       SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_cipher_list(context.get(), "ECDHE+AESGCM:ECDHE+CHACHA20");
  return context;
}

std::string take_ssl_error() {
  const auto code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "unknown reason";
  const char* const reason = ERR_reason_error_string(code);
  return reason ? reason : "error " + std::to_string(code);
}

TlsStream::TlsStream(TcpStream tcp, SslPtr ssl, std::shared_ptr<const void> context)
    : tcp_(std::move(tcp)), context_(std::move(context)), ssl_(std::move(ssl)) {
  BIO* const bio = make_socket_bio(tcp_.descriptor());
  SSL_set_bio(ssl_.get(), bio, bio);
}

Task<Result<void>> TlsStream::wait_after(int outcome) {
  switch (SSL_get_error(ssl_.get(), outcome)) {
    case SSL_ERROR_WANT_READ:
      co_return co_await tcp_.wait_readable();
    case SSL_ERROR_WANT_WRITE:
      co_return co_await tcp_.wait_writable();
    case SSL_ERROR_SSL:
      if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
        ERR_clear_error();
        co_return fail(ErrorCode::kUnavailable, "the connection was cut");
      }
      co_return fail(ErrorCode::kProtocol, take_ssl_error());
    default:
      ERR_clear_error();
      co_return fail(tcp_.is_open() ? ErrorCode::kUnavailable : ErrorCode::kCancelled,
                     "the connection was cut");
  }
}

Task<Result<void>> TlsStream::handshake() {
  for (;;) {
    ERR_clear_error();
    const int outcome = SSL_do_handshake(ssl_.get());
    if (outcome == 1) co_return Result<void>{};
    CONCIERGUS_CO_CHECK(co_await wait_after(outcome));
  }
}

Task<Result<std::size_t>> TlsStream::read_some(std::span<char> into) {
  for (;;) {
    if (!tcp_.is_open()) co_return fail(ErrorCode::kCancelled, "the stream is closed");
    ERR_clear_error();
    std::size_t size = 0;
    const int outcome = SSL_read_ex(ssl_.get(), into.data(), into.size(), &size);
    if (outcome == 1) co_return size;
    if (SSL_get_error(ssl_.get(), outcome) == SSL_ERROR_ZERO_RETURN) co_return 0;
    CONCIERGUS_CO_CHECK(co_await wait_after(outcome));
  }
}

Task<Result<void>> TlsStream::write(std::span<const asio::const_buffer> buffers) {
  gathered_.clear();
  for (const auto& buffer : buffers) {
    const std::string_view text(static_cast<const char*>(buffer.data()), buffer.size());
    if (gathered_.size() + text.size() <= kRecord) {
      gathered_.append(text);
      continue;
    }
    if (!gathered_.empty()) CONCIERGUS_CO_CHECK(co_await write_all(gathered_));
    gathered_.clear();
    CONCIERGUS_CO_CHECK(co_await write_all(text));
  }
  if (!gathered_.empty()) CONCIERGUS_CO_CHECK(co_await write_all(gathered_));
  gathered_ = std::string();  // idle connections keep no record
  co_return Result<void>{};
}

Task<Result<void>> TlsStream::write_all(std::string_view text) {
  while (!text.empty()) {
    if (!tcp_.is_open()) co_return fail(ErrorCode::kCancelled, "the stream is closed");
    ERR_clear_error();
    std::size_t size = 0;
    const int outcome = SSL_write_ex(ssl_.get(), text.data(), text.size(), &size);
    if (outcome == 1) {
      text.remove_prefix(size);
    } else {
      CONCIERGUS_CO_CHECK(co_await wait_after(outcome));
    }
  }
  co_return Result<void>{};
}

Task<void> TlsStream::shutdown() {
  if (tcp_.is_open() && SSL_is_init_finished(ssl_.get())) {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());  // close_notify, if the socket takes it at once
    ERR_clear_error();
  }
  co_await tcp_.shutdown();
}

bool TlsStream::finish_sending() noexcept {
  if (!tcp_.is_open() || !SSL_is_init_finished(ssl_.get())) return false;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());  // close_notify, if the socket takes it at once
  ERR_clear_error();
  return tcp_.finish_sending();
}

std::string_view TlsStream::alpn() const noexcept {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

bool TlsStream::has_unread() noexcept {
  ERR_clear_error();
  char byte;
  std::size_t size = 0;
  const int outcome = SSL_peek_ex(ssl_.get(), &byte, 1, &size);  // takes session tickets in
  const bool waits = outcome != 1 && SSL_get_error(ssl_.get(), outcome) == SSL_ERROR_WANT_READ;
  ERR_clear_error();
  return !waits;
}

}  // namespace conciergus::net

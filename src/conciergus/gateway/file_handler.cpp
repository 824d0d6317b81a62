#include "conciergus/gateway/file_handler.hpp"

#include <array>
#include <climits>
#include <cstdlib>
#include <optional>

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conciergus/base/text.hpp"
#include "conciergus/codec/percent.hpp"
#include "conciergus/gateway/conditional.hpp"
#include "conciergus/http/error_response.hpp"

namespace conciergus::gateway {
namespace {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int value) noexcept : value_(value) {}
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  int get() const noexcept { return value_; }

 private:
  int value_ = -1;
};

struct File {
  std::string path;
  std::string etag;
  std::uint64_t size = 0;
  std::string text;       // the whole of a small file
  Descriptor descriptor;  // of a large one
};

std::string hash_of(std::string_view text) {
  std::array<unsigned char, 32> digest{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
  return to_hex({reinterpret_cast<const char*>(digest.data()), 16});
}

/// Where an open file really is, links resolved: cannot change between the check and the reading.
std::string real_path(int descriptor) {
  std::string path(PATH_MAX, '\0');
  const auto link = fmt::format("/proc/self/fd/{}", descriptor);
  const auto size = ::readlink(link.c_str(), path.data(), path.size());
  path.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  return path;
}

Result<std::string> read_whole(int descriptor, std::size_t size) {
  std::string text(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    const auto got = ::pread(descriptor, text.data() + done, size - done, static_cast<off_t>(done));
    if (got < 0) return fail(ErrorCode::kInternal, "the file cannot be read");
    if (got == 0) break;  // it has become shorter meanwhile
    done += static_cast<std::size_t>(got);
  }
  text.resize(done);
  return text;
}

Result<File> open_file(const std::string& root, std::string path) {
  const auto missing = [] { return fail(ErrorCode::kNotFound, ""); };
  for (int attempt = 0; attempt < 2; ++attempt) {
    // O_NONBLOCK: a fifo must not hold up the thread
    Descriptor descriptor(::open((root + path).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat status{};
    if (descriptor.get() < 0 || ::fstat(descriptor.get(), &status) != 0) return missing();
    if (S_ISDIR(status.st_mode)) {
      path += path.ends_with('/') ? "index.html" : "/index.html";
      continue;
    }
    if (!S_ISREG(status.st_mode) || !real_path(descriptor.get()).starts_with(root + "/"))
      return missing();
    File file;
    file.path = path;
    file.size = static_cast<std::uint64_t>(status.st_size);
    if (file.size > FileHandler::kWhole) {
      const auto& time = status.st_mtim;
      file.etag = fmt::format("W/\"{:x}-{:x}.{:x}\"", file.size, time.tv_sec, time.tv_nsec);
      file.descriptor = std::move(descriptor);
      return file;
    }
    CONCIERGUS_TRY(file.text, read_whole(descriptor.get(), file.size));
    file.etag = fmt::format("\"{}\"", hash_of(file.text));
    return file;
  }
  return missing();
}

/// Reads a large file piece by piece on the offload pool.
class FileBody final : public http::BodyReader {
 public:
  FileBody(runtime::OffloadPool& pool, Descriptor descriptor, std::uint64_t size)
      : pool_(pool),
        descriptor_(std::make_shared<Descriptor>(std::move(descriptor))),
        size_(size) {}

  Task<Result<std::string_view>> read() override {
    if (done_ == size_) co_return std::string_view();
    // the job owns the descriptor too, since it goes on when the reader is cancelled
    auto job =
        [file = descriptor_, at = done_, want = std::min<std::uint64_t>(kPiece, size_ - done_)] {
          std::string piece(want, '\0');
          const auto got = ::pread(file->get(), piece.data(), piece.size(), static_cast<off_t>(at));
          piece.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
          return piece;
        };
    auto piece = co_await pool_.run(std::move(job));
    if (!piece) co_return std::unexpected(std::move(piece).error());
    if (piece->empty()) co_return fail(ErrorCode::kUnavailable, "the file became shorter");
    piece_ = *std::move(piece);
    done_ += piece_.size();
    co_return std::string_view(piece_);
  }
  std::optional<std::uint64_t> size() const noexcept override { return size_; }

 private:
  static constexpr std::uint64_t kPiece = 256 << 10;
  runtime::OffloadPool& pool_;
  std::shared_ptr<Descriptor> descriptor_;
  const std::uint64_t size_;
  std::uint64_t done_ = 0;
  std::string piece_;
};

}  // namespace

Result<std::shared_ptr<const FileHandler>> FileHandler::open(const std::string& root) {
  std::array<char, PATH_MAX> resolved{};
  struct stat status{};
  if (!::realpath(root.c_str(), resolved.data()) || ::stat(resolved.data(), &status) != 0 ||
      !S_ISDIR(status.st_mode))
    return fail(ErrorCode::kConfig, fmt::format("{} is not a folder that can be read", root));
  return std::shared_ptr<const FileHandler>(new FileHandler(resolved.data()));
}

Task<Result<http::Response>> FileHandler::handle(http::RequestContext& context,
                                                 http::Request& request) const {
  if (request.method != "GET" && request.method != "HEAD") {
    auto refusal = http::error_response(
        405, "method_not_allowed", "This address can only be read.", context, request);
    refusal.headers.add("allow", "GET, HEAD");
    co_return refusal;
  }
  auto path = codec::decode_path(request.path());
  if (!path || path->contains("/.")) co_return fail(ErrorCode::kNotFound, "");
  auto job = [root = root_, path = *std::move(path)] { return open_file(root, path); };
  auto offloaded = co_await context.shard.offload().run(std::move(job));
  if (!offloaded) co_return std::unexpected(std::move(offloaded).error());
  auto& opened = *offloaded;
  if (!opened) co_return std::unexpected(std::move(opened).error());
  auto& file = *opened;

  http::Response response;
  response.headers.add("etag", file.etag);
  response.headers.add("cache-control", "no-cache");
  if (is_not_modified(request, file.etag)) {
    response.status = 304;
    co_return response;
  }
  response.headers.add("content-type", content_type_of(file.path));
  response.headers.add("x-content-type-options", "nosniff");
  if (file.descriptor.get() < 0) {
    response.body = std::move(file.text);
  } else {
    std::unique_ptr<http::BodyReader> body =
        std::make_unique<FileBody>(context.shard.offload(), std::move(file.descriptor), file.size);
    response.body = std::move(body);
  }
  co_return response;
}

}  // namespace conciergus::gateway

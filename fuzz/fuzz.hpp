#pragma once
/// What fuzz targets share.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <source_location>
#include <string_view>

namespace conciergus::fuzz {

/// Stops the process where an oracle is contradicted, in every build.
inline void require(bool condition,
                    const std::source_location& where = std::source_location::current()) {
  if (condition) return;
  std::fprintf(stderr, "%s:%u: oracle contradicted\n", where.file_name(), where.line());
  std::abort();
}

/// A copy on the heap that ends where its memory ends, so that AddressSanitizer sees every byte too
/// far.
class ExactCopy {
 public:
  explicit ExactCopy(std::string_view text) : size_(text.size()), bytes_(new char[text.size()]) {
    text.copy(bytes_.get(), size_);
  }
  std::string_view view() const noexcept { return {bytes_.get(), size_}; }

 private:
  std::size_t size_;
  std::unique_ptr<char[]> bytes_;
};

}  // namespace conciergus::fuzz

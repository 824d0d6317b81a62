#pragma once
/// A value or the reason there is none. A class rather than an alias of std::expected, since
/// libstdc++ 12 does not mark that [[nodiscard]] and `co_await store.put(…);` would drop a failure
/// without a word.
#include <expected>
#include <string>
#include <utility>

#include "conciergus/base/error.hpp"

namespace conciergus {

inline std::unexpected<Error> fail(ErrorCode code, std::string detail) {
  return std::unexpected(Error(code, std::move(detail)));
}

/// In coroutines return `Result<void>{}`, since `co_return {};` does not compile.
/// Compare `*result`, not `result`, with a value.
template <class T>
class [[nodiscard]] Result : public std::expected<T, Error> {
 public:
  using std::expected<T, Error>::expected;
};

}  // namespace conciergus

#define CONCIERGUS_CAT_(a, b) a##b
#define CONCIERGUS_CAT(a, b) CONCIERGUS_CAT_(a, b)
#define CONCIERGUS_TRY_(temporary, exit, decl, ...)                   \
  auto temporary = __VA_ARGS__;                                       \
  if (!temporary) exit std::unexpected(std::move(temporary).error()); \
  decl = *std::move(temporary)
#define CONCIERGUS_CHECK_(temporary, exit, ...) \
  if (auto temporary = __VA_ARGS__; !temporary) exit std::unexpected(std::move(temporary).error())

/// `CONCIERGUS_TRY(auto row, parse(text));` binds the value or returns the error. Expands to
/// statements: not under a brace-less `if`. The CO_ forms are for coroutines, the CHECK forms for
/// Result<void>.
#define CONCIERGUS_TRY(decl, ...) \
  CONCIERGUS_TRY_(CONCIERGUS_CAT(try_, __COUNTER__), return, decl, __VA_ARGS__)
#define CONCIERGUS_CO_TRY(decl, ...) \
  CONCIERGUS_TRY_(CONCIERGUS_CAT(try_, __COUNTER__), co_return, decl, __VA_ARGS__)
#define CONCIERGUS_CHECK(...) \
  CONCIERGUS_CHECK_(CONCIERGUS_CAT(check_, __COUNTER__), return, __VA_ARGS__)
#define CONCIERGUS_CO_CHECK(...) \
  CONCIERGUS_CHECK_(CONCIERGUS_CAT(check_, __COUNTER__), co_return, __VA_ARGS__)

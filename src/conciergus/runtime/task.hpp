#pragma once
/// The coroutine type of the project. Rules for its use: docs/architecture.md, "Coroutines".
#include <boost/asio/awaitable.hpp>

namespace conciergus {

namespace asio = boost::asio;

/// Lazy: nothing runs before it is awaited. Awaited where it is created, or spawned into a Gate.
template <class T>
using Task = boost::asio::awaitable<T>;

}  // namespace conciergus

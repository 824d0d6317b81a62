#pragma once
/// What a server knows of each of its connections, whatever protocol is spoken on it.
#include <boost/intrusive/list.hpp>

namespace conciergus::http {

/// Belongs to one shard; leaves the server's list when destroyed.
class Connection : public boost::intrusive::list_base_hook<
                       boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  virtual ~Connection() = default;

  /// Takes no further requests: closes at once when idle, else after what is running. The
  /// connection is not destroyed within the call.
  virtual void drain() noexcept = 0;
  virtual bool is_idle() const noexcept = 0;
};

}  // namespace conciergus::http

#pragma once
/// What the HTTP server counts. Requests by route are counted by the gateway's observer.
#include "conciergus/observe/metrics.hpp"

namespace conciergus::http {

struct ServerMetrics {
  observe::Gauge& open_connections;
  observe::Counter& received_bytes;    ///< On the wire, without TLS.
  observe::Counter& sent_bytes;        ///< On the wire, without TLS.
  observe::Counter& head_timeouts;     ///< Heads that came too slowly.
  observe::Counter& body_timeouts;     ///< Request bodies that came too slowly.
  observe::Counter& write_timeouts;    ///< Clients that took responses too slowly.
  observe::Counter& clients_gone;      ///< Requests cancelled since their client had left.
  observe::Counter& handler_failures;  ///< Exceptions out of handlers: each is a bug.
  observe::Counter& failed_handshakes;
  observe::Registry& registry;

  static ServerMetrics from(observe::Registry& registry);
  /// Requests refused before a handler saw them; the statuses are a closed set.
  void refused(unsigned status) const;
};

}  // namespace conciergus::http

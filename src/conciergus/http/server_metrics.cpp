#include "conciergus/http/server_metrics.hpp"

namespace conciergus::http {

ServerMetrics ServerMetrics::from(observe::Registry& registry) {
  const auto timeouts = [&](const char* of) -> observe::Counter& {
    return registry.counter("conciergus_http_timeouts_total",
                            "Connections closed since the client was too slow.",
                            {{"of", of}});
  };
  return {
      .open_connections = registry.gauge("conciergus_http_connections", "Connections open now."),
      .received_bytes = registry.counter("conciergus_http_received_bytes_total",
                                         "Bytes read from clients, without TLS framing."),
      .sent_bytes = registry.counter("conciergus_http_sent_bytes_total",
                                     "Bytes written to clients, without TLS framing."),
      .head_timeouts = timeouts("head"),
      .body_timeouts = timeouts("body"),
      .write_timeouts = timeouts("write"),
      .clients_gone = registry.counter("conciergus_http_clients_gone_total",
                                       "Requests cancelled since their client had left."),
      .handler_failures = registry.counter("conciergus_http_handler_failures_total",
                                           "Exceptions that left a handler: each is a bug."),
      .failed_handshakes = registry.counter("conciergus_http_failed_handshakes_total",
                                            "TLS handshakes that did not come to an end."),
      .registry = registry,
  };
}

void ServerMetrics::refused(unsigned status) const {
  registry
      .counter("conciergus_http_refused_requests_total",
               "Requests refused before a handler saw them, by status.",
               {{"status", std::to_string(status)}})
      .add();
}

}  // namespace conciergus::http

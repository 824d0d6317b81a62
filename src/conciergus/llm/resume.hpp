#pragma once
/// Streams that clients may come back to. A stream is one client's view of a flight, under an
/// unguessable name; its events carry `id: <stream>:<seq>`.
#include <atomic>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "conciergus/llm/flight.hpp"
#include "conciergus/observe/metrics.hpp"

namespace conciergus::llm {

struct ResumeConfig {
  std::chrono::seconds window{300};  ///< How long after the end, or after the client has left.
  std::size_t max_streams = 10'000;  ///< The one that ended first, or has been left longest, goes.
  std::size_t max_bytes = std::size_t{256} << 20;  ///< Of their events; likewise.
};

/// `<stream>:<seq>` of a Last-Event-ID field.
struct EventId {
  std::string stream;
  std::uint64_t seq = 0;
  /// Nothing for anything else.
  static std::optional<EventId> parse(std::string_view text);
  std::string to_string() const;
};

/// Thread-safe. Holds the flights of its streams: while one may be resumed its call goes on. They
/// keep their prefix (FlightConfig). Destroyed before the shards.
class ResumeRegistry {
 public:
  ResumeRegistry(const Clock& clock, observe::Registry& metrics, ResumeConfig config = {});
  ~ResumeRegistry();

  /// Names the stream that `subscription` carries and makes it resumable. `chat` is the UI's name
  /// for the conversation, or empty; the latest stream of a chat is the one it resumes. Empty when
  /// the registry is full of streams that are being listened to: this one is then not resumable.
  std::string add(std::string_view scope, std::string_view chat, Subscription& subscription);

  enum class Outcome : std::uint8_t {
    kFound,
    kNothing,   ///< 204: there is nothing more to give.
    kGone,      ///< 410: its time has passed, or its events are no longer kept.
    kNotFound,  ///< 404: no such stream, or not this scope's, which looks the same.
  };
  struct Found {
    Outcome outcome = Outcome::kNotFound;
    std::string stream{};
    std::unique_ptr<Subscription> subscription{};  ///< Set with kFound.
  };
  /// From the event after `last`.
  Found resume(std::string_view scope, const EventId& last, runtime::Shard& shard);
  /// The chat's running answer from its beginning; also one that ended with its client away.
  Found resume_chat(std::string_view scope, std::string_view chat, runtime::Shard& shard);

  /// Ends the stream for its client, and the upstream call if nobody else listens; kFound
  /// (also when it had ended) or kNotFound. Its chat has nothing to resume then.
  Outcome stop(std::string_view scope, std::string_view stream);
  Outcome stop_chat(std::string_view scope, std::string_view chat);

  /// Drops what has passed its window; done by run() every second.
  void sweep();
  /// Sweeps until cancelled.
  Task<void> run();

 private:
  struct Stream;
  using Streams = std::list<Stream>;

  Streams::iterator find(std::string_view scope, std::string_view stream);
  Found open(Streams::iterator stream, std::uint64_t from, runtime::Shard& shard);
  void stop(Stream& stream);
  void end(Stream& stream);
  void forget(Streams::iterator stream);
  bool make_room();

  const Clock& clock_;
  const ResumeConfig config_;
  observe::Gauge& kept_;
  observe::Counter& resumed_;
  observe::Counter& evicted_;

  std::mutex mutex_;
  Streams streams_;  // oldest first
  std::unordered_map<std::string_view, Streams::iterator> by_name_;
  std::unordered_map<std::string, Streams::iterator> by_chat_;  // scope, NUL, chat
};

}  // namespace conciergus::llm

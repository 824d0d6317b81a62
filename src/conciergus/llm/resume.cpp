#include "conciergus/llm/resume.hpp"

#include <algorithm>
#include <array>

#include <openssl/rand.h>

#include "conciergus/base/text.hpp"

namespace conciergus::llm {
namespace {

constexpr std::chrono::seconds kSweepEvery{1};

/// 128 random bits: knowing one stream's name tells nothing of another's.
std::string make_name() {
  std::array<char, 16> bytes{};
  auto* const raw = reinterpret_cast<unsigned char*>(bytes.data());
  if (RAND_bytes(raw, static_cast<int>(bytes.size())) != 1) return {};
  return to_hex({bytes.data(), bytes.size()});
}

std::string chat_key(std::string_view scope, std::string_view chat) {
  std::string key;
  key.reserve(scope.size() + 1 + chat.size());
  key += scope;
  key += '\0';
  key += chat;
  return key;
}

}  // namespace

std::optional<EventId> EventId::parse(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == 0 || colon == std::string_view::npos) return std::nullopt;
  const auto seq = parse_decimal(text.substr(colon + 1));
  if (!seq) return std::nullopt;
  return EventId{std::string(text.substr(0, colon)), *seq};
}

std::string EventId::to_string() const {
  return stream + ':' + std::to_string(seq);
}

/// With a flight while it can be resumed; without one it is remembered for another window, to tell
/// "gone" from "never was".
struct ResumeRegistry::Stream {
  std::string name;
  std::string scope;
  std::string chat;  // key of by_chat_, or empty
  std::shared_ptr<Flight> flight;
  std::shared_ptr<StreamTicket> ticket;
  Clock::Instant gone_since{};
};

ResumeRegistry::ResumeRegistry(const Clock& clock, observe::Registry& metrics, ResumeConfig config)
    : clock_(clock),
      config_(config),
      kept_(metrics.gauge("conciergus_llm_resumable_streams", "Streams that can be resumed")),
      resumed_(metrics.counter("conciergus_llm_resumed_total", "Streams that were resumed")),
      evicted_(metrics.counter("conciergus_llm_resumable_evicted_total",
                               "Streams given up before their time, for want of room")) {}

ResumeRegistry::~ResumeRegistry() = default;

std::string ResumeRegistry::add(std::string_view scope,
                                std::string_view chat,
                                Subscription& subscription) {
  const std::lock_guard lock(mutex_);
  if (!make_room()) return {};
  Stream stream{.name = make_name(),
                .scope = std::string(scope),
                .chat = chat.empty() ? std::string() : chat_key(scope, chat),
                .flight = subscription.flight(),
                .ticket = std::make_shared<StreamTicket>()};
  if (stream.name.empty()) return {};
  stream.flight->attach(subscription, stream.ticket);
  stream.flight->hold();
  const auto place = streams_.insert(streams_.end(), std::move(stream));
  by_name_.emplace(place->name, place);
  if (!place->chat.empty()) by_chat_.insert_or_assign(place->chat, place);
  kept_.add(1);
  return place->name;
}

ResumeRegistry::Found ResumeRegistry::resume(std::string_view scope,
                                             const EventId& last,
                                             runtime::Shard& shard) {
  const std::lock_guard lock(mutex_);
  const auto stream = find(scope, last.stream);
  if (stream == streams_.end()) return {};
  if (!stream->flight) return {.outcome = Outcome::kGone};
  const auto standing = stream->flight->standing();
  if (last.seq >= standing.pieces) return {.outcome = Outcome::kGone};  // was never sent
  const bool is_all = last.seq + 1 == standing.pieces;
  if (is_all && standing.is_ended && stream->ticket->is_delivered) {
    return {.outcome = Outcome::kNothing};
  }
  return open(stream, last.seq + 1, shard);
}

ResumeRegistry::Found ResumeRegistry::resume_chat(std::string_view scope,
                                                  std::string_view chat,
                                                  runtime::Shard& shard) {
  const std::lock_guard lock(mutex_);
  const auto found = by_chat_.find(chat_key(scope, chat));
  if (found == by_chat_.end()) return {.outcome = Outcome::kNothing};
  const auto stream = found->second;
  if (!stream->flight || stream->ticket->is_delivered) return {.outcome = Outcome::kNothing};
  Found opened = open(stream, 0, shard);
  if (opened.outcome != Outcome::kFound) opened.outcome = Outcome::kNothing;
  return opened;
}

ResumeRegistry::Outcome ResumeRegistry::stop(std::string_view scope, std::string_view name) {
  const std::lock_guard lock(mutex_);
  const auto stream = find(scope, name);
  if (stream == streams_.end()) return Outcome::kNotFound;
  stop(*stream);
  return Outcome::kFound;
}

ResumeRegistry::Outcome ResumeRegistry::stop_chat(std::string_view scope, std::string_view chat) {
  const std::lock_guard lock(mutex_);
  const auto found = by_chat_.find(chat_key(scope, chat));
  if (found == by_chat_.end()) return Outcome::kNotFound;
  stop(*found->second);
  return Outcome::kFound;
}

void ResumeRegistry::sweep() {
  const std::lock_guard lock(mutex_);
  const auto now = clock_.now();
  std::size_t bytes = 0;
  for (auto stream = streams_.begin(); stream != streams_.end();) {
    const auto here = stream++;
    if (!here->flight) {
      if (now - here->gone_since > config_.window) forget(here);
      continue;
    }
    const auto standing = here->flight->standing();
    const bool is_quiet = standing.is_ended || standing.subscribers == 0;
    if (is_quiet && now - standing.quiet_since > config_.window) {
      end(*here);
    } else {
      bytes += standing.bytes;
    }
  }
  for (auto& stream : streams_) {
    if (bytes <= config_.max_bytes) break;
    if (!stream.flight) continue;
    const auto standing = stream.flight->standing();
    if (!standing.is_ended && standing.subscribers > 0) continue;
    bytes -= standing.bytes;
    evicted_.add();
    end(stream);
  }
}

Task<void> ResumeRegistry::run() {
  asio::steady_timer timer{co_await asio::this_coro::executor};
  for (;;) {
    timer.expires_after(kSweepEvery);
    co_await timer.async_wait(asio::use_awaitable);
    sweep();
  }
}

// --- under the lock ----------------------------------------------------------------------------

ResumeRegistry::Streams::iterator ResumeRegistry::find(std::string_view scope,
                                                       std::string_view name) {
  const auto found = by_name_.find(name);
  if (found == by_name_.end() || found->second->scope != scope) return streams_.end();
  return found->second;
}

ResumeRegistry::Found ResumeRegistry::open(Streams::iterator stream,
                                           std::uint64_t from,
                                           runtime::Shard& shard) {
  auto subscription = stream->flight->subscribe(shard, from);
  if (!subscription) return {.outcome = Outcome::kGone};
  stream->flight->attach(*subscription, stream->ticket);
  resumed_.add();
  return {Outcome::kFound, stream->name, std::move(subscription)};
}

void ResumeRegistry::stop(Stream& stream) {
  if (!stream.flight) return;
  const auto flight = stream.flight;
  end(stream);
  flight->stop(*stream.ticket);
}

/// It can be resumed no more.
void ResumeRegistry::end(Stream& stream) {
  stream.flight->release();
  stream.flight.reset();
  stream.gone_since = clock_.now();
  kept_.add(-1);
}

void ResumeRegistry::forget(Streams::iterator stream) {
  by_name_.erase(stream->name);
  const auto chat = by_chat_.find(stream->chat);
  if (chat != by_chat_.end() && chat->second == stream) by_chat_.erase(chat);
  streams_.erase(stream);
}

/// Room for one more: what is remembered only goes first, then what has no listener, oldest first.
bool ResumeRegistry::make_room() {
  if (streams_.size() < config_.max_streams) return true;
  auto victim = std::ranges::find_if(streams_, [](const Stream& stream) { return !stream.flight; });
  if (victim == streams_.end()) {
    victim = std::ranges::find_if(streams_, [](const Stream& stream) {
      const auto standing = stream.flight->standing();
      return standing.is_ended || standing.subscribers == 0;
    });
    if (victim == streams_.end()) return false;
    evicted_.add();
    end(*victim);
  }
  forget(victim);
  return true;
}

}  // namespace conciergus::llm

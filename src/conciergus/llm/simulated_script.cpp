#include "conciergus/llm/simulated_script.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace conciergus::llm {
namespace {

using namespace std::chrono_literals;
using Kind = SimulatedEvent::Kind;
using Fault = SimulatedFaultKind;
using Ending = SimulatedScript::Ending;

constexpr std::string_view kComment = ": still here\n\n";
constexpr std::string_view kBrokenJson = "{\"broken\": ";

Task<void> pause(std::chrono::microseconds how_long) {
  asio::steady_timer timer{co_await asio::this_coro::executor, how_long};
  co_await timer.async_wait(asio::use_awaitable);
}

/// Ends the list behind `count` events of content.
void cut_after(std::vector<SimulatedEvent>& events, std::uint64_t count) {
  std::uint64_t content = 0;
  for (auto event = events.begin(); event != events.end(); ++event) {
    const bool is_next = content == count && event->kind != Kind::kOpening;
    if (is_next) {
      events.erase(event, events.end());
      return;
    }
    if (event->kind == Kind::kContent) ++content;
  }
}

std::vector<SimulatedEvent>::iterator first_content(std::vector<SimulatedEvent>& events) {
  return std::ranges::find(events, Kind::kContent, &SimulatedEvent::kind);
}

/// Works the fault into the events of a stream, and returns how it ends.
Ending damage(std::vector<SimulatedEvent>& events,
              Protocol protocol,
              const SimulatedAnswer& answer,
              const SimulatedFault& fault) {
  const std::string error = error_event(protocol, "simulated failure");
  switch (fault.kind) {
    case Fault::kPings:
      events.erase(first_content(events), events.end());
      return Ending::kPings;
    case Fault::kLifecycle:
      events.insert(
          first_content(events), fault.value, {Kind::kOpening, empty_event(protocol, answer)});
      return Ending::kClean;
    case Fault::kErrorIn200:
      events.assign(1, {Kind::kTerminal, error});
      return Ending::kClean;
    case Fault::kLifecycleError:
      events.erase(first_content(events), events.end());
      events.push_back({Kind::kTerminal, error});
      return Ending::kClean;
    case Fault::kError:
      cut_after(events, fault.value);
      events.push_back({Kind::kTerminal, error});
      return Ending::kClean;
    case Fault::kCut:
      cut_after(events, fault.value);
      return Ending::kBroken;
    case Fault::kEarlyEnd:
      cut_after(events, fault.value);
      return Ending::kClean;
    case Fault::kStall:
      cut_after(events, fault.value);
      return Ending::kSilence;
    case Fault::kMalformed:
      cut_after(events, fault.value);
      events.push_back({Kind::kTerminal, "data: " + std::string(kBrokenJson) + "\n\n"});
      return Ending::kClean;
    case Fault::kOversize:
      events.insert(first_content(events),
                    {Kind::kContent, "data: " + std::string(fault.value * 1'024, 'x') + "\n\n"});
      return Ending::kClean;
    case Fault::kNoDone:
      std::erase_if(events, [](const auto& event) { return event.kind == Kind::kTerminal; });
      return Ending::kClean;
    case Fault::kAfterDone:
      events.push_back(*first_content(events));
      return Ending::kClean;
    case Fault::kEmpty:
      std::erase_if(events, [](const auto& event) { return event.kind == Kind::kContent; });
      return Ending::kClean;
    default:
      return Ending::kClean;
  }
}

}  // namespace

double SimulatedPace::normal() {  // Box and Muller 1958
  const double radius = std::sqrt(-2 * std::log(1 - random_.unit()));
  return radius * std::cos(2 * std::numbers::pi * random_.unit());
}

std::chrono::microseconds SimulatedPace::first_token() {
  if (config_.instant) return 0us;
  const double median = std::chrono::duration<double>(config_.first_token).count();
  const double seconds = median * std::exp(config_.first_token_spread * normal());
  return std::chrono::microseconds(std::llround(seconds * 1e6));
}

std::chrono::microseconds SimulatedPace::next_token() {
  if (config_.instant) return 0us;
  const double seconds = std::exp(config_.token_spread * normal()) / config_.tokens_per_second;
  return std::chrono::microseconds(std::llround(seconds * 1e6));
}

SimulatedScript script_stream(Protocol protocol,
                              const SimulatedAnswer& answer,
                              bool includes_usage,
                              const SimulatedFault& fault,
                              SimulatedPace& pace) {
  auto events =
      stream_of(protocol,
                answer,
                {.has_reason = !fault.is(Fault::kNoFinish), .includes_usage = includes_usage});
  SimulatedScript script;
  script.ending = damage(events, protocol, answer, fault);
  bool has_begun = false;
  for (SimulatedEvent& event : events) {
    SimulatedScript::Piece piece{std::move(event.bytes)};
    if (event.kind == Kind::kContent) {
      piece.after = has_begun ? pace.next_token() : pace.first_token();
      if (fault.is(Fault::kDrip)) piece.after = std::chrono::milliseconds(fault.value);
      has_begun = true;
    }
    script.pieces.push_back(std::move(piece));
  }
  return script;
}

SimulatedScript script_whole(Protocol protocol,
                             const SimulatedAnswer& answer,
                             const SimulatedFault& fault,
                             SimulatedPace& pace) {
  std::string body = whole_of(protocol, answer);
  SimulatedScript script;
  auto wait = pace.first_token();
  for (std::uint64_t token = 1; token < answer.output_tokens; ++token) wait += pace.next_token();
  switch (fault.kind) {
    case Fault::kCut:
      script.ending = Ending::kBroken;
      body.resize(body.size() / 2);
      break;
    case Fault::kEarlyEnd:
      body.resize(body.size() / 2);
      break;
    case Fault::kStall:
    case Fault::kPings:
      script.ending = Ending::kSilence;
      body.resize(body.size() / 2);
      break;
    case Fault::kMalformed:
      body = kBrokenJson;
      break;
    case Fault::kErrorIn200:
    case Fault::kLifecycleError:
    case Fault::kError:
      body = error_body(protocol, 500, "simulated failure");
      break;
    default:
      break;
  }
  script.pieces.push_back({std::move(body), wait});
  return script;
}

Task<Result<std::string_view>> SimulatedBody::read() {
  if (next_ == script_.pieces.size()) {
    switch (script_.ending) {
      case Ending::kClean:
        co_return std::string_view{};
      case Ending::kBroken:
        co_return fail(ErrorCode::kUnavailable, "the simulated connection was cut");
      case Ending::kPings:
        co_await pause(20ms);
        co_return kComment;
      case Ending::kSilence:
        for (;;) co_await pause(1h);
    }
  }
  const auto wait = script_.pieces[next_].after;
  if (wait > 0us) co_await pause(wait);
  joined_ = std::move(script_.pieces[next_++].bytes);
  while (next_ < script_.pieces.size() && script_.pieces[next_].after == 0us) {
    joined_ += script_.pieces[next_++].bytes;
  }
  co_return joined_;
}

}  // namespace conciergus::llm

#pragma once
/// For tests: server-sent events taken apart, with none of a real parser's care.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace conciergus::llm {

struct Event {
  std::string name;
  std::string data;
};

/// Events of a stream of ours: at most one `event:` and one `data:` line each; comments are left
/// out.
inline std::vector<Event> split_events(std::string_view stream) {
  std::vector<Event> events;
  while (!stream.empty()) {
    const std::size_t end = stream.find("\n\n");
    std::string_view frame = stream.substr(0, end);
    stream.remove_prefix(end == std::string_view::npos ? stream.size() : end + 2);
    Event event;
    while (!frame.empty()) {
      const std::size_t line_end = std::min(frame.find('\n'), frame.size());
      const std::string_view line = frame.substr(0, line_end);
      frame.remove_prefix(std::min(line_end + 1, frame.size()));
      if (line.starts_with("event: ")) event.name = line.substr(7);
      if (line.starts_with("data: ")) event.data = line.substr(6);
    }
    if (!event.data.empty()) events.push_back(std::move(event));
  }
  return events;
}

}  // namespace conciergus::llm

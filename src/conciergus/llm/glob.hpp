#pragma once
/// Names with wildcards, as models are mapped and priced: "gpt-4o*", "*-mini", "*". `*` stands for
/// any run of characters, also none; everything else for itself.
#include <string_view>

namespace conciergus::llm {

/// Linear in the text for each star; never recursive.
constexpr bool glob_matches(std::string_view pattern, std::string_view text) noexcept {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;  // the last star met
  std::size_t taken = 0;                      // where in the text it ends for now
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++taken;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace conciergus::llm

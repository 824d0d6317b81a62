#pragma once
/// Text that must not be seen: it prints as ***, cannot be compared by accident, and wipes itself.
#include <string>
#include <string_view>

namespace conciergus {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) noexcept : text_(std::move(text)) {}
  Secret(const Secret&) = default;
  Secret& operator=(const Secret& other) {
    if (this != &other) {
      wipe();
      text_ = other.text_;
    }
    return *this;
  }
  Secret(Secret&& other) noexcept : text_(other.text_) { other.wipe(); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      wipe();
      text_ = other.text_;
      other.wipe();
    }
    return *this;
  }
  ~Secret() { wipe(); }

  bool empty() const noexcept { return text_.empty(); }
  /// The text itself. Each call is a place for a reviewer to look at.
  const std::string& reveal() const noexcept { return text_; }
  /// Constant time in the content, though not in the length.
  bool matches(std::string_view candidate) const noexcept;

 private:
  void wipe() noexcept;
  std::string text_;
};

/// "***", or "" when empty.
inline std::string_view to_string(const Secret& secret) noexcept {
  return secret.empty() ? "" : "***";
}

}  // namespace conciergus

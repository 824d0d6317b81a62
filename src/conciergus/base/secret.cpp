#include "conciergus/base/secret.hpp"

namespace conciergus {

bool Secret::matches(std::string_view candidate) const noexcept {
  if (candidate.size() != text_.size()) return false;
  unsigned char difference = 0;
  for (std::size_t i = 0; i < text_.size(); ++i) {
    difference |= static_cast<unsigned char>(text_[i]) ^ static_cast<unsigned char>(candidate[i]);
  }
  return difference == 0;
}

void Secret::wipe() noexcept {
  // volatile, so that the stores to memory about to be freed are not optimised away
  volatile char* bytes = text_.data();
  for (std::size_t i = 0; i < text_.size(); ++i) bytes[i] = 0;
  text_.clear();
}

}  // namespace conciergus

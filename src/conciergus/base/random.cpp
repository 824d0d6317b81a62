#include "conciergus/base/random.hpp"

#include <random>

namespace conciergus {

Random Random::from_entropy() {
  std::random_device entropy;
  return Random((std::uint64_t{entropy()} << 32) | entropy());
}

}  // namespace conciergus

#pragma once
/// Small fast random numbers for jitter, sampling and identifiers. Not for secrets: those come from
/// the system's generator. xoshiro256**, Blackman and Vigna 2018.
#include <array>
#include <bit>
#include <cstdint>

namespace conciergus {

/// Not thread-safe; satisfies std::uniform_random_bit_generator.
class Random {
 public:
  using result_type = std::uint64_t;
  /// The same seed gives the same sequence, on every machine.
  explicit Random(std::uint64_t seed) noexcept {
    for (auto& word : state_) {  // splitmix64, as the authors advise
      seed += 0x9e3779b97f4a7c15;
      std::uint64_t z = seed;
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
      z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
      word = z ^ (z >> 31);
    }
  }
  /// Seeded from the system's entropy.
  static Random from_entropy();

  static constexpr std::uint64_t min() noexcept { return 0; }
  static constexpr std::uint64_t max() noexcept { return ~std::uint64_t{0}; }
  std::uint64_t operator()() noexcept {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }
  /// Uniform in [0, 1).
  double unit() noexcept { return static_cast<double>((*this)() >> 11) * 0x1.0p-53; }
  /// Uniform in [0, bound), bound > 0; the bias of the modulo is below 2^-32 for bounds below 2^32.
  std::uint64_t below(std::uint64_t bound) noexcept { return (*this)() % bound; }

 private:
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace conciergus

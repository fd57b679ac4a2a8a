// SPDX-License-Identifier: Apache-2.0
// Rng: one seed, many named independent streams, the same numbers on every machine.
//
// xoshiro256++ (Blackman and Vigna, 2019) seeded by splitmix64. We do not use <random>'s
// distributions: the standard leaves their algorithms open, so the same seed would give other
// numbers elsewhere. Not thread-safe: give each thread its own split.
//
//   Rng rng{seed};
//   Rng sampler = rng.split("sampler");           // does not disturb rng
//   std::size_t i = sampler.below(n_items);
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace hg {

class Rng {
  public:
    using State = std::array<std::uint64_t, 4>;
    using result_type = std::uint64_t;

    explicit Rng(std::uint64_t seed) noexcept;

    /// A stream that depends only on this generator's current state and the name.
    [[nodiscard]] Rng split(std::string_view name) const noexcept;
    [[nodiscard]] Rng split(std::uint64_t index) const noexcept;

    /// 64 uniform bits. With min() and max(), a UniformRandomBitGenerator.
    std::uint64_t operator()() noexcept;

    [[nodiscard]] static constexpr std::uint64_t min() noexcept { return 0; }

    [[nodiscard]] static constexpr std::uint64_t max() noexcept { return ~std::uint64_t{0}; }

    /// Uniform in [0, 1), 53 bits.
    double uniform() noexcept;
    /// Uniform in {0, ..., bound - 1}, unbiased (Lemire, 2019). bound must be > 0.
    std::size_t below(std::size_t bound);
    /// Standard normal (polar Box-Muller, no cached second value, so the state is four words).
    double normal() noexcept;
    /// Standard Gumbel: -log(-log U). Adding it to log-weights and sorting samples Plackett-Luce.
    double gumbel() noexcept;

    /// Fisher-Yates.
    template <typename T>
    void shuffle(std::span<T> values) {
        for (std::size_t i = values.size(); i > 1; --i) {
            std::swap(values[i - 1], values[below(i)]);
        }
    }

    /// For checkpoints: a generator with the same state gives the same numbers.
    [[nodiscard]] const State& state() const noexcept { return state_; }

    void set_state(const State& state) noexcept { state_ = state; }

  private:
    State state_{};
};

}  // namespace hg

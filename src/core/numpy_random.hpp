// SPDX-License-Identifier: Apache-2.0
// NumpyRandom: numpy's legacy RandomState, draw for draw, so that worlds and intervals can be
// matched to Python originals.
//
// MT19937 seeded by init_genrand (= std::mt19937); doubles of 53 bits from two draws; normals by
// polar Box-Muller whose second value is cached; integers by masking and rejection (numpy,
// randomkit.c and legacy-distributions.c). Everything that need not match numpy uses core/rng.hpp.
// Not thread-safe.
//
//   NumpyRandom random{42};
//   const double u = random.uniform();            // numpy.random.RandomState(42).random_sample()
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>

namespace hg {

class NumpyRandom {
  public:
    explicit NumpyRandom(std::uint32_t seed) : engine_(seed) {}

    /// Starts again as RandomState(seed) does; no allocation.
    void reseed(std::uint32_t seed) {
        engine_.seed(seed);
        has_cached_normal_ = false;
    }

    /// random_sample(): [0, 1).
    double uniform() {
        const auto a = static_cast<std::uint32_t>(engine_()) >> 5U;
        const auto b = static_cast<std::uint32_t>(engine_()) >> 6U;
        return (a * 67108864.0 + b) / 9007199254740992.0;
    }

    /// uniform(low, high).
    double uniform(double low, double high);

    /// randint(n), n >= 1.
    std::uint32_t below(std::uint32_t n);

    /// standard_normal().
    double normal();

    /// normal(mean, sd).
    double normal(double mean, double sd);

    /// choice(len(p), p=p): the first index whose cumulative share exceeds one uniform draw.
    /// `probabilities` need not be normalised; at least one is > 0.
    std::size_t choice(std::span<const double> probabilities);

  private:
    std::mt19937 engine_;
    bool has_cached_normal_ = false;
    double cached_normal_ = 0;
};

}  // namespace hg

// SPDX-License-Identifier: Apache-2.0
// BayesOptimal: the best any policy can do in a small bandit whose prior is known, by dynamic
// programming over what has been seen (the belief MDP: Martin, 1967; Duff, 2002).
//
//   V(counts) = max_a  p_a (1 + V(counts + a won)) + (1 - p_a) V(counts + a lost)
//
// p_a: predicted click probability given the counts. Arms of independent uniform priors are alike, so
// counts are kept sorted: ten arms over twenty steps are 200,000 states. What learners are held to.
//
//   BayesOptimal optimum{uniform_arms(5), 20};
//   optimum.value();   optimum.best_arm(counts);
#pragma once

#include "core/matrix.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <variant>
#include <vector>

namespace hg::policy {

struct ArmCounts {
    std::uint8_t won = 0;
    std::uint8_t lost = 0;

    auto operator<=>(const ArmCounts&) const = default;
};

/// Every arm's click probability ~ U(0, 1), independently.
struct UniformArms {
    std::size_t n_arms = 0;
};

/// One of a few types of users, each with a click probability per arm.
struct TypedArms {
    Matrix<double> click;            // [types, arms]
    std::vector<double> type_share;  // [types]
};

class BayesOptimal {
  public:
    using Prior = std::variant<UniformArms, TypedArms>;

    /// Solves everything reachable. Throws Error{exhausted} above 20 million states.
    BayesOptimal(Prior prior, std::size_t horizon);

    /// Expected clicks of the best policy over the horizon.
    [[nodiscard]] double value() const;

    /// The first of the best arms; counts [n_arms] of at most horizon - 1 steps.
    [[nodiscard]] std::size_t best_arm(std::span<const ArmCounts> counts) const;

    [[nodiscard]] std::size_t n_states() const noexcept { return values_.size(); }

    [[nodiscard]] std::size_t n_arms() const;

  private:
    using Key = std::array<std::uint64_t, 2>;

    struct Hash {
        std::size_t operator()(const Key& key) const noexcept {
            constexpr std::uint64_t golden = 0x9E3779B97F4A7C15ULL;
            return (key[0] ^ (key[1] * golden)) * golden >> 7U;
        }
    };

    [[nodiscard]] Key key_of(std::span<const ArmCounts> counts) const;
    [[nodiscard]] std::vector<double> predicted(std::span<const ArmCounts> counts) const;
    [[nodiscard]] double known(std::vector<ArmCounts> counts, std::size_t seen) const;
    double solve(std::vector<ArmCounts> counts, std::size_t seen);

    Prior prior_;
    std::size_t horizon_;
    std::uint32_t bits_;  // of one count in a key
    std::unordered_map<Key, double, Hash> values_;
};

}  // namespace hg::policy

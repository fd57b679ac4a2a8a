// SPDX-License-Identifier: Apache-2.0
// PlackettLuce: an epsilon-mixed Plackett-Luce slate over the top M candidates: the default of the
// server.
//
// Each slot is drawn from the candidates left: with probability 1 - epsilon by a softmax of the
// scores (z-scored over the M, divided by the temperature), with epsilon uniformly, so every one of
// the M items keeps a known probability >= epsilon / M and the log can be used for off-policy
// evaluation. epsilon = 0 and temperature = 0 is the greedy slate and is marked deterministic.
// Data collection: a share of the slots is drawn uniformly from a wider pool, so that the log also
// says what items would earn that are not among the best M. (Plackett, 1975; the mixtures are ours.)
//
//   PlackettLuce policy{{.epsilon = 0.05}};
//   Slate slate = policy.act(candidates, 10, rng);
#pragma once

#include "core/options.hpp"
#include "policy/policy_model.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hg::policy {

struct PlackettLuceOptions {
    double epsilon = 0.05;
    double temperature = 0.1;
    std::int64_t max_candidates = 50;
    double random_share = 0;  // data collection; 0 = off
    std::int64_t random_candidates = 200;

    static void describe(OptionBinder& bind, PlackettLuceOptions& o) {
        bind("epsilon", o.epsilon, "share of uniform exploration per slot", {.min = 0, .max = 1});
        bind(
            "temperature",
            o.temperature,
            "softmax temperature over z-scored scores; 0 = greedy",
            {.min = 0, .max = 100}
        );
        bind(
            "max_candidates",
            o.max_candidates,
            "slates are drawn from the best M items",
            {.min = 1, .max = 1000}
        );
        bind(
            "random_share",
            o.random_share,
            "data collection: share of slots drawn from the wider pool; 0 = off",
            {.min = 0, .max = 1}
        );
        bind(
            "random_candidates",
            o.random_candidates,
            "data collection: size of the wider pool",
            {.min = 1, .max = 10000}
        );
    }

    /// How many of the best candidates a slate can show, and so must be logged.
    [[nodiscard]] std::int64_t pool_size() const noexcept {
        return random_share > 0 ? std::max(max_candidates, random_candidates) : max_candidates;
    }
};

class PlackettLuce final : public PolicyModel {
  public:
    explicit PlackettLuce(PlackettLuceOptions options);

    [[nodiscard]] Slate act(std::span<const Scored> candidates, std::size_t k, Rng& rng)
        const override;
    [[nodiscard]] std::vector<double> propensities(
        std::span<const Scored> candidates, std::span<const std::uint32_t> slots
    ) const override;

    /// The probability of each of the first pool_size() candidates in the first slot, in linear time.
    [[nodiscard]] std::vector<double> first_slot(std::span<const Scored> candidates) const;

    [[nodiscard]] std::string_view version() const override { return version_; }

    [[nodiscard]] const PlackettLuceOptions& options() const noexcept { return options_; }

  private:
    PlackettLuceOptions options_;
    std::string version_;
};

/// The options of the policy whose version() this is; nothing where it is another kind's.
[[nodiscard]] std::optional<PlackettLuceOptions> parse_plackett_luce(std::string_view version);

}  // namespace hg::policy

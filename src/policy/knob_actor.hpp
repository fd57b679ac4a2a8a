// SPDX-License-Identifier: Apache-2.0
// KnobActor: a learned KnobPolicy: exploration, novelty, content and diversity of each slate chosen from the
// summary of the user's belief by a small network, without torch, in about a microsecond.
//
//   z -> 2 tanh(W2 tanh(W1 z + b1) + b2), diversity 1 + tanh(...)     (knob_net.hpp learns it by PPO, evolution by trying)
//
// Made by `honeyguide learn --agent meta_policy --set head=knobs --world served:RUN`. One that learned from items
// shown one by one (world.slate_size=1) leaves diversity at 0. Where there is no belief it is greedy.
//
//   const auto actor = KnobActor::load("runs/meta");     // throws Error: what was expected
//   const Knobs knobs = actor->choose({.summary = summarise(belief)});
#pragma once

#include "core/matrix.hpp"
#include "policy/knobs.hpp"
#include "policy/served_items.hpp"

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hg::policy {

/// An actor's knobs lie within +- this, diversity from 0 to this.
constexpr double most_chosen = 2;

class KnobActor final : public KnobPolicy {
  public:
    struct Layers {
        Matrix<float> hidden;  // [width, summary]
        std::vector<float> hidden_bias;
        Matrix<float> out;  // [n_signals, width], or one row more: diversity
        std::vector<float> out_bias;
    };

    /// `version` names the weights.
    KnobActor(Layers layers, std::string version, std::string_view agent = "meta_policy");

    /// Of a run of learn. Throws Error where it is another kind of run, or its actor saw a belief
    /// of another shape.
    [[nodiscard]] static std::shared_ptr<const KnobActor> load(const std::filesystem::path& run);

    [[nodiscard]] Knobs choose(const KnobState& state) const override;

    [[nodiscard]] std::string_view name() const override { return name_; }

    [[nodiscard]] std::string_view version() const override { return version_; }

    [[nodiscard]] bool reads_belief() const override { return true; }

  private:
    Layers layers_;
    std::string version_;
    std::string name_;
};

/// "meta@0123456789ab": the folder's name and a digest of the weights.
[[nodiscard]] std::string actor_version(const std::filesystem::path& run);

}  // namespace hg::policy

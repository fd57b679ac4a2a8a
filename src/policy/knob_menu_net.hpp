// SPDX-License-Identifier: Apache-2.0
// KnobMenuNet: a menu of knobs and what each is worth to a user in this state: the network of knob_dqn.
// Private to this room.
//
//   score_m(i) = base(i) + sum_j level_mj signal_j(i)       Q(z, m) = MLP(z)_m
//
//   head    base and signals of an item                      z
//   belief  its mean; its deviation under the belief         how long the session is, how sure the belief
//   knobs   its score; exploration, novelty, content         the user's numbers (worlds served:RUN)
//
// and, where a world served:RUN shows slates, diversity (diverse_scores_net.hpp). Level 0 everywhere, the first of the menu, is greed.
#pragma once

#include "policy/agent_net.hpp"
#include "policy/belief_filter_net.hpp"
#include "policy/diverse_scores_net.hpp"

#include <cstdint>
#include <memory>
#include <string_view>

namespace hg::policy {

struct KnobMenuNet : torch::nn::Module {
    /// Throws Error where head = knobs and the world is not that of a served run.
    KnobMenuNet(const AgentContext& context, const NetworkOptions& options);

    struct Seen {
        at::Tensor summary;     // z [B, size]
        at::Tensor scores;      // [B, menu, n], before diversity
        at::Tensor directions;  // of items, [B, n, d]; undefined where none is shown
    };

    /// Without gradient: the belief learns by next_answer_loss() alone.
    [[nodiscard]] Seen look(const NetInput& in) const;

    /// [B, menu]
    [[nodiscard]] at::Tensor values(const at::Tensor& summary);

    /// The scores by which one entry for each user, [B], shows the best k first: [B, n].
    [[nodiscard]] at::Tensor scores_of(const Seen& seen, const at::Tensor& entries, std::int64_t k)
        const;

    /// The slates of k items that each entry would show, [B, menu, k], best first.
    [[nodiscard]] at::Tensor slates(const Seen& seen, std::int64_t k) const;

    /// How badly the belief predicts the newest answer; undefined without a belief.
    [[nodiscard]] at::Tensor next_answer_loss(const at::Tensor& sessions) const;

    /// As Agent::begin_with(), of a run of agent belief: its prior; the entry nearest to its alpha
    /// is worth a little more than the others.
    bool begin_with(
        std::string_view agent, const nlohmann::json& options, const SafetensorsFile& weights
    );

    [[nodiscard]] std::int64_t size() const { return levels_.size(0); }

  private:
    std::int64_t length_ = 0;
    at::Tensor levels_;       // [menu, signals]
    at::Tensor diversities_;  // [menu], where slates show directions
    DiverseAmong among_;
    std::shared_ptr<BeliefFilterNet> belief_;  // null: head = knobs
    torch::nn::Linear hidden_{nullptr};
    torch::nn::Linear out_{nullptr};
};

}  // namespace hg::policy

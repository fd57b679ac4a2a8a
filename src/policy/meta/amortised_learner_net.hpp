// SPDX-License-Identifier: Apache-2.0
// AmortisedLearner: a network reads each event into a vector, a belief is the sum of these, another
// network answers from the sum: what PEARL and neural processes share. Private to this room.
//
//   s = sum_n e(x_n, y_n),   answer(x) = g(x, s, n)
//
// A sum knows no order and takes one event more in the time of one: the belief keeps no events.
#pragma once

#include "policy/meta/mlp_net.hpp"
#include "policy/meta/outer_loop_net.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace hg::policy {

class AmortisedLearner : public MetaLearner {
  public:
    AmortisedLearner(std::size_t n_inputs, const OuterOptions& options)
        : outer_(options), n_inputs_(n_inputs) {}

    void fit(std::span<const TaskEvents> tasks, MetaFit session) final;
    [[nodiscard]] TaskBelief start() const final;
    void adapt(TaskBelief& belief, const EventsView& events) const final;
    void predict(const TaskBelief& belief, const QueriesView& queries, std::span<float> out)
        const final;
    void save(SafetensorsWriter& weights) const final;
    void load(const SafetensorsFile& weights) final;

  protected:
    struct Sums {
        at::Tensor vectors;  // [B, state_size]
        at::Tensor counts;   // [B, 1]
    };

    /// Length of s.
    [[nodiscard]] virtual std::int64_t state_size() const = 0;
    /// e of every event, [B, K, state_size].
    [[nodiscard]] virtual at::Tensor encode(const EventTensors& events) const = 0;
    /// The answers expected, [B, Q].
    [[nodiscard]] virtual at::Tensor answer(const Sums& sums, const at::Tensor& inputs) const = 0;
    /// Of a training batch.
    [[nodiscard]] virtual at::Tensor loss(const Sums& sums, const EventTensors& query) const = 0;
    [[nodiscard]] virtual train::Adam::NamedTensors named_weights() const = 0;

  private:
    [[nodiscard]] Sums sum(const EventTensors& events) const;

    OuterOptions outer_;
    std::size_t n_inputs_;
    TargetScale scale_;
};

/// (x, y) as an encoder reads it, [B, K, d + 1].
[[nodiscard]] inline at::Tensor with_targets(const EventTensors& events) {
    return at::cat({events.inputs, events.targets.unsqueeze(-1)}, -1);
}

}  // namespace hg::policy

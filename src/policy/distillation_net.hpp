// SPDX-License-Identifier: Apache-2.0
// Distillation: a network learns by cross-entropy to show what a teacher would show, in sessions that
// the teacher, the learner itself and chance have played together (decision-pretrained: Lee et al.,
// 2023, "Supervised pretraining can learn in-context reinforcement learning"). Private to this room.
//
//   L = E_{session ~ mixture}  -log P_net(teacher's slate | session, candidates)
//
// Where we deviate: the label is the teacher's choice after the very session, so that a belief policy
// that explores is learned with its exploration, and not the best item in hindsight; and a share of
// the sessions is the learner's own (as DAgger: Ross et al., 2011), so that it is also taught where its
// own mistakes lead.
#pragma once

#include "policy/agent_mixture.hpp"
#include "policy/lessons_net.hpp"

#include <cstdint>
#include <memory>

namespace hg::policy {

class Distillation final : public Lessons {
  public:
    /// The teacher is loaded when it is first asked, so that a run plays without it.
    Distillation(const LessonOptions& options, const Student& student);

    /// Teacher, learner and chance by their shares.
    [[nodiscard]] Agent& behaviour() override;

    void observe(const TransitionBatch& step, Rng& rng, const MetricSink& log) override;

  private:
    void load_teacher();
    void remember(const TransitionBatch& step, const at::Tensor& slates);
    void learn(Rng& rng, const MetricSink& log);

    std::size_t session_tokens_;
    std::uint64_t seed_;
    std::unique_ptr<Agent> teacher_;
    std::unique_ptr<Agent> chance_;
    std::unique_ptr<AgentMixture> behaviour_;
    NetInput lessons_;   // ring, [remembered, ...]
    at::Tensor labels_;  // [remembered, k] int64
    std::int64_t n_lessons_ = 0;
    std::int64_t next_ = 0;
};

}  // namespace hg::policy

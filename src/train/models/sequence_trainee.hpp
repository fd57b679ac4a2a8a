// SPDX-License-Identifier: Apache-2.0
// sequence_trainee: what a sequence net learns from: every event of a user predicted from those
// before it. Private to this room.
#pragma once

#include "data/interaction_log.hpp"
#include "train/holdout.hpp"
#include "train/models/sequence_options.hpp"
#include "train/models/sequence_tokens.hpp"
#include "train/ranking_loss.hpp"
#include "train/trainer.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace hg::train {

/// Training sequences with each user's last event held out (or not), and the questions they answer.
struct SequenceSplit {
    std::vector<Tokens> sequences;  // items of a user, oldest first
    std::vector<Query> queries;
    std::vector<float> popularity;  // [N]
};

/// `validate`: hold out the last event of at most 5,000 users.
[[nodiscard]] SequenceSplit split_log(const data::InteractionLog& log, bool validate, Rng rng);

class SequenceTrainee final : public Trainee {
  public:
    /// `content`: unit rows [N, C] on the net's device, or undefined. Borrows net and options.
    SequenceTrainee(
        SequenceNet& net, const SequenceOptions& options, SequenceSplit split, at::Tensor content
    );

    [[nodiscard]] std::vector<std::pair<std::string, at::Tensor>> parameters() override;

    [[nodiscard]] std::size_t n_examples() const override { return split_.sequences.size(); }

    /// Windows of at most max_length tokens, long users cut at a random place; batches of similar
    /// length.
    [[nodiscard]] std::vector<Batch> plan_epoch(std::size_t batch_size, Rng rng) override;

    /// Mean over the batch's events of the loss of predicting each from those before it.
    [[nodiscard]] at::Tensor loss(const Batch& batch, Rng& rng) override;

    [[nodiscard]] std::optional<double> validate() override;

  private:
    enum class Loss : std::uint8_t { full, sampled, gbce, bce };

    /// Predict events [begin, end) of a sequence, each from those of the window before it.
    struct Window {
        std::uint32_t sequence = 0;
        std::uint32_t begin = 0;
        std::uint32_t end = 0;
    };

    /// A host tensor on the net's device.
    [[nodiscard]] at::Tensor placed(const at::Tensor& tensor) const;
    [[nodiscard]] static Loss chosen_loss(const SequenceOptions& options, std::size_t n_items);
    void cut(std::uint32_t sequence, Rng& rng);
    [[nodiscard]] at::Tensor training_table(Rng& rng) const;
    [[nodiscard]] at::Tensor token_loss(
        const at::Tensor& states, const at::Tensor& table, const at::Tensor& targets, Rng& rng
    ) const;

    SequenceNet& net_;
    const SequenceOptions& options_;
    SequenceSplit split_;
    at::Tensor content_;
    Loss loss_;
    NegativeSampler sampler_;
    bool short_products_;
    std::vector<Window> windows_;
};

}  // namespace hg::train

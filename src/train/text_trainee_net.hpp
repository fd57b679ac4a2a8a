// SPDX-License-Identifier: Apache-2.0
// TextTrainee: what a text model learns from a catalogue: the words hidden from it, and which texts
// the same people take.
//
//   loss = -E log P(piece | the others) + contrastive_weight x contrastive_loss
//
// An example is a text. Its asked pieces are drawn anew whenever it comes; its partner is drawn from
// what users took soon before or after it (co_taken.hpp), and is told from the partners of the batch
// by the vectors that `encode` gives, nothing hidden. A part of the texts is held out: their pieces,
// always the same ones asked, and partners judge every epoch; no partner in training is one of them.
#pragma once

#include "encode/masked_bert_net.hpp"
#include "encode/word_masks.hpp"
#include "train/adapt_text.hpp"
#include "train/co_taken.hpp"
#include "train/trainer.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace hg::train {

/// The texts of a catalogue as pieces, each once, and which of them are held out.
struct SplitTexts {
    std::vector<std::vector<std::int32_t>> texts;
    std::vector<std::uint32_t> learned{};     // indices into texts
    std::vector<std::uint32_t> held_out;      // likewise
    std::vector<std::uint32_t> text_of_item;  // [n_items]; CoTaken::nothing where there is none
};

class TextTrainee final : public Trainee {
  public:
    using OnEpoch = std::function<void(std::int64_t epoch, const TextQuality& quality)>;

    /// Borrows net, masker, options and context.
    TextTrainee(
        encode::MaskedBert& net,
        const encode::WordMasker& masker,
        std::int32_t pad_id,
        const AdaptOptions& options,
        SplitTexts split,
        const FitContext& context
    );

    [[nodiscard]] std::vector<std::pair<std::string, at::Tensor>> parameters() override;

    [[nodiscard]] std::size_t n_examples() const override { return split_.learned.size(); }

    /// Batches of similar length.
    [[nodiscard]] std::vector<Batch> plan_epoch(std::size_t batch_size, Rng rng) override;

    [[nodiscard]] at::Tensor loss(const Batch& batch, Rng& rng) override;

    /// Of measure(): minus its loss.
    [[nodiscard]] std::optional<double> validate() override;

    [[nodiscard]] std::string_view validation_name() const override { return "log_likelihood"; }

    void epoch_ended(std::int64_t epoch) override;

    /// On the held-out texts, with the weights as they are.
    [[nodiscard]] TextQuality measure();

    /// As of epoch 0; no point of the curves where a training goes on from a checkpoint.
    [[nodiscard]] TextQuality measure_first();

    /// What validate() would say of it.
    [[nodiscard]] double log_likelihood(const TextQuality& quality) const;

    OnEpoch on_epoch;

  private:
    /// A sum over what was asked.
    struct Tally {
        double loss = 0;
        double right = 0;
        std::size_t n = 0;

        void add(const at::Tensor& logits, const at::Tensor& answers);
    };

    struct AskedWords {
        at::Tensor logits;   // [n, vocabulary]
        at::Tensor answers;  // [n] int64
    };

    /// Each of the texts has a piece to ask for.
    [[nodiscard]] AskedWords ask_words(std::span<const std::uint32_t> texts, Rng& rng);
    /// pair_logits of the texts that have partners; undefined where fewer than two have.
    [[nodiscard]] at::Tensor ask_partners(
        std::span<const std::uint32_t> texts, const CoTaken& pairs, Rng& rng
    );
    [[nodiscard]] encode::PaddedTokens padded(std::span<const std::uint32_t> texts) const;

    encode::MaskedBert& net_;
    const AdaptOptions& options_;
    const FitContext& context_;
    SplitTexts split_;
    const encode::WordMasker& masker_;
    std::int32_t pad_id_;
    std::optional<CoTaken> learned_pairs_;  // of texts that are not held out
    std::optional<CoTaken> all_pairs_;
    std::vector<std::uint32_t> order_;  // of the epoch: batches index it
    TextQuality last_;
};

}  // namespace hg::train

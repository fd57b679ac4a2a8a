// SPDX-License-Identifier: Apache-2.0
// adapt_text: goes on training a BERT of the Hugging Face layout on the texts of a catalogue, by
// masked words and by what is taken together; what the verb `adapt-text` does.
//
// Devlin et al., "BERT" (2019): max E log P(piece | the others) over 15 % of the pieces. Names,
// makers and kinds of a shop are words a general model has never met. To this comes, with
// contrastive_weight > 0, a contrastive loss on pairs of items that one user took soon after one
// another (contrastive_loss.hpp); without it the log is not looked at. What is written is a folder
// of the same layout, its manifest last. The catalogue's text rule is encode's.
//
//   const auto made = adapt_text({.dataset = data, .model = bert, .folder = out}, progress, stop);
//   encode_dataset({.folder = "movies", .settings = {model = out}}, ...);
#pragma once

#include "core/options.hpp"
#include "core/progress.hpp"
#include "data/dataset.hpp"
#include "train/training_options.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

namespace hg::train {

struct AdaptOptions {
    TrainingOptions training{
        .epochs = 10, .batch_size = 32, .patience = 3, .learning_rate = 1e-4, .weight_decay = 0.01
    };
    std::int64_t warmup_steps = 50;
    double asked_share = 0.15;
    double contrastive_weight = 0;  // words alone were as good: docs/how-to/adapt-a-text-model.md
    double temperature = 0.1;
    std::int64_t window = 3;
    double held_out_share = 0.1;
    std::int64_t max_tokens = 128;
    std::vector<std::string> fields;
    std::string device = "cpu";

    static void describe(OptionBinder& bind, AdaptOptions& o);
};

/// How well a model knows the texts that are held out. Losses are means in nats.
struct TextQuality {
    double masked_loss = 0;
    double masked_accuracy = 0;  // of the asked pieces, the likeliest is right
    std::size_t n_words = 0;     // asked
    double contrastive_loss = 0;
    double partner_first = 0;  // share of pairs whose partner comes first in its batch
    std::size_t n_pairs = 0;   // 0 where contrastive_weight is
};

struct AdaptRequest {
    const data::Dataset& dataset;
    std::filesystem::path model;
    std::filesystem::path folder;  // of the new model
    Settings settings{};           // of AdaptOptions
    std::uint64_t seed = 7;
    /// After every epoch, and as epoch 0 before the first; not those before a resumption.
    std::function<void(std::int64_t epoch, const TextQuality& quality)> on_epoch{};
};

struct AdaptSummary {
    std::size_t n_learned = 0;   // texts
    std::size_t n_held_out = 0;  // texts
    bool had_head = false;       // whether the folder knew how to guess words
    TextQuality before{};
    TextQuality after{};
    std::int64_t epochs_run = 0;
    std::int64_t best_epoch = 0;
    double seconds = 0;
};

/// Throws Error; on a stop request the checkpoint stays and Error{interrupted} is thrown; the same
/// call again resumes.
[[nodiscard]] AdaptSummary adapt_text(
    const AdaptRequest& request, ProgressSink& progress, std::stop_token stop
);

}  // namespace hg::train

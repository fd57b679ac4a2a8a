// SPDX-License-Identifier: Apache-2.0
// SequenceOptions: what can be set of sequence models (sasrec, hstu), and which of them it is.
// Private to this room.
#pragma once

#include "core/options.hpp"
#include "train/training_options.hpp"

#include <cstdint>
#include <string>

namespace hg::train {

/// What stands between the item vectors and the states.
enum class BlockKind : std::uint8_t { attention, hstu };

struct SequenceOptions {
    std::int64_t dim = 64;
    std::int64_t blocks = 2;
    std::int64_t heads = 2;
    std::int64_t max_length = 200;
    double dropout = 0.3;
    TrainingOptions training{.epochs = 100, .batch_size = 32, .patience = 6, .learning_rate = 2e-3};
    std::int64_t warmup_steps = 100;
    std::string loss = "auto";
    std::int64_t negatives = 256;
    double calibration = 0.75;
    double negative_power = 0;
    bool correct_log_q = true;
    double temperature = 0;
    std::string long_histories = "cut";
    bool use_content = true;
    double content_only_share = 0.1;
    bool validate = true;
    bool refit = false;
    std::string precision = "fp32";
    std::string device = "cpu";

    static void describe(OptionBinder& bind, SequenceOptions& o) {
        bind("dim", o.dim, "width of item vectors and states", {.min = 1, .max = 4096});
        bind("blocks", o.blocks, "transformer blocks", {.min = 1, .max = 64});
        bind("heads", o.heads, "attention heads; divides dim", {.min = 1, .max = 64});
        bind(
            "max_length",
            o.max_length,
            "how many of the last events count",
            {.min = 2, .max = 65536}
        );
        bind("dropout", o.dropout, "share of units dropped in training", {.min = 0, .max = 0.95});
        TrainingOptions::describe(bind, o.training, "sequences");
        bind(
            "warmup_steps", o.warmup_steps, "steps over which the learning rate rises", {.min = 0}
        );
        bind(
            "loss",
            o.loss,
            "softmax over all items, over sampled ones, calibrated cross-entropy (gbce) with "
            "sampled "
            "ones, or one negative (bce); auto = full up to 20,000 items",
            {.choices = {"auto", "full", "sampled", "gbce", "bce"}}
        );
        bind(
            "negatives",
            o.negatives,
            "items drawn by loss = sampled (per step) or gbce (per 64 events)",
            {.min = 1, .max = 1e6}
        );
        bind(
            "calibration",
            o.calibration,
            "gbce: 0 = scores overconfident from drawing few negatives, 1 = corrected in full",
            {.min = 0, .max = 1}
        );
        bind(
            "negative_power",
            o.negative_power,
            "negatives ~ popularity to this power",
            {.min = 0, .max = 1}
        );
        bind(
            "correct_log_q",
            o.correct_log_q,
            "sampled: correct the logits for how often an item is drawn"
        );
        bind(
            "temperature",
            o.temperature,
            "0 = inner products; above 0 = cosines divided by it (0.05 suits sampled)",
            {.min = 0, .max = 10}
        );
        bind(
            "long_histories",
            o.long_histories,
            "events beyond max_length: cut into several sequences, or learn from the last only",
            {.choices = {"cut", "last"}}
        );
        bind("use_content", o.use_content, "add projected item vectors where the dataset has them");
        bind(
            "content_only_share",
            o.content_only_share,
            "share of items whose own vector is dropped in a step, so that content stands alone "
            "for new items",
            {.min = 0, .max = 0.9}
        );
        bind("validate", o.validate, "hold out each user's last event to choose the epoch");
        bind(
            "refit",
            o.refit,
            "learn again from everything for as many epochs as were best; takes twice the time"
        );
        bind(
            "precision",
            o.precision,
            "of the matrix products in training; bf16 needs a processor with such instructions to "
            "be faster, auto = bf16 on those",
            {.choices = {"fp32", "bf16", "auto"}}
        );
        bind("device", o.device, "where it trains: cpu, cuda or cuda:N; it serves from any host");
    }
};

}  // namespace hg::train

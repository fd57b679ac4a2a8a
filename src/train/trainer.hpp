// SPDX-License-Identifier: Apache-2.0
// Trainer: the epoch loop of every model that learns by gradient: AdamW, early stopping on
// validation with the best weights kept, checkpoints, resume, progress.
//
// Why one loop: a model says what a batch costs and how good it is (Trainee); everything that can
// go wrong around it is written and tested once. Randomness is a function of (seed, epoch, batch),
// so the position in the epoch is the whole state of the sampler and of dropout, and a resumed run
// ends with the very weights of an uninterrupted one. The checkpoint is one safetensors file,
// written atomically.
//
//   MyTrainee trainee{...};                                  // loss(), validate(), parameters()
//   const auto result = train(trainee, {.epochs = 50, .batch_size = 64}, context);
#pragma once

#include "core/rng.hpp"
#include "core/tensor_fwd.hpp"
#include "train/model_entry.hpp"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hg::train {

/// Indices of examples that make one step together.
using Batch = std::vector<std::uint32_t>;

/// What a model brings to the loop. Called from one thread.
class Trainee {
  public:
    Trainee() = default;
    Trainee(const Trainee&) = delete;
    Trainee& operator=(const Trainee&) = delete;
    Trainee(Trainee&&) = delete;
    Trainee& operator=(Trainee&&) = delete;
    virtual ~Trainee() = default;

    /// What is learned, by name; the same names in the same order at every call. Handles share
    /// storage.
    [[nodiscard]] virtual std::vector<std::pair<std::string, at::Tensor>> parameters() = 0;

    [[nodiscard]] virtual std::size_t n_examples() const = 0;

    /// The batches of one epoch; must depend on `rng` alone. Default: shuffle and cut.
    [[nodiscard]] virtual std::vector<Batch> plan_epoch(std::size_t batch_size, Rng rng);

    /// Mean loss of a batch, a scalar with a graph. All that is random comes from `rng`.
    [[nodiscard]] virtual at::Tensor loss(const Batch& batch, Rng& rng) = 0;

    /// Quality on held-out data, higher is better; nothing = there is none to hold out.
    [[nodiscard]] virtual std::optional<double> validate() = 0;

    [[nodiscard]] virtual std::string_view validation_name() const { return "ndcg@10"; }

    /// After validate() of that epoch, counted from 1: for curves of its own.
    virtual void epoch_ended(std::int64_t /*epoch*/) {}
};

/// Bytes of a float32 matrix while it is trained: its values, their gradient, two moments, the best so far.
[[nodiscard]] constexpr double trained_bytes(std::size_t rows, std::size_t columns) noexcept {
    constexpr double copies = 5;
    return copies * sizeof(float) * static_cast<double>(rows) * static_cast<double>(columns);
}

struct TrainOptions {
    std::string label = "train";  // of the progress bar and of the checkpoint
    std::int64_t epochs = 100;    // at most
    std::int64_t batch_size = 64;
    std::int64_t patience = 10;  // epochs without a better validation before stopping; 0 = never
    double learning_rate = 1e-3;
    double weight_decay = 0;        // decoupled (AdamW), on matrices only
    double clip_norm = 0;           // of the whole gradient; 0 = off
    std::int64_t warmup_steps = 0;  // learning rate rises linearly over these
    double final_rate_share = 1;    // it falls to this share of itself, a half cosine over `epochs`
    double beta2 = 0.999;
    double checkpoint_seconds = 30;  // saved at the end of an epoch, once this long after the last
    std::string fingerprint{};       // settings and data; another one in a checkpoint is refused
};

struct TrainResult {
    std::int64_t epochs_run = 0;
    std::int64_t best_epoch = 0;  // counted from 1; epochs_run where nothing validates
    std::optional<double> best_validation;
    double last_loss = 0;  // mean over the last epoch
};

/// Trains in place and leaves the best weights in the trainee. Resumes from context.run's
/// checkpoint where there is one of this label. On a stop request saves one and throws
/// Error{interrupted}. A loss that is not finite throws Error{internal} with the epoch and what to
/// change.
[[nodiscard]] TrainResult train(
    Trainee& trainee, const TrainOptions& options, const FitContext& context
);

/// The result as facts of the run's manifest (fit.best_epoch, fit.validation, ...), where there is
/// a run.
void note_result(const TrainResult& result, const FitContext& context);

/// How often one epoch goes over the examples: once, or as often as a small log needs for 16 steps.
[[nodiscard]] std::size_t passes_per_epoch(std::size_t n_examples, std::int64_t batch_size);

/// Shuffle 0..n-1 and cut into batches.
[[nodiscard]] std::vector<Batch> shuffled_batches(
    std::size_t n_examples, std::size_t batch_size, Rng rng
);

/// Batches of similar `length` of examples that come in random order: sorted by it within pools of a
/// few batches, cut, and the batches, which index the examples, shuffled.
template <typename Example, typename Length>
[[nodiscard]] std::vector<Batch> batches_by_length(
    std::span<Example> examples, std::size_t batch_size, const Length& length, Rng& rng
) {
    constexpr std::size_t pool_batches = 8;
    const auto pool = batch_size * pool_batches;
    for (std::size_t first = 0; first < examples.size(); first += pool) {
        const auto part = examples.subspan(first, std::min(pool, examples.size() - first));
        std::ranges::stable_sort(part, {}, length);
    }
    std::vector<Batch> batches;
    for (std::size_t first = 0; first < examples.size(); first += batch_size) {
        Batch batch(std::min(batch_size, examples.size() - first));
        std::iota(batch.begin(), batch.end(), static_cast<std::uint32_t>(first));
        batches.push_back(std::move(batch));
    }
    rng.shuffle(std::span{batches});
    return batches;
}

}  // namespace hg::train

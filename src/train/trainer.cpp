// SPDX-License-Identifier: Apache-2.0
#include "train/trainer.hpp"

#include "core/clock.hpp"
#include "core/progress.hpp"
#include "train/adam.hpp"
#include "train/checkpoint.hpp"
#include "train/run.hpp"

#include <ATen/Context.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace hg::train {
namespace {

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

NamedTensors clones(const NamedTensors& tensors) {
    NamedTensors copies;
    for (const auto& [name, tensor] : tensors) {
        copies.emplace_back(name, tensor.detach().clone());
    }
    return copies;
}

void copy_values(const NamedTensors& from, NamedTensors& to) {
    const at::NoGradGuard no_grad;
    for (std::size_t i = 0; i < from.size(); ++i) {
        to[i].second.copy_(from[i].second);
    }
}

/// Numbers below 1e-38 count as 0 while it lives: a well-fitted model has many, and they are slow.
class FlushDenormals {
  public:
    FlushDenormals() { at::globalContext().setFlushDenormal(true); }

    FlushDenormals(const FlushDenormals&) = delete;
    FlushDenormals& operator=(const FlushDenormals&) = delete;
    FlushDenormals(FlushDenormals&&) = delete;
    FlushDenormals& operator=(FlushDenormals&&) = delete;

    ~FlushDenormals() { at::globalContext().setFlushDenormal(false); }
};

class Loop {
  public:
    Loop(Trainee& trainee, const TrainOptions& options, const FitContext& context)
        : trainee_(trainee),
          options_(options),
          context_(context),
          parameters_(trainee.parameters()),
          best_(clones(parameters_)),
          adam_(parameters_, adam_options(options)),
          position_(start(context.rng.split(options.label))),
          batches_per_epoch_(plan(0).size()),
          bar_(
              context.progress,
              options.label,
              batches_per_epoch_ * static_cast<std::size_t>(options.epochs),
              "batches"
          ) {}

    TrainResult run() {
        resume();
        while (position_.epoch < options_.epochs && !out_of_patience()) {
            run_epoch();
        }
        if (position_.best_validation) {
            copy_values(best_, parameters_);
        }
        return {
            .epochs_run = position_.epoch,
            .best_epoch = position_.best_validation ? position_.best_epoch : position_.epoch,
            .best_validation = position_.best_validation,
            .last_loss = position_.last_loss,
        };
    }

  private:
    static Position start(const Rng& streams) {
        Position position;
        position.streams = streams.state();
        return position;
    }

    static AdamOptions adam_options(const TrainOptions& o) {
        return {
            .learning_rate = o.learning_rate,
            .beta2 = o.beta2,
            .weight_decay = o.weight_decay,
            .clip_norm = o.clip_norm,
            .warmup_steps = o.warmup_steps,
        };
    }

    [[nodiscard]] Rng stream(std::string_view name, std::int64_t index) const {
        Rng base{0};
        base.set_state(position_.streams);
        return base.split(name).split(static_cast<std::uint64_t>(index));
    }

    [[nodiscard]] std::vector<Batch> plan(std::int64_t epoch) const {
        return trainee_.plan_epoch(
            static_cast<std::size_t>(options_.batch_size), stream("order", epoch)
        );
    }

    [[nodiscard]] bool out_of_patience() const {
        return options_.patience > 0 && position_.best_validation &&
               position_.epoch - position_.best_epoch >= options_.patience;
    }

    void run_epoch() {
        const auto batches = plan(position_.epoch);
        while (std::cmp_less(position_.batch, batches.size())) {
            if (context_.stop.stop_requested()) {
                stop();
            }
            run_batch(batches[static_cast<std::size_t>(position_.batch)]);
        }
        position_.last_loss = position_.loss_sum / static_cast<double>(position_.examples);
        position_.loss_sum = 0;
        position_.examples = 0;
        position_.batch = 0;
        ++position_.epoch;
        validate();
        if (since_save_.seconds() >= options_.checkpoint_seconds) {
            save();
        }
    }

    void run_batch(const Batch& batch) {
        auto rng = stream("step", position_.step);
        adam_.zero_gradients();
        const auto loss = trainee_.loss(batch, rng);
        const auto value = loss.item<double>();
        if (!std::isfinite(value)) {
            throw diverged(value);
        }
        loss.backward();
        adam_.set_rate_share(rate_share());
        adam_.step(++position_.step);
        position_.loss_sum += value * static_cast<double>(batch.size());
        position_.examples += static_cast<std::int64_t>(batch.size());
        ++position_.batch;
        if (position_.batch % 16 == 0) {
            note(position_.loss_sum / static_cast<double>(position_.examples));
        }
        bar_.advance();
    }

    /// A half cosine from 1 to final_rate_share; a function of the position, so resuming is exact.
    [[nodiscard]] double rate_share() const {
        const auto n_steps =
            static_cast<double>(batches_per_epoch_) * static_cast<double>(options_.epochs);
        const auto done = std::min(1.0, static_cast<double>(position_.step) / n_steps);
        const auto fallen = (1 - std::cos(std::numbers::pi * done)) / 2;
        return 1 - (1 - options_.final_rate_share) * fallen;
    }

    void validate() {
        metric("train/loss", position_.last_loss);
        const auto quality = trainee_.validate();
        if (quality) {
            metric(fmt::format("validation/{}", trainee_.validation_name()), *quality);
            if (!position_.best_validation || *quality > *position_.best_validation) {
                position_.best_validation = quality;
                position_.best_epoch = position_.epoch;
                copy_values(parameters_, best_);
            }
        }
        trainee_.epoch_ended(position_.epoch);
        note(position_.last_loss);
    }

    void note(double loss) {
        auto text = fmt::format("epoch {}  loss {:.4f}", position_.epoch + 1, loss);
        if (position_.best_validation) {
            text += fmt::format(
                "  best {} {:.4f} @ {}",
                trainee_.validation_name(),
                *position_.best_validation,
                position_.best_epoch
            );
        }
        bar_.note(std::move(text));
    }

    void metric(std::string_view name, double value) const {
        if (context_.run != nullptr) {
            context_.run->metric(name, position_.epoch, value);
        }
    }

    [[nodiscard]] Error diverged(double loss) const {
        return {
            ErrorCode::internal,
            fmt::format(
                "{}: the loss became {} in epoch {}", options_.label, loss, position_.epoch + 1
            ),
            "lower learning_rate, or set clip_norm = 1",
        };
    }

    [[nodiscard]] std::vector<TensorGroup> groups() {
        return {
            {"parameters", parameters_},
            {"best", best_},
            {"adam.first", adam_.first_moments()},
            {"adam.second", adam_.second_moments()},
        };
    }

    void save() {
        if (context_.run == nullptr) {
            return;
        }
        save_checkpoint(
            context_.run->checkpoint_path(),
            options_.label,
            options_.fingerprint,
            position_,
            groups()
        );
        since_save_ = Stopwatch{};
    }

    void resume() {
        if (context_.run == nullptr) {
            return;
        }
        auto all = groups();
        const auto found = load_checkpoint(
            context_.run->checkpoint_path(), options_.label, options_.fingerprint, all
        );
        if (!found) {
            return;
        }
        if (found->streams != position_.streams) {
            throw Error{
                ErrorCode::conflict,
                fmt::format(
                    "{}: the training stopped here had another seed",
                    context_.run->checkpoint_path().string()
                ),
                "repeat the same command to resume it, choose another --out, or delete the "
                "checkpoint",
            };
        }
        position_ = *found;
        bar_.set(
            static_cast<std::size_t>(position_.epoch) * batches_per_epoch_ +
            static_cast<std::size_t>(position_.batch)
        );
    }

    [[noreturn]] void stop() {
        save();
        if (context_.run == nullptr) {
            throw Error{ErrorCode::interrupted, fmt::format("{}: stopped", options_.label)};
        }
        throw Error{
            ErrorCode::interrupted,
            fmt::format(
                "{}: stopped in epoch {}; the checkpoint is saved",
                options_.label,
                position_.epoch + 1
            ),
            "run the same command again to resume",
        };
    }

    Trainee& trainee_;
    const TrainOptions& options_;
    const FitContext& context_;
    NamedTensors parameters_;
    NamedTensors best_;
    Adam adam_;
    Position position_;
    std::size_t batches_per_epoch_;
    Stopwatch since_save_;
    Progress bar_;
};

}  // namespace

std::size_t passes_per_epoch(std::size_t n_examples, std::int64_t batch_size) {
    constexpr std::size_t fewest_steps = 16;
    const auto wanted = fewest_steps * static_cast<std::size_t>(batch_size);
    return n_examples == 0 ? 1 : std::max<std::size_t>(1, wanted / n_examples);
}

std::vector<Batch> shuffled_batches(std::size_t n_examples, std::size_t batch_size, Rng rng) {
    HG_CHECK(batch_size > 0, "a batch needs examples");
    Batch order(n_examples);
    std::iota(order.begin(), order.end(), 0U);
    rng.shuffle(std::span{order});
    std::vector<Batch> batches;
    for (std::size_t first = 0; first < n_examples; first += batch_size) {
        const auto end = std::min(n_examples, first + batch_size);
        batches.emplace_back(
            order.begin() + static_cast<std::ptrdiff_t>(first),
            order.begin() + static_cast<std::ptrdiff_t>(end)
        );
    }
    return batches;
}

std::vector<Batch> Trainee::plan_epoch(std::size_t batch_size, Rng rng) {
    return shuffled_batches(n_examples(), batch_size, rng);
}

TrainResult train(Trainee& trainee, const TrainOptions& options, const FitContext& context) {
    HG_CHECK(trainee.n_examples() > 0, "training needs examples");
    const FlushDenormals flush;
    return Loop{trainee, options, context}.run();
}

void note_result(const TrainResult& result, const FitContext& context) {
    if (context.run == nullptr) {
        return;
    }
    context.run->note("epochs_run", result.epochs_run);
    context.run->note("best_epoch", result.best_epoch);
    if (result.best_validation) {
        context.run->note("validation", *result.best_validation);
    }
}

}  // namespace hg::train

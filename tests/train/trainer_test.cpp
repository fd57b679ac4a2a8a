// SPDX-License-Identifier: Apache-2.0
#include "train/trainer.hpp"

#include "core/file.hpp"
#include "support/temporary_folder.hpp"
#include "train/adam.hpp"
#include "train/dropout.hpp"
#include "train/run.hpp"

#include <torch/optim/adamw.h>
#include <torch/types.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace hg::train {
namespace {

constexpr std::int64_t n_inputs = 3;

/// y = x w + b on 8 fixed examples, with dropout and a random target noise, so that both streams
/// matter.
class Line final : public Trainee {
  public:
    explicit Line(double dropout = 0) : dropout_(dropout) {
        auto options = at::TensorOptions{}.dtype(at::kFloat);
        inputs_ = at::arange(8 * n_inputs, options).reshape({8, n_inputs}).sin();
        targets_ = inputs_.matmul(at::arange(1, n_inputs + 1, options).unsqueeze(1)) + 0.5;
        weight_ = at::zeros({n_inputs, 1}, options).requires_grad_(true);
        bias_ = at::zeros({1}, options).requires_grad_(true);
    }

    std::vector<std::pair<std::string, at::Tensor>> parameters() override {
        return {{"weight", weight_}, {"bias", bias_}};
    }

    [[nodiscard]] std::size_t n_examples() const override { return 8; }

    at::Tensor loss(const Batch& batch, Rng& rng) override {
        if (++calls_ == stop_at_call) {
            stop_source.request_stop();
        }
        if (calls_ == fail_at_call) {
            return bias_.sum() * std::numeric_limits<float>::quiet_NaN();
        }
        std::vector<std::int64_t> rows(batch.begin(), batch.end());
        const auto at = torch::tensor(at::ArrayRef<std::int64_t>{rows}, at::kLong);
        const auto x = Dropout{dropout_, rng}(inputs_.index_select(0, at));
        const double noise = dropout_ > 0 ? 0.01 * rng.normal() : 0.0;
        return (x.matmul(weight_) + bias_ - targets_.index_select(0, at) + noise).square().mean();
    }

    std::optional<double> validate() override {
        if (!quality) {
            return std::nullopt;
        }
        return quality(++validations_);
    }

    [[nodiscard]] std::vector<float> values() const {
        const auto all = at::cat({weight_.flatten(), bias_}).detach();
        return {all.const_data_ptr<float>(), all.const_data_ptr<float>() + all.numel()};
    }

    std::stop_source stop_source;
    std::int64_t stop_at_call = -1;
    std::int64_t fail_at_call = -1;
    std::function<double(int)> quality;

  private:
    double dropout_;
    std::int64_t calls_ = 0;
    int validations_ = 0;
    at::Tensor inputs_;
    at::Tensor targets_;
    at::Tensor weight_;
    at::Tensor bias_;
};

class Trainer : public testing::Test {
  protected:
    TrainResult run(Line& line, const TrainOptions& options, RunWriter* writer = nullptr) {
        const FitContext context{
            .dataset = dataset_,
            .log = dataset_.log,
            .content = nullptr,
            .rng = Rng{seed_},
            .progress = progress_,
            .stop = line.stop_source.get_token(),
            .run = writer,
        };
        return train(line, options, context);
    }

    ErrorCode error_of(Line& line, const TrainOptions& options, RunWriter* writer = nullptr) {
        try {
            (void)run(line, options, writer);
        } catch (const Error& error) {
            return error.code();
        }
        ADD_FAILURE() << "no error";
        return ErrorCode::internal;
    }

    data::Dataset dataset_;
    SilentProgress progress_;
    std::uint64_t seed_ = 7;
    testing_support::TemporaryFolder folder_;
    TrainOptions options_{.epochs = 6, .batch_size = 3, .learning_rate = 0.05};
};

TEST_F(Trainer, the_loss_falls_on_eight_examples) {
    Line line;
    const auto first = run(line, {.epochs = 1, .batch_size = 8, .learning_rate = 0.1});

    const auto last = run(line, {.epochs = 300, .batch_size = 8, .learning_rate = 0.1});

    EXPECT_GT(first.last_loss, 0.5);
    EXPECT_LT(last.last_loss, 1e-3);
}

TEST_F(Trainer, a_rate_that_falls_to_nothing_goes_half_as_far) {
    // Far from the target every gradient keeps its sign, so each of Adam's steps is the rate itself.
    TrainOptions options{.epochs = 40, .batch_size = 8, .learning_rate = 1e-3};
    Line constant;
    run(constant, options);
    options.final_rate_share = 0;
    Line falling;

    run(falling, options);

    // The sum of (1 + cos(pi s / 40)) / 2 over s = 0..39 is 20.5.
    EXPECT_NEAR(falling.values()[2] / constant.values()[2], 20.5 / 40, 0.01);
}

TEST_F(Trainer, the_same_seed_gives_the_same_weights_and_another_seed_others) {
    Line a{0.3};
    Line b{0.3};
    Line c{0.3};
    run(a, options_);
    run(b, options_);
    seed_ = 8;
    run(c, options_);

    EXPECT_EQ(a.values(), b.values());
    EXPECT_NE(a.values(), c.values());
}

TEST_F(Trainer, a_resumed_run_ends_with_the_weights_of_an_uninterrupted_one) {
    Line whole{0.3};
    whole.quality = [&whole](int) {
        return -std::abs(static_cast<double>(whole.values()[0]) - 0.4);
    };
    const auto expected = run(whole, options_);

    for (const std::int64_t call : {1, 2, 3, 8, 17}) {
        const auto path = folder_.path() / std::to_string(call);
        RunWriter writer{path};
        Line stopped{0.3};
        stopped.quality = [&](int) {
            return -std::abs(static_cast<double>(stopped.values()[0]) - 0.4);
        };
        stopped.stop_at_call = call;
        EXPECT_EQ(error_of(stopped, options_, &writer), ErrorCode::interrupted);
        RunWriter again{path};
        Line resumed{0.3};
        resumed.quality = [&](int) {
            return -std::abs(static_cast<double>(resumed.values()[0]) - 0.4);
        };
        const auto result = run(resumed, options_, &again);

        EXPECT_EQ(resumed.values(), whole.values()) << "stopped in call " << call;
        EXPECT_EQ(result.best_epoch, expected.best_epoch);
        EXPECT_EQ(result.last_loss, expected.last_loss);
    }
}

TEST_F(Trainer, stops_early_and_keeps_the_best_weights) {
    Line best;
    run(best, {.epochs = 3, .batch_size = 3, .learning_rate = 0.05});
    Line line;
    line.quality = [](int epoch) { return epoch == 3 ? 1.0 : 0.1; };

    const auto result =
        run(line, {.epochs = 100, .batch_size = 3, .patience = 4, .learning_rate = 0.05});

    EXPECT_EQ(result.best_epoch, 3);
    EXPECT_EQ(result.epochs_run, 7);
    EXPECT_EQ(result.best_validation, 1.0);
    EXPECT_EQ(line.values(), best.values());
}

TEST_F(Trainer, a_checkpoint_of_other_settings_or_another_seed_is_refused) {
    RunWriter writer{folder_.path() / "run"};
    Line line;
    line.stop_at_call = 2;
    ASSERT_EQ(error_of(line, options_, &writer), ErrorCode::interrupted);
    auto other = options_;
    other.fingerprint = "other";
    Line again;

    EXPECT_EQ(error_of(again, other, &writer), ErrorCode::conflict);
    seed_ = 8;
    EXPECT_EQ(error_of(again, options_, &writer), ErrorCode::conflict);
}

TEST_F(Trainer, a_damaged_checkpoint_is_refused_with_its_name) {
    RunWriter writer{folder_.path() / "run"};
    write_file_atomic(writer.checkpoint_path(), "not a checkpoint");
    Line line;

    EXPECT_EQ(error_of(line, options_, &writer), ErrorCode::corrupt);
}

TEST_F(Trainer, a_loss_that_is_not_a_number_ends_the_training) {
    Line line;
    line.fail_at_call = 4;

    EXPECT_EQ(error_of(line, options_), ErrorCode::internal);
}

TEST_F(Trainer, curves_are_written_per_epoch) {
    RunWriter writer{folder_.path() / "run"};
    Line line;
    line.quality = [](int epoch) { return 0.1 * epoch; };

    run(line, {.epochs = 2, .batch_size = 3}, &writer);

    const auto curves = value_or_throw(read_file(folder_.path() / "run" / "metrics.jsonl"));
    EXPECT_THAT(curves, testing::HasSubstr("train/loss"));
    EXPECT_THAT(curves, testing::HasSubstr("validation/ndcg@10"));
    EXPECT_EQ(std::ranges::count(curves, '\n'), 4);
}

TEST(Adam, takes_the_steps_of_torchs_adamw) {
    const auto start = at::arange(6, at::kFloat).reshape({2, 3}).sin();
    auto ours = start.clone().requires_grad_(true);
    auto theirs = start.clone().requires_grad_(true);
    Adam adam{{{"w", ours}}, {.learning_rate = 0.1, .weight_decay = 0.05}};
    torch::optim::AdamW reference{{theirs}, torch::optim::AdamWOptions{0.1}.weight_decay(0.05)};

    for (std::int64_t step = 1; step <= 20; ++step) {
        adam.zero_gradients();
        (ours * ours).sum().backward();
        adam.step(step);
        reference.zero_grad();
        (theirs * theirs).sum().backward();
        reference.step();
    }

    EXPECT_TRUE(at::allclose(ours, theirs, 1e-5, 1e-6));
}

TEST(ShuffledBatches, hold_every_example_once) {
    const auto batches = shuffled_batches(10, 4, Rng{3});

    std::vector<std::uint32_t> all;
    for (const auto& batch : batches) {
        all.insert(all.end(), batch.begin(), batch.end());
    }
    EXPECT_THAT(batches, testing::SizeIs(3));
    EXPECT_THAT(all, testing::UnorderedElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
    EXPECT_NE(all, (Batch{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

}  // namespace
}  // namespace hg::train

// SPDX-License-Identifier: Apache-2.0
#include "simulate/learned/fit_reward.hpp"

#include "encode/tensor_io.hpp"
#include "simulate/learned/member_trainee_net.hpp"
#include "simulate/learned/reward_net.hpp"
#include "simulate/learned/session_features.hpp"
#include "train/adam.hpp"
#include "train/trainer.hpp"

#include <ATen/Parallel.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <Eigen/Dense>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace hg::simulate {
namespace {

constexpr std::size_t n_state = 16;   // of the rnn
constexpr std::size_t n_hidden = 32;  // of the vae
constexpr std::size_t n_code = 8;
constexpr std::int64_t most_epochs = 20;
constexpr double code_weight = 0.01;  // of the KL term: the head needs more than the prior keeps
constexpr double row_weight = 0.1;    // of the reconstruction

/// Rewards scaled by those of the training sequences.
struct Targets {
    float mean = 0;
    float sd = 1;
    at::Tensor values;  // [n_decisions]
};

Targets targets_of(const FeedbackTable& table, const FeedbackSplit& split) {
    double sum = 0;
    double squares = 0;
    double n = 0;
    for (const auto s : split.train) {
        for (const auto d : table.decisions(s)) {
            const auto r = static_cast<double>(table.reward[d]);
            sum += r;
            squares += r * r;
            n += 1;
        }
    }
    const double mean = sum / n;
    const double sd = std::sqrt(std::max(1e-12, squares / n - mean * mean));
    std::vector<float> scaled;
    for (const float r : table.reward) {
        scaled.push_back(static_cast<float>((static_cast<double>(r) - mean) / sd));
    }
    return {
        .mean = static_cast<float>(mean),
        .sd = static_cast<float>(sd),
        .values = torch::tensor(at::ArrayRef<float>{scaled}, at::kFloat),
    };
}

class RewardTrainee : public train::Trainee {
  public:
    RewardTrainee(
        torch::nn::Module& net,
        at::Tensor rows,
        at::Tensor targets,
        const FeedbackTable& table,
        const FeedbackSplit& split
    )
        : rows_(std::move(rows)),
          targets_(std::move(targets)),
          net_(net),
          table_(table),
          split_(split) {}

    [[nodiscard]] std::vector<std::pair<std::string, at::Tensor>> parameters() override {
        return train::named_of(net_);
    }

    [[nodiscard]] std::size_t n_examples() const override { return split_.train.size(); }

    [[nodiscard]] at::Tensor loss(const train::Batch& batch, Rng& rng) override {
        std::vector<std::uint32_t> chosen;
        for (const auto i : batch) {
            chosen.push_back(split_.train[i]);
        }
        return loss_of(rows_of(table_, chosen), rng);
    }

    [[nodiscard]] std::optional<double> validate() override {
        const at::NoGradGuard no_grad;
        const auto rows = rows_of(table_, split_.validation);
        const auto off =
            predict(rows) - targets_.index_select(0, encode::index_tensor(rows.decisions));
        return -off.square().mean().item<double>();
    }

    [[nodiscard]] std::string_view validation_name() const override { return "minus mse"; }

  protected:
    /// [rows.decisions]
    [[nodiscard]] virtual at::Tensor predict(const SequenceRows& rows) = 0;
    [[nodiscard]] virtual at::Tensor loss_of(const SequenceRows& rows, Rng& rng) = 0;

    at::Tensor rows_;
    at::Tensor targets_;

  private:
    torch::nn::Module& net_;
    const FeedbackTable& table_;
    const FeedbackSplit& split_;
};

class RnnTrainee final : public RewardTrainee {
  public:
    template <typename... Args>
    explicit RnnTrainee(RewardRnn& net, Args&&... args)
        : RewardTrainee(net, std::forward<Args>(args)...), rnn_(net) {}

  private:
    at::Tensor predict(const SequenceRows& rows) override {
        const auto padded = rows_.index_select(0, encode::index_tensor(rows.padded))
                                .view({-1, rows.longest, rows_.size(1)});
        return rnn_.forward(padded).flatten().index_select(0, encode::index_tensor(rows.places));
    }

    at::Tensor loss_of(const SequenceRows& rows, Rng& /*rng*/) override {
        const auto off =
            predict(rows) - targets_.index_select(0, encode::index_tensor(rows.decisions));
        return off.square().mean();
    }

    RewardRnn& rnn_;
};

class VaeTrainee final : public RewardTrainee {
  public:
    template <typename... Args>
    explicit VaeTrainee(RewardVae& net, Args&&... args)
        : RewardTrainee(net, std::forward<Args>(args)...), vae_(net) {}

  private:
    at::Tensor predict(const SequenceRows& rows) override {
        const auto x = rows_.index_select(0, encode::index_tensor(rows.decisions));
        const auto hidden = vae_.encoder->forward(x).tanh();
        return vae_.head->forward(vae_.code->forward(hidden)).squeeze(1);
    }

    /// Squared error of the reward + reconstruction of the row + KL(code || N(0, I)).
    at::Tensor loss_of(const SequenceRows& rows, Rng& rng) override {
        const auto at_rows = encode::index_tensor(rows.decisions);
        const auto x = rows_.index_select(0, at_rows);
        const auto hidden = vae_.encoder->forward(x).tanh();
        const auto mean = vae_.code->forward(hidden);
        const auto log_variance = vae_.log_variance->forward(hidden).clamp(-8, 4);
        std::vector<float> noise(static_cast<std::size_t>(mean.numel()));
        std::ranges::generate(noise, [&] { return static_cast<float>(rng.normal()); });
        const auto draw =
            mean + (0.5 * log_variance).exp() *
                       torch::tensor(at::ArrayRef<float>{noise}, at::kFloat).view_as(mean);
        const auto again = vae_.back->forward(vae_.decoder->forward(draw).tanh());
        const auto kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean();
        const auto off = vae_.head->forward(draw).squeeze(1) - targets_.index_select(0, at_rows);
        return off.square().mean() + row_weight * (again - x).square().mean() + code_weight * kl;
    }

    RewardVae& vae_;
};

/// While it lives, tensor work stays on this thread: two threads only wait for each other on
/// networks this small.
class OneThread {
  public:
    OneThread() { at::set_num_threads(1); }

    OneThread(const OneThread&) = delete;
    OneThread& operator=(const OneThread&) = delete;
    OneThread(OneThread&&) = delete;
    OneThread& operator=(OneThread&&) = delete;

    ~OneThread() { at::set_num_threads(threads_); }

  private:
    int threads_ = at::get_num_threads();
};

double train_net(RewardTrainee& trainee, const FitPlan& plan, const std::stop_token& stop) {
    const OneThread one;
    SilentProgress silent;
    const data::Dataset none;
    const auto result = train::train(
        trainee,
        {.label = "reward",
         .epochs = std::min(plan.options.epochs, most_epochs),
         .batch_size = 16,
         .patience = plan.options.patience,
         .learning_rate = plan.options.learning_rate,
         .clip_norm = 5},
        {.dataset = none,
         .log = none.log,
         .content = nullptr,
         .rng = Rng{plan.seed}.split("reward"),
         .progress = silent,
         .stop = stop}
    );
    return -result.best_validation.value_or(0);
}

/// Ridge by the normal equations; the mean squared error on the validation sequences.
double fit_ridge(
    const Matrix<float>& rows,
    const at::Tensor& targets,
    const FeedbackTable& table,
    const FeedbackSplit& split,
    const std::string& prefix,
    SafetensorsWriter& weights
) {
    const auto n = static_cast<Eigen::Index>(rows.cols());
    const auto* y = targets.const_data_ptr<float>();
    Eigen::MatrixXd a = Eigen::MatrixXd::Identity(n + 1, n + 1) * 1e-3;
    Eigen::VectorXd b = Eigen::VectorXd::Zero(n + 1);
    Eigen::VectorXd x = Eigen::VectorXd::Ones(n + 1);
    const auto look = [&](std::size_t d) { std::ranges::copy(rows.row(d), x.begin()); };
    for (const auto s : split.train) {
        for (const auto d : table.decisions(s)) {
            look(d);
            a.selfadjointView<Eigen::Lower>().rankUpdate(x);
            b += x * static_cast<double>(y[d]);
        }
    }
    const Eigen::VectorXd w = a.selfadjointView<Eigen::Lower>().ldlt().solve(b);
    double squares = 0;
    double count = 0;
    for (const auto s : split.validation) {
        for (const auto d : table.decisions(s)) {
            look(d);
            squares += std::pow(x.dot(w) - static_cast<double>(y[d]), 2);
            count += 1;
        }
    }
    std::vector<float> line;
    for (const double v : w.head(n)) {
        line.push_back(static_cast<float>(v));
    }
    const auto bias = static_cast<float>(w(n));
    weights.add(prefix + "head.weight", MatrixView<const float>{line.data(), 1, line.size()});
    weights.add(prefix + "head.bias", std::span<const float>{&bias, 1});
    return squares / count;
}

void add_parameters(
    const torch::nn::Module& net, const std::string& prefix, SafetensorsWriter& weights
) {
    for (const auto& p : net.named_parameters()) {
        encode::add_tensor(weights, prefix + p.key(), p.value());
    }
}

/// A row per decision of a table: scaled user numbers, then the token.
Matrix<float> reward_rows(const FeedbackTable& table, const FitPlan& plan) {
    const auto data = make_feedback_tensors(table, plan);
    const auto rows = at::cat({data.users, data.tokens}, 1);
    Matrix<float> matrix(table.n_decisions(), static_cast<std::size_t>(rows.size(1)));
    encode::to_matrix(rows, matrix.view());
    return matrix;
}

}  // namespace

RewardFit fit_reward(
    RewardKind kind,
    const FeedbackTable& table,
    const FeedbackSplit& split,
    const FitPlan& plan,
    SafetensorsWriter& weights,
    const std::stop_token& stop
) {
    const auto rows = reward_rows(table, plan);
    const auto targets = targets_of(table, split);
    const auto prefix = fmt::format("reward.{}.", to_string(kind));
    double error = 0;
    torch::manual_seed(Rng{plan.seed}.split("reward weights")());
    const auto tensor = encode::to_tensor(rows.view());
    if (kind == RewardKind::features) {
        error = fit_ridge(rows, targets.values, table, split, prefix, weights);
    } else if (kind == RewardKind::rnn) {
        RewardRnn net{rows.cols(), n_state};
        RnnTrainee trainee{net, tensor, targets.values, table, split};
        error = train_net(trainee, plan, stop);
        add_parameters(net, prefix, weights);
    } else {
        RewardVae net{rows.cols(), n_hidden, n_code};
        VaeTrainee trainee{net, tensor, targets.values, table, split};
        error = train_net(trainee, plan, stop);
        add_parameters(net, prefix, weights);
    }
    const std::array scale{targets.mean, targets.sd};
    weights.add(prefix + "scale", std::span<const float>{scale});
    return {
        .kind = kind,
        .rmse = static_cast<double>(targets.sd) * std::sqrt(error),
        .base_rmse = static_cast<double>(targets.sd),
    };
}

}  // namespace hg::simulate

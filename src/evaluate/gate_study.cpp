// SPDX-License-Identifier: Apache-2.0
#include "evaluate/gate_study.hpp"

#include <cmath>

namespace hg::evaluate {
namespace {

constexpr std::size_t n_folds = 5;

/// Rows of softmax(sharpness * scores), mixed with the uniform policy.
Matrix<double> soft_policy(const Matrix<double>& scores, double sharpness, double epsilon) {
    Matrix<double> policy(scores.rows(), scores.cols());
    for (std::size_t x = 0; x < scores.rows(); ++x) {
        double sum = 0;
        for (std::size_t a = 0; a < scores.cols(); ++a) {
            policy(x, a) = std::exp(sharpness * scores(x, a));
            sum += policy(x, a);
        }
        for (auto& p : policy.row(x)) {
            p = (1 - epsilon) * p / sum + epsilon / static_cast<double>(scores.cols());
        }
    }
    return policy;
}

Matrix<double> mix(const Matrix<double>& a, const Matrix<double>& b, double share_of_b) {
    Matrix<double> mixed(a.rows(), a.cols());
    for (std::size_t i = 0; i < mixed.values().size(); ++i) {
        mixed.values()[i] = (1 - share_of_b) * a.values()[i] + share_of_b * b.values()[i];
    }
    return mixed;
}

std::size_t draw_action(std::span<const double> probabilities, Rng& rng) {
    double left = rng.uniform();
    for (std::size_t a = 0; a + 1 < probabilities.size(); ++a) {
        left -= probabilities[a];
        if (left < 0) {
            return a;
        }
    }
    return probabilities.size() - 1;
}

/// Row i predicted from rows of other folds (i mod n_folds): cell means, pulled to the overall one.
class CellMeans {
  public:
    CellMeans(std::size_t n_contexts, std::size_t n_actions)
        : n_actions_(n_actions), cells_(n_folds * n_contexts * n_actions) {}

    void add(std::size_t row, std::size_t cell, double reward) {
        for (std::size_t fold = 0; fold < n_folds; ++fold) {
            if (row % n_folds != fold) {
                auto& sum = cells_[fold * n_cells() + cell];
                sum.count += 1;
                sum.reward += reward;
                totals_[fold].count += 1;
                totals_[fold].reward += reward;
            }
        }
    }

    [[nodiscard]] double predict(std::size_t row, std::size_t cell) const {
        constexpr double pull = 5;  // rows that the overall mean counts for
        const auto& total = totals_[row % n_folds];
        const double mean = total.count > 0 ? total.reward / total.count : 0;
        const auto& sum = cells_[row % n_folds * n_cells() + cell];
        return (sum.reward + pull * mean) / (sum.count + pull);
    }

    [[nodiscard]] double expect(
        std::size_t row, std::size_t context, std::span<const double> policy
    ) const {
        double sum = 0;
        for (std::size_t a = 0; a < n_actions_; ++a) {
            sum += policy[a] * predict(row, context * n_actions_ + a);
        }
        return sum;
    }

  private:
    struct Sum {
        double count = 0;
        double reward = 0;
    };

    [[nodiscard]] std::size_t n_cells() const { return cells_.size() / n_folds; }

    std::size_t n_actions_;
    std::vector<Sum> cells_;
    std::array<Sum, n_folds> totals_{};
};

}  // namespace

GateInput StudyLog::input() const {
    return {
        .candidate =
            {.reward = reward,
             .propensity = propensity,
             .target_probability = candidate,
             .q_factual = q_factual,
             .q_policy = q_candidate},
        .incumbent_probability = propensity,  // the incumbent made the log
        .incumbent_q_policy = q_incumbent,
        .supported_mass = supported_mass,
        .uniform_probability = uniform,
    };
}

StudyWorld::StudyWorld(const StudyOptions& options)
    : options_(options), reward_(options.n_contexts, options.n_actions) {
    Rng rng{options.seed};
    Matrix<double> noisy(options.n_contexts, options.n_actions);
    for (std::size_t i = 0; i < reward_.values().size(); ++i) {
        const double mean = 1 / (1 + std::exp(1 - rng.normal()));
        reward_.values()[i] = options.reward_scale * mean;
        noisy.values()[i] = mean + 0.2 * rng.normal();
    }
    Matrix<double> sharp = reward_;
    for (auto& score : sharp.values()) {
        score /= options.reward_scale;
    }
    constexpr double sharpness = 5;
    incumbent_ = soft_policy(noisy, sharpness, options.epsilon);
    good_ = soft_policy(sharp, 2 * sharpness, options.epsilon);
    bad_ = soft_policy(sharp, -sharpness, options.epsilon);
}

double StudyWorld::value(MatrixView<const double> policy) const {
    double sum = 0;
    for (std::size_t x = 0; x < reward_.rows(); ++x) {
        for (std::size_t a = 0; a < reward_.cols(); ++a) {
            sum += policy(x, a) * reward_(x, a);
        }
    }
    return sum / static_cast<double>(reward_.rows());
}

double StudyWorld::incumbent_value() const {
    return value(incumbent_.view());
}

Matrix<double> StudyWorld::make_candidate(double relative_difference) const {
    constexpr double changed = 0.5;  // of the incumbent's mass
    const double wanted = incumbent_value() * (1 + relative_difference / changed);
    const double low = value(bad_.view());
    const double high = value(good_.view());
    const double share_of_good = (wanted - low) / (high - low);
    if (!(share_of_good >= 0 && share_of_good <= 1)) {
        throw Error{
            ErrorCode::invalid_argument,
            "no candidate of this world differs that much",
            "ask for a smaller difference"
        };
    }
    return mix(incumbent_, mix(bad_, good_, share_of_good), changed);
}

StudyLog StudyWorld::draw_log(MatrixView<const double> candidate, std::size_t n_rows, Rng& rng)
    const {
    StudyLog log;
    CellMeans model{options_.n_contexts, options_.n_actions};
    std::vector<std::size_t> cells(n_rows);
    for (auto* column :
         {&log.reward,
          &log.propensity,
          &log.candidate,
          &log.q_factual,
          &log.q_candidate,
          &log.q_incumbent}) {
        column->reserve(n_rows);
    }
    for (std::size_t i = 0; i < n_rows; ++i) {
        const std::size_t x = rng.below(options_.n_contexts);
        const std::size_t a = draw_action(incumbent_.row(x), rng);
        cells[i] = x * options_.n_actions + a;
        log.reward.push_back(rng.uniform() < reward_(x, a) ? 1 : 0);
        log.propensity.push_back(incumbent_(x, a));
        log.candidate.push_back(candidate(x, a));
        model.add(i, cells[i], log.reward.back());
    }
    Matrix<double> q_candidate(n_folds, options_.n_contexts);
    Matrix<double> q_incumbent(n_folds, options_.n_contexts);
    for (std::size_t fold = 0; fold < n_folds; ++fold) {
        for (std::size_t x = 0; x < options_.n_contexts; ++x) {
            q_candidate(fold, x) = model.expect(fold, x, candidate.row(x));
            q_incumbent(fold, x) = model.expect(fold, x, incumbent_.row(x));
        }
    }
    for (std::size_t i = 0; i < n_rows; ++i) {
        const std::size_t x = cells[i] / options_.n_actions;
        log.q_factual.push_back(model.predict(i, cells[i]));
        log.q_candidate.push_back(q_candidate(i % n_folds, x));
        log.q_incumbent.push_back(q_incumbent(i % n_folds, x));
    }
    log.supported_mass.assign(n_rows, 1);  // epsilon / actions is far above the floor
    log.uniform.assign(n_rows, 1 / static_cast<double>(options_.n_actions));
    return log;
}

StudyRate measure_gate(
    const StudyWorld& world, const StudyCase& study, const GateOptions& options
) {
    const auto candidate = world.make_candidate(study.relative_difference);
    const Rng root{study.seed};
    StudyRate rate;
    for (std::size_t i = 0; i < study.n_logs; ++i) {
        Rng rng = root.split(i);
        const auto log = world.draw_log(candidate.view(), study.n_rows, rng);
        const auto record = value_or_throw(run_gate(log.input(), options));
        ++rate.logs;
        rate.promoted += record.decision == Decision::promote ? 1 : 0;
        ++rate.reasons.at(static_cast<std::size_t>(record.reason));
    }
    return rate;
}

}  // namespace hg::evaluate

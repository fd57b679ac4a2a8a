// SPDX-License-Identifier: Apache-2.0
#include "policy/play.hpp"

#include "core/clock.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace hg::policy {
namespace {

/// One step of the episodes, over all that reached it.
struct Turn {
    double rewards = 0;
    double ratings = 0;
    double clicks = 0;
};

struct Episode {
    double earned = 0;
    double steps = 0;
    double clicks = 0;
    double distance = 0;  // sum over steps of the slate's mean distance
};

double distance(std::span<const float> a, std::span<const float> b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        sum += std::pow(static_cast<double>(a[i]) - static_cast<double>(b[i]), 2);
    }
    return std::sqrt(sum);
}

double mean_distance(
    MatrixView<const float> items, std::size_t first, std::span<const std::uint32_t> slate
) {
    double sum = 0;
    double pairs = 0;
    for (std::size_t i = 0; i < slate.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            sum += distance(items.row(first + slate[i]), items.row(first + slate[j]));
            pairs += 1;
        }
    }
    return pairs > 0 ? sum / pairs : 0;
}

/// Counts what a play earns, covers and repeats.
class Tally {
  public:
    Tally(const simulate::EnvironmentBatch& world, std::size_t episodes, std::size_t turns)
        : world_(world),
          by_turn_(turns),
          quota_((episodes + world.size() - 1) / world.size()),
          done_(world.size()),
          now_(world.size()) {}

    [[nodiscard]] bool is_over() const {
        return std::ranges::all_of(done_, [&](auto n) { return n >= quota_; });
    }

    [[nodiscard]] std::span<const std::uint64_t> episodes() const { return done_; }

    void add(const TransitionBatch& step) {
        const auto n = world_.facts().n_candidates;
        for (std::size_t u = 0; u < done_.size(); ++u) {
            if (done_[u] >= quota_) {
                continue;
            }
            auto& episode = now_[u];
            const auto slate = step.decisions.slates.row(u);
            if (const auto turn = static_cast<std::size_t>(episode.steps); turn < by_turn_.size()) {
                add_turn(step, u, by_turn_[turn]);
            }
            episode.earned += step.rewards[u];
            episode.steps += 1;
            for (std::size_t slot = 0; slot < slate.size(); ++slot) {
                episode.clicks += step.responses(u, slot).clicked ? 1 : 0;
                shown_[step.before.item_ids(u, slate[slot])] += 1;
            }
            episode.distance += mean_distance(step.before.items, u * n, slate);
            if (step.ended[u] != 0 || step.truncated[u] != 0) {
                episodes_.push_back(episode);
                episode = {};
                ++done_[u];
            }
        }
    }

    void summarise(PlayResult& result) const {
        std::vector<double> lengths;
        std::vector<double> rates;
        std::vector<double> distances;
        const auto k = static_cast<double>(world_.facts().slate_size);
        for (const auto& episode : episodes_) {
            result.returns.push_back(episode.earned);
            lengths.push_back(episode.steps);
            rates.push_back(episode.clicks / (k * episode.steps));
            distances.push_back(episode.distance / episode.steps);
        }
        for (const auto& turn : by_turn_) {
            result.reward_by_turn.push_back(turn.rewards / static_cast<double>(episodes_.size()));
            result.rating_by_turn.push_back(turn.clicks > 0 ? turn.ratings / turn.clicks : 0);
        }
        result.mean_return = mean_of(result.returns);
        result.length = mean_of(lengths);
        result.click_rate = mean_of(rates);
        result.diversity = mean_of(distances);
        double total = 0;
        for (const auto& [id, count] : shown_) {
            total += count;
        }
        for (const auto& [id, count] : shown_) {
            result.novelty -= count / total * std::log2(count / total);
        }
        const auto n_items = std::max(world_.facts().n_items, n_ids());
        result.coverage = static_cast<double>(shown_.size()) / static_cast<double>(n_items);
    }

  private:
    static void add_turn(const TransitionBatch& step, std::size_t user, Turn& turn) {
        turn.rewards += step.rewards[user];
        for (const auto& response : step.responses.row(user)) {
            turn.ratings += response.rating;
            turn.clicks += response.clicked ? 1 : 0;
        }
    }

    /// Fresh candidates have the ids the world gives kinds of items (topics): count from 0.
    [[nodiscard]] std::size_t n_ids() const {
        return shown_.empty() ? 1 : static_cast<std::size_t>(shown_.rbegin()->first) + 1;
    }

    const simulate::EnvironmentBatch& world_;
    std::vector<Turn> by_turn_;
    std::size_t quota_;
    std::vector<std::uint64_t> done_;
    std::vector<Episode> now_;
    std::vector<Episode> episodes_;
    std::map<std::uint32_t, double> shown_;
};

/// The mean of the world's best expected reward minus the chosen one's, for single slots.
class Regret {
  public:
    explicit Regret(const simulate::EnvironmentBatch& world)
        : world_(world),
          is_on_(world.facts().slate_size == 1),
          trial_(world.size(), 1),
          expected_(world.facts().n_candidates, world.size()) {}

    void before() {
        for (std::uint32_t i = 0; is_on_ && i < expected_.rows(); ++i) {
            std::ranges::fill(trial_.values(), i);
            world_.expected_rewards(trial_.view(), expected_.row(i));
            is_on_ = !std::isnan(expected_(i, 0));
        }
    }

    void after(const DecisionBatch& decisions) {
        if (!is_on_) {
            return;
        }
        for (std::size_t u = 0; u < expected_.cols(); ++u) {
            double best = expected_(0, u);
            for (std::size_t i = 1; i < expected_.rows(); ++i) {
                best = std::max(best, expected_(i, u));
            }
            sum_ += best - expected_(decisions.slates(u, 0), u);
            n_ += 1;
        }
    }

    [[nodiscard]] bool is_on() const noexcept { return is_on_; }

    [[nodiscard]] double per_step() const { return n_ > 0 ? sum_ / n_ : 0; }

  private:
    const simulate::EnvironmentBatch& world_;
    bool is_on_;
    Matrix<std::uint32_t> trial_;
    Matrix<double> expected_;  // [n_candidates, users]
    double sum_ = 0;
    double n_ = 0;
};

}  // namespace

Mean mean_of(std::span<const double> values) {
    if (values.empty()) {
        return {};
    }
    const auto n = static_cast<double>(values.size());
    double sum = 0;
    for (const double value : values) {
        sum += value;
    }
    const double mean = sum / n;
    double squares = 0;
    for (const double value : values) {
        squares += (value - mean) * (value - mean);
    }
    return {mean, n > 1 ? 1.96 * std::sqrt(squares / (n - 1) / n) : 0};
}

PlayResult play(
    simulate::EnvironmentBatch& world,
    Agent& agent,
    const PlayOptions& options,
    const StepHook& hook,
    const std::stop_token& stop
) {
    const Stopwatch watch;
    PlayResult result;
    Rng rng = Rng{options.seed}.split("policy");
    Stepper stepper{world, options.session_tokens};
    stepper.reset(options.seed);
    Tally tally{world, options.episodes, options.turns};
    Regret regret{world};
    while (!tally.is_over() && result.n_steps < options.most_steps && !stop.stop_requested()) {
        regret.before();
        const auto step = stepper.take(agent, options.mode, rng);
        regret.after(step.decisions);
        if (hook) {
            hook(step, tally.episodes());
        }
        tally.add(step);
        result.n_steps += world.size();
    }
    tally.summarise(result);
    result.has_regret = regret.is_on();
    result.regret = regret.per_step();
    result.seconds = watch.seconds();
    return result;
}

}  // namespace hg::policy

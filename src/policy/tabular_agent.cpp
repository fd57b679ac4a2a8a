// SPDX-License-Identifier: Apache-2.0
#include "policy/tabular_agent.hpp"

#include "simulate/slates.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace hg::policy {
namespace {

constexpr std::size_t most_pairs = 100'000;

[[noreturn]] void refuse(std::string_view name, const std::string& why) {
    throw Error{
        ErrorCode::invalid_argument,
        fmt::format("agent {} does not fit this world: {}", name, why),
        "use an agent with a network: dqn, ppo, ..."
    };
}

double n_slates(std::size_t n, std::size_t k) {
    double count = 1;
    for (std::size_t i = 0; i < k; ++i) {
        count *= static_cast<double>(n - i) / static_cast<double>(i + 1);
    }
    return count;
}

class TabularAgent final : public Agent {
  public:
    TabularAgent(
        std::string_view name,
        const AgentContext& context,
        const TabularOptions& options,
        Bootstrap bootstrap
    )
        : world_(context.world),
          options_(options),
          bootstrap_(bootstrap),
          schedule_(options.epsilon),
          epsilon_(options.epsilon.start) {
        const double states = world_.n_states > 0 ? static_cast<double>(world_.n_states)
                                                  : std::pow(
                                                        static_cast<double>(options.bins),
                                                        static_cast<double>(world_.user_size)
                                                    );
        if (states * n_slates(world_.n_items, world_.slate_size) > most_pairs) {
            refuse(
                name,
                fmt::format(
                    "{:.3g} states times {:.3g} slates are more than the {} pairs a table is for",
                    states,
                    n_slates(world_.n_items, world_.slate_size),
                    most_pairs
                )
            );
        }
        if (world_.n_candidates != world_.n_items) {
            refuse(name, "not every item is offered at every step");
        }
        slates_ = simulate::all_slates(world_.n_items, world_.slate_size);
        values_ = Matrix<double>(static_cast<std::size_t>(states), slates_.size());
        visits_ = Matrix<double>(values_.rows(), values_.cols());
    }

    void act(const ObservationBatch& seen, Mode mode, Rng& rng, DecisionBatch& out) override {
        const double epsilon = mode == Mode::explore ? epsilon_ : 0;
        for (std::size_t u = 0; u < seen.size(); ++u) {
            const auto best = best_action(state_of(seen, u));
            const auto action = rng.uniform() < epsilon ? rng.below(slates_.size()) : best;
            std::ranges::copy(slates_[action], out.slates.row(u).begin());
            // The slate is drawn as one: its whole probability is written to the first slot.
            std::ranges::fill(out.propensities.row(u), 1.0);
            out.propensities(u, 0) = share(action, best, epsilon);
        }
    }

    void propensities(
        const ObservationBatch& seen,
        Mode mode,
        MatrixView<const std::uint32_t> slates,
        MatrixView<double> out
    ) override {
        const double epsilon = mode == Mode::explore ? epsilon_ : 0;
        for (std::size_t u = 0; u < seen.size(); ++u) {
            std::ranges::fill(out.row(u), 1.0);
            out(u, 0) =
                std::ranges::is_sorted(slates.row(u))
                    ? share(action_of(slates.row(u)), best_action(state_of(seen, u)), epsilon)
                    : 0;  // a slate is shown in one order
        }
    }

    void observe(const TransitionBatch& step, Rng& /*rng*/, const MetricSink& /*log*/) override {
        pending_.resize(step.before.size());
        for (std::size_t u = 0; u < step.before.size(); ++u) {
            const auto state = state_of(step.before, u);
            const auto action = action_of(step.decisions.slates.row(u));
            auto& waiting = pending_[u];
            if (waiting.is_set) {
                learn(waiting.state, waiting.action, waiting.reward, values_(state, action));
            }
            waiting.is_set = false;
            if (step.ended[u] != 0) {
                learn(state, action, step.rewards[u], 0);
            } else if (bootstrap_ == Bootstrap::best_action || step.truncated[u] != 0) {
                const auto next = state_of(step.after, u);
                learn(state, action, step.rewards[u], values_(next, best_action(next)));
            } else {
                waiting = {state, action, step.rewards[u], true};
            }
        }
    }

    void set_progress(double share) override { epsilon_ = schedule_.at(share); }

    void save(SafetensorsWriter& weights, Save what) const override {
        weights.add("values", values_.view());
        if (what == Save::resume) {
            weights.add("visits", visits_.view());
        }
    }

    void load(const SafetensorsFile& weights, Save what) override {
        copy(weights, "values", values_);
        if (what == Save::resume) {
            copy(weights, "visits", visits_);
        }
    }

  private:
    struct Pending {
        std::size_t state = 0;
        std::size_t action = 0;
        double reward = 0;
        bool is_set = false;
    };

    static void copy(const SafetensorsFile& weights, const char* name, Matrix<double>& out) {
        const auto saved = value_or_throw(weights.matrix<double>(name));
        if (saved.rows() != out.rows() || saved.cols() != out.cols()) {
            throw Error{
                ErrorCode::corrupt,
                "the run's table is of another size than this world needs",
                "use the world it was learned in"
            };
        }
        std::copy_n(saved.data(), saved.rows() * saved.cols(), out.values().data());
    }

    std::size_t state_of(const ObservationBatch& seen, std::size_t u) const {
        if (world_.n_states > 0) {
            return seen.states[u];
        }
        const double width = static_cast<double>(world_.user_high) - world_.user_low;
        std::size_t state = 0;
        for (const float value : seen.users.row(u)) {
            const double place = (static_cast<double>(value) - world_.user_low) / width;
            const auto bin = static_cast<std::int64_t>(place * static_cast<double>(options_.bins));
            state = state * static_cast<std::size_t>(options_.bins) +
                    static_cast<std::size_t>(std::clamp<std::int64_t>(bin, 0, options_.bins - 1));
        }
        return state;
    }

    /// Candidates are the items in a fixed order, so indices of candidates name items.
    std::size_t action_of(std::span<const std::uint32_t> slate) const {
        std::vector<std::uint32_t> sorted(slate.begin(), slate.end());
        std::ranges::sort(sorted);
        const auto found = std::ranges::find(slates_, sorted);
        HG_CHECK(found != slates_.end(), "every slate is in the table");
        return static_cast<std::size_t>(found - slates_.begin());
    }

    std::size_t best_action(std::size_t state) const {
        const auto row = values_.row(state);
        return static_cast<std::size_t>(std::ranges::max_element(row) - row.begin());
    }

    double share(std::size_t action, std::size_t best, double epsilon) const {
        return (action == best ? 1 - epsilon : 0) + epsilon / static_cast<double>(slates_.size());
    }

    void learn(std::size_t state, std::size_t action, double reward, double next_value) {
        const double n = visits_(state, action) += 1;
        const double rate = options_.learning_rate / std::pow(n, options_.learning_rate_decay);
        auto& value = values_(state, action);
        value += rate * (reward + options_.discount * next_value - value);
    }

    simulate::EnvironmentFacts world_;
    TabularOptions options_;
    Bootstrap bootstrap_;
    Schedule schedule_;
    double epsilon_;
    std::vector<std::vector<std::uint32_t>> slates_;
    Matrix<double> values_;
    Matrix<double> visits_;
    std::vector<Pending> pending_;  // SARSA: steps whose next action is not known yet
};

}  // namespace

void TabularOptions::describe(OptionBinder& bind, TabularOptions& o) {
    bind("discount", o.discount, "of later rewards", {.min = 0, .max = 1});
    bind("learning_rate", o.learning_rate, "step size at a first visit", {.min = 0, .max = 1});
    bind(
        "learning_rate_decay",
        o.learning_rate_decay,
        "step size = learning_rate / visits^this",
        {.min = 0, .max = 1}
    );
    describe_epsilon(bind, o.epsilon, "share of random slates at the start");
    bind(
        "bins",
        o.bins,
        "of every number of the user, where the world has no states of its own",
        {.min = 1, .max = 1000}
    );
}

std::unique_ptr<Agent> make_tabular_agent(
    std::string_view name,
    const AgentContext& context,
    const TabularOptions& options,
    Bootstrap bootstrap
) {
    return std::make_unique<TabularAgent>(name, context, options, bootstrap);
}

}  // namespace hg::policy

// SPDX-License-Identifier: Apache-2.0
#include "serve/judge_served.hpp"

#include "serve/pool.hpp"
#include "serve/replay.hpp"
#include "serve/served_features.hpp"
#include "train/threads.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace hg::serve {
namespace {

/// What a policy draws a decision's slate from, in its own order.
struct Choice {
    std::vector<Scored> pool;
    policy::PlackettLuceOptions options;

    [[nodiscard]] policy::PlackettLuce policy() const { return policy::PlackettLuce{options}; }
};

/// Every policy that served, read once.
std::vector<policy::SlatePolicy> served_policies(const data::ServedLog& served) {
    std::vector<policy::SlatePolicy> policies;
    for (std::size_t i = 0; i < served.log.size(); ++i) {
        if (i > 0 && served.version[i] == served.version[i - 1]) {
            policies.push_back(policies.back());
            continue;
        }
        const auto read = policy::parse_slate_policy(served.version[i]);
        if (!read) {
            throw Error{
                ErrorCode::invalid_argument,
                fmt::format(
                    "decision {} was made by a policy this program does not know: {}",
                    served.log.recommendation_id[i],
                    served.version[i]
                ),
                "judge it with the honeyguide that served it"
            };
        }
        policies.push_back(*read);
    }
    return policies;
}

/// As served, with the options that are wanted otherwise.
policy::SlatePolicy with(policy::SlatePolicy policy, const ServedPolicy& wanted) {
    auto& options = policy.options;
    options.epsilon = wanted.epsilon.value_or(options.epsilon);
    options.temperature = wanted.temperature.value_or(options.temperature);
    options.max_candidates = wanted.max_candidates.value_or(options.max_candidates);
    return policy;
}

/// A slate a policy may show, its share of what the policy shows, and whether the log's policy shows
/// it too.
struct WeightedSlate {
    std::vector<std::uint32_t> items;
    double share = 0;
    bool is_supported = true;
};

/// Of one slot: every slate with its probability.
std::vector<WeightedSlate> every_slate(const Choice& choice, const Choice& logged) {
    std::unordered_map<std::uint32_t, double> propensities;
    const auto of_log = logged.policy().first_slot(logged.pool);
    for (std::size_t c = 0; c < of_log.size(); ++c) {
        propensities[logged.pool[c].index] = of_log[c];
    }
    std::vector<WeightedSlate> slates;
    const auto shares = choice.policy().first_slot(choice.pool);
    for (std::size_t c = 0; c < shares.size(); ++c) {
        const auto item = choice.pool[c].index;
        const auto found = propensities.find(item);
        slates.push_back({
            .items = {item},
            .share = shares[c],
            .is_supported = found != propensities.end() && found->second >= least_propensity,
        });
    }
    return slates;
}

/// Of several: equally likely draws.
std::vector<WeightedSlate> drawn_slates(
    const Choice& choice, const Choice& logged, std::size_t n_slots, std::size_t n_draws, Rng rng
) {
    std::vector<WeightedSlate> slates;
    const auto policy = choice.policy();
    const auto of_log = logged.policy();
    for (std::size_t d = 0; d < n_draws && !choice.pool.empty(); ++d) {
        WeightedSlate slate{.items = {}, .share = 1 / static_cast<double>(n_draws)};
        for (const auto& slot : policy.act(choice.pool, n_slots, rng).slots) {
            slate.items.push_back(slot.item);
        }
        slate.is_supported =
            std::ranges::all_of(of_log.propensities(logged.pool, slate.items), [](double factor) {
                return factor >= least_propensity;
            });
        slates.push_back(std::move(slate));
    }
    return slates;
}

/// One decision under every policy; of one thread.
struct Workspace {
    std::vector<ReplayCache> caches;
    std::vector<Choice> choices;
    std::vector<Standing> standings;
};

class ServedJudge {
  public:
    ServedJudge(const JudgeServedSetup& setup, std::span<const ServedPolicy> policies)
        : setup_(setup),
          log_(setup.served.log),
          policies_(policies),
          served_(served_policies(setup.served)),
          ids_(log_.items) {
        for (const auto& policy : policies) {
            replays_.push_back(
                policy.run.empty() ? nullptr
                                   : std::make_unique<Replay>(
                                         ReplaySetup{
                                             .dataset = setup.dataset,
                                             .served = setup.served,
                                             .source = {.run = policy.run, .data = setup.data},
                                             .sessions = setup.sessions,
                                         },
                                         ids_
                                     )
            );
        }
        facts_ = facts_of(ids_, *setup.dataset, log_);
        make_room();
    }

    [[nodiscard]] Workspace workspace() const {
        return {
            .caches = std::vector<ReplayCache>(policies_.size()),
            .choices = std::vector<Choice>(policies_.size()),
            .standings = std::vector<Standing>(policies_.size(), Standing{ids_.size()}),
        };
    }

    /// Decisions may be judged in any order, by any thread.
    void judge(std::size_t i, Workspace& work) {
        const auto shown = log_.slots.row(i);
        const auto logged = logged_choice(i);
        for (std::size_t p = 0; p < policies_.size(); ++p) {
            auto& choice = work.choices[p];
            choice = logged;
            if (is_replayed(i, p)) {
                auto policy = with(served_[i], policies_[p]);
                policy.options = for_slate_of(policy.options, shown.size());
                choice.options = policy.options;
                choice.pool =
                    replays_[p]->pool(i, policy, work.caches[p], policies_[p].knobs.get());
            }
            work.standings[p].set(choice.pool);
            judged_.policies[p].probability[i] =
                replays_[p] == nullptr ? log_.propensity[i] : probability(choice, shown);
        }
        add_features(i, 0, {.items = {shown.begin(), shown.end()}, .share = 1}, work);
        for (std::size_t p = 0; p < policies_.size(); ++p) {
            auto& mass = judged_.policies[p].supported_mass[i];
            const auto rng = Rng{setup_.seed}.split("served").split(i);
            const auto& choice = work.choices[p];
            const auto slates =
                shown.size() == 1
                    ? every_slate(choice, logged)
                    : drawn_slates(choice, logged, shown.size(), setup_.sampled_slates, rng);
            for (const auto& slate : slates) {
                mass += slate.is_supported ? slate.share : 0;
                add_features(i, 1 + p, slate, work);
            }
            mass = std::min(1.0, mass);
        }
        finish_features(i);
    }

    [[nodiscard]] JudgedServed finish() {
        policy::predict_rewards(
            judged_,
            actions_,
            {.reward = log_.reward,
             .propensity = log_.propensity,
             .units = log_.user,
             .seed = setup_.seed}
        );
        JudgedServed out;
        for (std::size_t p = 0; p < policies_.size(); ++p) {
            out.agreement.push_back(agreement(p));
        }
        out.judged = std::move(judged_);
        return out;
    }

  private:
    /// For every action's features: the logged slate, then one that stands for each policy's.
    void make_room() {
        judged_.policies.resize(policies_.size());
        for (auto& policy : judged_.policies) {
            policy.probability.resize(log_.size());
            policy.supported_mass.resize(log_.size());
        }
        actions_.dim = policies_.size() + 2 + n_named_items;
        const auto per_decision = 1 + policies_.size();
        actions_.features.resize(log_.size() * per_decision * actions_.dim);
        actions_.probabilities.resize(policies_.size());
        for (std::size_t i = 0; i < log_.size(); ++i) {
            actions_.offsets.push_back((i + 1) * per_decision);
        }
        for (std::size_t p = 0; p < policies_.size(); ++p) {
            auto& shares = actions_.probabilities[p];
            shares.resize(log_.size() * per_decision);
            for (std::size_t i = 0; i < log_.size(); ++i) {
                shares[i * per_decision + 1 + p] = 1;
            }
        }
    }

    /// Whether the policy is the one that served the decision, by name and options.
    [[nodiscard]] bool is_served_by(std::size_t i, std::size_t p) const {
        const auto& knobs = policies_[p].knobs;
        return setup_.served.run[i] == replays_[p]->run() &&
               (knobs == nullptr || served_[i].chosen_by == knobs->version()) &&
               policy::to_text(with(served_[i], policies_[p])) == setup_.served.version[i];
    }

    /// What served by the novelty knob is not: it weighs how often each item had been seen until
    /// then, which is not kept. The log says what the run that served drew from; another run is
    /// asked with the counts of now.
    [[nodiscard]] bool is_replayed(std::size_t i, std::size_t p) const {
        return replays_[p] != nullptr && !(served_[i].knobs.novelty != 0 && is_served_by(i, p));
    }

    [[nodiscard]] Choice logged_choice(std::size_t i) const {
        Choice choice{.pool = {}, .options = served_[i].options};
        const auto first = log_.candidates.offsets[i];
        const auto candidates = log_.candidates.row(i);
        for (std::size_t c = 0; c < candidates.size(); ++c) {
            choice.pool.push_back(
                {.index = candidates[c], .score = setup_.served.candidate_scores[first + c]}
            );
        }
        return choice;
    }

    [[nodiscard]] static double probability(
        const Choice& choice, std::span<const std::uint32_t> slate
    ) {
        double product = 1;
        for (const double factor : choice.policy().propensities(choice.pool, slate)) {
            product *= factor;
        }
        return product;
    }

    [[nodiscard]] std::span<float> features(std::size_t i, std::size_t action) {
        const auto row = i * (1 + policies_.size()) + action;
        return std::span{actions_.features}.subspan(row * actions_.dim, actions_.dim);
    }

    /// Adds the slate's mean features, times its share.
    void add_features(
        std::size_t i, std::size_t action, const WeightedSlate& slate, const Workspace& work
    ) {
        const auto out = features(i, action);
        const auto weight =
            static_cast<float>(slate.share / static_cast<double>(slate.items.size()));
        const auto n = policies_.size();
        for (const auto item : slate.items) {
            for (std::size_t p = 0; p < n; ++p) {
                out[p] += weight * work.standings[p].of(item);
            }
            out[n] += weight * facts_.popularity[item];
            if (facts_.column[item] < n_named_items) {
                out[n + 2 + facts_.column[item]] += weight;
            }
        }
    }

    /// What the actions of a decision share.
    void finish_features(std::size_t i) {
        const auto length = std::log1p(static_cast<float>(log_.history.row(i).size()));
        for (std::size_t action = 0; action <= policies_.size(); ++action) {
            features(i, action)[policies_.size() + 1] = length;
        }
    }

    [[nodiscard]] std::optional<double> agreement(std::size_t p) const {
        if (replays_[p] == nullptr) {
            return {};
        }
        constexpr double tolerance = 1e-6;
        std::size_t n = 0;
        std::size_t n_equal = 0;
        for (std::size_t i = 0; i < log_.size(); ++i) {
            if (!is_replayed(i, p) || !is_served_by(i, p)) {
                continue;
            }
            ++n;
            const double ratio = judged_.policies[p].probability[i] / log_.propensity[i];
            n_equal += std::abs(ratio - 1) <= tolerance ? 1U : 0U;
        }
        return n > 0 ? std::optional{static_cast<double>(n_equal) / static_cast<double>(n)}
                     : std::nullopt;
    }

    const JudgeServedSetup& setup_;
    const data::ImpressionLog& log_;
    std::span<const ServedPolicy> policies_;
    std::vector<policy::SlatePolicy> served_;       // by decision
    data::IdMap ids_;                               // the log's items, then the runs'
    std::vector<std::unique_ptr<Replay>> replays_;  // null: whoever served
    ItemFacts facts_;
    policy::Judged judged_;
    policy::JudgedActions actions_;
};

}  // namespace

JudgedServed judge_served(
    const JudgeServedSetup& setup,
    std::span<const ServedPolicy> policies,
    ProgressSink& progress,
    const std::stop_token& stop
) {
    HG_CHECK(!policies.empty(), "there is a policy to judge");
    ServedJudge judge{setup, policies};
    const auto n = setup.served.log.size();
    Progress bar{progress, "judge", n, "decisions"};
    constexpr std::size_t at_once = 1024;
    constexpr std::size_t block = 64;
    for (std::size_t first = 0; first < n; first += at_once) {
        if (stop.stop_requested()) {
            throw Error{ErrorCode::interrupted, "stopped before the log was judged", {}};
        }
        const auto count = std::min(at_once, n - first);
        train::parallel_blocks(count, block, [&](std::size_t begin, std::size_t end) {
            auto work = judge.workspace();
            for (std::size_t i = begin; i < end; ++i) {
                judge.judge(first + i, work);
            }
        });
        bar.advance(count);
    }
    return judge.finish();
}

}  // namespace hg::serve

// SPDX-License-Identifier: Apache-2.0
#include "train/calibrate_prior.hpp"

#include "core/log.hpp"
#include "core/progress.hpp"
#include "train/holdout.hpp"
#include "train/run.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <span>
#include <type_traits>
#include <utility>

namespace hg::train {
namespace {

constexpr std::array<std::size_t, 5> contexts{0, 1, 2, 5, 10};
constexpr std::size_t n_targets = 10;
constexpr std::size_t least_users = 20;
constexpr std::size_t held_out_share = 5;  // one of so many users

struct Question {
    data::History context;
    std::vector<ItemId> targets;
    std::vector<ItemId> later;  // all that was liked behind the longest context
};

/// The next liked items behind the longest context that the user reaches are asked for after every
/// shorter one too, so that all contexts answer the same question.
std::vector<Question> questions_of(const data::History& history) {
    const auto known = std::min(contexts.back(), history.size() / 2);
    const auto context = history.head(known);
    std::vector<ItemId> later;
    for (std::size_t i = known; i < history.size(); ++i) {
        const auto item = history.items[i];
        if (history.weight(i) > 0 && !data::holds(context.items, item) &&
            !data::holds(later, item)) {
            later.push_back(item);
        }
    }
    const auto end = later.begin() + static_cast<std::ptrdiff_t>(std::min(n_targets, later.size()));
    const std::vector<ItemId> targets(later.begin(), end);
    std::vector<Question> questions;
    for (const auto k : contexts) {
        if (k <= known && !targets.empty()) {
            questions.push_back({history.head(k), targets, later});
        }
    }
    return questions;
}

double ranking(const GaussianPrior& prior, std::span<const Question> questions) {
    std::vector<Query> queries;
    for (const auto& question : questions) {
        const auto& items = question.context.items;
        queries.push_back({{items.begin(), items.end()}, question.targets});
    }
    return mean_ndcg(
        queries,
        prior.n_items(),
        [&](std::span<const Query> part, MatrixView<float> out) {
            const auto first = static_cast<std::size_t>(part.data() - queries.data());
            for (std::size_t i = 0; i < part.size(); ++i) {
                prior.score(prior.belief_of(questions[first + i].context), out.row(i));
            }
        }
    );
}

/// Mean of (x - v'm)^2 / (v'Cv + s2) over the cells of the users' later items and as many others.
double surprise(const GaussianPrior& prior, std::span<const Question> questions, Rng rng) {
    double sum = 0;
    std::size_t n = 0;
    const auto noise = static_cast<double>(prior.parts().noise_variance);
    std::vector<float> scores(prior.n_items());
    constexpr std::size_t cells = 100;  // per question, drawn from all: mostly zeros, as in the log
    for (const auto& question : questions) {
        const auto belief = prior.belief_of(question.context);
        prior.score(belief, scores);
        for (std::size_t i = 0; i < cells; ++i) {
            const ItemId item{static_cast<std::uint32_t>(rng.below(prior.n_items()))};
            if (data::holds(question.context.items, item)) {
                continue;
            }
            const double truth = data::holds(question.later, item) ? 1 : 0;
            const double error = truth - static_cast<double>(scores[item.index()]);
            const double deviation = prior.uncertainty(belief, item.index());
            sum += error * error / (deviation * deviation + noise);
            ++n;
        }
    }
    return n == 0 ? 1 : sum / static_cast<double>(n);
}

/// The values tried for one option.
struct Axis {
    double (*get)(const GaussianOptions& options);
    void (*set)(GaussianOptions& options, double value);
    std::vector<double> values;

    [[nodiscard]] bool is_open(const GaussianOptions& options) const {
        return get(options) == get(GaussianOptions{});
    }
};

template <auto member>
Axis axis(std::vector<double> values) {
    return {
        .get = [](const GaussianOptions& o) { return static_cast<double>(o.*member); },
        .set =
            [](GaussianOptions& o, double value) {
                using Value = std::remove_reference_t<decltype(o.*member)>;
                o.*member = static_cast<Value>(value);
            },
        .values = std::move(values),
    };
}

/// Those that nobody has set.
std::vector<Axis> open_axes(const GaussianOptions& options) {
    using O = GaussianOptions;
    std::vector<Axis> axes{
        axis<&O::noise_scale>({0.5, 1, 2, 4, 8, 16, 32, 64}),
        axis<&O::equal_users>({0, 1}),
        axis<&O::flat_share>({0, 0.1, 0.3, 0.6, 1}),
        axis<&O::mean_scale>({0.5, 0.75, 1, 1.25, 1.5}),
    };
    if (options.likelihood == "choice") {
        axes.push_back(axis<&O::sharpness>({2, 4, 8, 16, 32}));
        axes.push_back(axis<&O::prior_scale>({0.03, 0.1, 0.3, 1, 3, 10}));
    }
    if (!options.segment_field.empty()) {
        axes.push_back(axis<&O::segment_shrinkage>({10, 50, 200, 1000, 10000}));
    }
    std::erase_if(axes, [&](const Axis& one) { return !one.is_open(options); });
    return axes;
}

/// So many users to try with that one value takes a second or less, whatever the catalogue's size.
std::size_t most_users(std::size_t n_items) {
    constexpr std::size_t cells = 20'000'000;
    return std::clamp(cells / std::max<std::size_t>(1, n_items), std::size_t{50}, std::size_t{400});
}

}  // namespace

GaussianOptions calibrated(const FitContext& context, GaussianOptions options) {
    constexpr std::size_t enough_events = 4;
    std::vector<std::uint32_t> users;
    for (std::uint32_t u = 0; u < context.log.n_users(); ++u) {
        if (context.log.history(UserId{u}).size() >= enough_events) {
            users.push_back(u);
        }
    }
    context.rng.split("calibration users").shuffle(std::span{users});
    users.resize(std::min(most_users(context.log.n_items()), users.size() / held_out_share));
    if (users.size() < least_users) {
        log::debug("too few users to calibrate a prior", {{"held_out", users.size()}});
        return options;
    }
    std::vector<std::uint8_t> is_held_out(context.log.n_users(), 0);
    std::vector<Question> questions;
    for (const auto u : users) {
        is_held_out[u] = 1;
        std::ranges::move(
            questions_of(context.log.history(UserId{u})), std::back_inserter(questions)
        );
    }
    const auto rest = context.log.filter([&](UserId user, std::size_t) {
        return is_held_out[user.index()] == 0;
    });
    const FitContext own{
        .dataset = context.dataset,
        .log = rest,
        .content = nullptr,
        .rng = context.rng,
        .progress = context.progress,
        .stop = context.stop,
    };
    const auto space = fit_preference_space(own, space_options(options));
    const bool may_grow = options.prior_scale == 1 && options.noise_scale == 1;
    const auto axes = open_axes(options);
    constexpr std::size_t rounds = 2;
    std::size_t n_trials = 0;
    for (const auto& axis : axes) {
        n_trials += rounds * axis.values.size();
    }
    Progress bar{context.progress, "calibrate", n_trials, "priors"};
    double best = ranking(prior_in(space, own, options), questions);
    for (std::size_t round = 0; round < rounds; ++round) {
        for (const auto& axis : axes) {
            for (const double value : axis.values) {
                if (context.stop.stop_requested()) {
                    throw Error{
                        ErrorCode::interrupted,
                        "stopped while a prior was calibrated",
                        "run it again"
                    };
                }
                bar.advance();
                auto tried = options;
                axis.set(tried, value);
                if (axis.get(tried) == axis.get(options)) {
                    continue;  // the best so far, one of these very values
                }
                const double reached = ranking(prior_in(space, own, tried), questions);
                if (reached > best) {
                    best = reached;
                    options = tried;
                }
            }
        }
    }
    // A choice has no noise that could grow with the prior.
    if (may_grow && options.likelihood == "look") {
        const double factor =
            surprise(prior_in(space, own, options), questions, context.rng.split("surprise"));
        options.prior_scale *= factor;
        options.noise_scale *= factor;
    }
    log::info("prior calibrated", {{"users", users.size()}, {"ndcg", best}});
    if (context.run != nullptr) {
        context.run->note(
            "calibrated",
            {{"users", users.size()},
             {"ndcg", best},
             {"noise_scale", options.noise_scale},
             {"prior_scale", options.prior_scale},
             {"mean_scale", options.mean_scale},
             {"sharpness", options.sharpness},
             {"equal_users", options.equal_users},
             {"flat_share", options.flat_share},
             {"segment_shrinkage", options.segment_shrinkage}}
        );
    }
    return options;
}

}  // namespace hg::train

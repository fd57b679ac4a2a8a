// SPDX-License-Identifier: Apache-2.0
// Sessions played in the world beside those that were held out. The world is played by what the
// log's policy showed of the same candidates; for a dataset, which does not say, by random slates.
#include "core/mean.hpp"
#include "simulate/learned/fidelity_parts.hpp"
#include "simulate/learned/learned_world.hpp"
#include "simulate/step_reward.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

namespace hg::simulate {
namespace {

/// What is compared of a set of sessions.
struct Sessions {
    std::vector<double> lengths;             // of those that ended
    std::vector<double> gaps_hours;          // until the next
    std::map<std::uint32_t, double> clicks;  // by item id
    std::vector<double> clicks_per_step;
    std::vector<double> distances;  // of items clicked one after the other
    double repeats = 0;             // clicks on an item clicked before in the session
    double n_clicks = 0;
    double n_purchases = 0;
};

/// Follows the clicks of one session.
class ClickTrail {
  public:
    ClickTrail(const WorldModel& model, Sessions& sessions) : model_(model), sessions_(sessions) {}

    void begin() {
        seen_.clear();
        last_.clear();
    }

    void click(std::uint32_t id, std::span<const float> features) {
        sessions_.clicks[id] += 1;
        sessions_.n_clicks += 1;
        sessions_.repeats += seen_.insert(id).second ? 0 : 1;
        Matrix<float> pair(2, features.size());
        model_.items.apply(features, pair.row(1));
        if (!last_.empty()) {
            std::ranges::copy(last_, pair.row(0).begin());
            sessions_.distances.push_back(slate_diversity(pair.view()));
        }
        last_.assign(pair.row(1).begin(), pair.row(1).end());
    }

  private:
    const WorldModel& model_;
    Sessions& sessions_;
    std::set<std::uint32_t> seen_;
    std::vector<float> last_;
};

Sessions logged(const FidelityInput& in) {
    Sessions sessions;
    ClickTrail trail{*in.model, sessions};
    const auto& table = in.table;
    for (const auto s : in.split.test) {
        for (const auto d : table.decisions(s)) {
            if (table.session_step[d] == 0) {
                trail.begin();
            }
            double clicks = 0;
            for (const auto& slot : table.slots_of(d)) {
                if (slot.clicked) {
                    trail.click(table.item_ids[slot.item], table.item_rows.row(slot.item));
                    clicks += 1;
                    sessions.n_purchases += slot.purchased ? 1 : 0;
                }
            }
            sessions.clicks_per_step.push_back(clicks);
            if (table.leaving[d] == Leaving::leaves) {
                sessions.lengths.push_back(static_cast<double>(table.session_step[d]) + 1);
            }
            if (std::isfinite(table.gap_hours[d])) {
                sessions.gaps_hours.push_back(static_cast<double>(table.gap_hours[d]));
            }
        }
    }
    return sessions;
}

std::vector<std::uint32_t> slate_of(const LearnedWorld& world, Rng& rng) {
    const auto logged = world.logged_slate();
    if (!logged.empty()) {
        return {logged.begin(), logged.end()};
    }
    std::vector<std::uint32_t> order(world.facts().n_candidates);
    std::iota(order.begin(), order.end(), 0U);
    rng.shuffle(std::span{order});
    order.resize(world.facts().slate_size);
    return order;
}

Sessions played(const FidelityInput& in) {
    Sessions sessions;
    ClickTrail trail{*in.model, sessions};
    LearnedWorld world{in.model, {}, {}};
    const auto seeds = Rng{in.options.seed}.split("episodes");
    for (std::size_t e = 0; e < in.options.episodes; ++e) {
        Rng rng = seeds.split(e);
        world.reset(rng());
        trail.begin();
        for (std::size_t step = 1;; ++step) {
            const auto slate = slate_of(world, rng);
            const auto before = world.observe();
            std::vector<std::uint32_t> ids;
            Matrix<float> shown(slate.size(), in.model->facts.shape.item_size);
            for (std::size_t k = 0; k < slate.size(); ++k) {
                ids.push_back(before.item_ids[slate[k]]);
                std::ranges::copy(before.items.row(slate[k]), shown.row(k).begin());
            }
            const auto answer = world.step(slate);
            double clicks = 0;
            for (std::size_t k = 0; k < slate.size(); ++k) {
                if (answer.responses[k].clicked) {
                    trail.click(ids[k], shown.row(k));
                    clicks += 1;
                    sessions.n_purchases += answer.responses[k].purchased ? 1 : 0;
                }
            }
            sessions.clicks_per_step.push_back(clicks);
            if (answer.ended || answer.truncated) {
                if (in.table.facts.has_sessions) {
                    sessions.lengths.push_back(static_cast<double>(step));
                }
                if (world.return_hours()) {
                    sessions.gaps_hours.push_back(*world.return_hours());
                }
                break;
            }
        }
    }
    return sessions;
}

SessionRow compare(
    std::string name,
    const std::vector<double>& log,
    const std::vector<double>& world,
    std::string missing
) {
    SessionRow row{.name = std::move(name), .log = {}, .world = {}, .distance = {}, .missing = {}};
    if (!log.empty()) {
        row.log = mean_of(log);
    }
    if (!world.empty()) {
        row.world = mean_of(world);
    }
    if (row.log && row.world) {
        row.distance = evaluate::kolmogorov_smirnov(log, world);
    } else {
        row.missing = std::move(missing);
    }
    return row;
}

std::vector<double> tenths(std::vector<double> values) {
    std::ranges::sort(values);
    std::vector<double> quantiles;
    for (std::size_t i = 0; i <= 10 && !values.empty(); ++i) {
        quantiles.push_back(values[i * (values.size() - 1) / 10]);
    }
    return quantiles;
}

/// Item ids from most to least clicked in the training sequences.
std::vector<std::uint32_t> by_popularity(const FidelityInput& in) {
    std::map<std::uint32_t, double> clicks;
    for (const auto id : in.table.item_ids) {
        clicks.try_emplace(id, 0);
    }
    for (const auto s : in.split.train) {
        for (const auto d : in.table.decisions(s)) {
            for (const auto& slot : in.table.slots_of(d)) {
                clicks[in.table.item_ids[slot.item]] += slot.clicked ? 1 : 0;
            }
        }
    }
    std::vector<std::uint32_t> ids;
    for (const auto& [id, n] : clicks) {
        ids.push_back(id);
    }
    std::ranges::stable_sort(ids, std::greater<>{}, [&](std::uint32_t id) { return clicks[id]; });
    return ids;
}

std::vector<double> curve_of(const Sessions& sessions, const std::vector<std::uint32_t>& ids) {
    constexpr std::size_t most_bins = 10;
    const auto n_bins = std::min(most_bins, ids.size());
    std::vector<double> curve(n_bins);
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const auto found = sessions.clicks.find(ids[i]);
        if (found != sessions.clicks.end()) {
            curve[i * n_bins / ids.size()] += found->second / sessions.n_clicks;
        }
    }
    return curve;
}

}  // namespace

void measure_sessions(const FidelityInput& in, Fidelity& out) {
    const auto log = logged(in);
    const auto world = played(in);
    const auto& facts = in.table.facts;
    out.sessions.push_back(compare(
        "session length in decisions",
        log.lengths,
        world.lengths,
        facts.has_sessions ? "no held-out session ended" : "the data do not say when users leave"
    ));
    out.sessions.push_back(compare(
        "hours until the next session",
        log.gaps_hours,
        world.gaps_hours,
        "the data have no real times between sessions"
    ));
    if (facts.is_clicks_only) {
        out.sessions.push_back({
            .name = "clicks per decision",
            .log = {},
            .world = mean_of(world.clicks_per_step),
            .distance = {},
            .missing = "the data have no slates that got no click",
        });
    } else {
        out.sessions.push_back(
            compare("clicks per decision", log.clicks_per_step, world.clicks_per_step, "")
        );
    }
    out.sessions.push_back(compare(
        "distance between consecutive clicked items",
        log.distances,
        world.distances,
        "too few clicks"
    ));
    if (facts.has_purchases && log.n_clicks > 0 && world.n_clicks > 0) {
        out.sessions.push_back({
            .name = "purchases per click",
            .log = log.n_purchases / log.n_clicks,
            .world = world.n_purchases / world.n_clicks,
            .distance = {},
            .missing = {},
        });
    }
    if (log.n_clicks > 0 && world.n_clicks > 0) {
        out.sessions.push_back({
            .name = "clicks on an item clicked before in the session",
            .log = log.repeats / log.n_clicks,
            .world = world.repeats / world.n_clicks,
            .distance = {},
            .missing = {},
        });
        const auto ids = by_popularity(in);
        out.log_popularity = curve_of(log, ids);
        out.world_popularity = curve_of(world, ids);
    }
    if (!log.lengths.empty() && !world.lengths.empty()) {
        out.log_lengths = tenths(log.lengths);
        out.world_lengths = tenths(world.lengths);
    }
}

}  // namespace hg::simulate

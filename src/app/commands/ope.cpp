// SPDX-License-Identifier: Apache-2.0
// honeyguide ope: the value a policy would have had on a log that another policy made.
#include "app/command.hpp"
#include "app/logged_policies.hpp"
#include "data/open_bandit.hpp"
#include "evaluate/estimator.hpp"
#include "evaluate/intervals.hpp"
#include "evaluate/overlap.hpp"
#include "evaluate/sequential.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <map>
#include <memory>
#include <numeric>

namespace hg::app {
namespace {

const std::map<std::string, evaluate::IntervalKind> interval_kinds{
    {"bootstrap", evaluate::IntervalKind::bootstrap},
    {"t", evaluate::IntervalKind::t},
    {"empirical_bernstein", evaluate::IntervalKind::empirical_bernstein},
    {"hoeffding", evaluate::IntervalKind::hoeffding},
};

struct OpeArguments {
    LogRequest request{.log = {}, .policies = {""}};
    std::string open_bandit;
    std::string interval = "bootstrap";
    std::vector<double> row_range;  // low, high; empty = not stated
    double discount = 1;
    bool as_json = false;
};

struct Row {
    std::string name;
    std::string summary;
    double value = 0;
    evaluate::Interval interval{};
    std::string missing{};      // why there is no number
    std::string no_interval{};  // why there is none of it
};

/// What an estimate's interval is taken by.
struct IntervalWish {
    evaluate::IntervalKind kind;
    evaluate::IntervalOptions options;
};

IntervalWish interval_wish(const OpeArguments& arguments) {
    IntervalWish wish{
        .kind = interval_kinds.at(arguments.interval),
        .options = {.resamples = 1000, .seed = arguments.request.seed},
    };
    const bool needs_range = wish.kind == evaluate::IntervalKind::empirical_bernstein ||
                             wish.kind == evaluate::IntervalKind::hoeffding;
    if (needs_range && arguments.row_range.empty()) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("--interval {} needs the range a row can take", arguments.interval),
            "state it before you look: --row-range LOW HIGH; for ipw 0 and the largest weight "
            "times "
            "the largest reward"
        };
    }
    if (needs_range) {
        wish.options.row_low = arguments.row_range[0];
        wish.options.row_high = arguments.row_range[1];
    }
    return wish;
}

/// Sets the interval of a row, or why there is none.
void add_interval(
    Row& row,
    const evaluate::Contributions& found,
    std::span<const std::uint32_t> users,
    const IntervalWish& wish
) {
    try {
        if (wish.kind == evaluate::IntervalKind::bootstrap) {
            row.interval = evaluate::bootstrap_interval(found, wish.options);
        } else if (wish.kind == evaluate::IntervalKind::t) {
            row.interval =
                evaluate::clustered_mean(found.influence(), users).interval(wish.options.level);
        } else if (found.is_ratio()) {
            row.no_interval = "a ratio of means, and this interval is of one mean";
        } else {
            row.interval = evaluate::mean_interval(wish.kind, found.base, wish.options);
        }
    } catch (const Error& error) {  // of this estimator's rows, not of the others'
        row.no_interval = error.message();
    }
}

std::vector<Row> single_decisions(const LoggedPolicies& judged, const IntervalWish& wish) {
    std::vector<Row> rows;
    const auto logged = judged.rows(0);
    const auto units =
        judged.has_users() ? std::span{judged.log.user} : std::span<const std::uint32_t>{};
    for (const auto* entry : evaluate::estimators()) {
        Row row{.name = std::string{entry->name}, .summary = std::string{entry->summary}};
        const bool lacks_q =
            evaluate::has(entry->needs, evaluate::Need::q) && logged.q_policy.empty();
        const bool lacks_mrdr =
            evaluate::has(entry->needs, evaluate::Need::mrdr_q) && logged.mrdr_q_policy.empty();
        if (lacks_q || lacks_mrdr) {
            row.missing = "not available: no predicted rewards";
        } else if (auto found = evaluate::contribute(*entry, logged); !found) {
            row.missing = fmt::format("not available: {}", found.error().message());
        } else {
            row.value = found->value();
            add_interval(row, *found, units, wish);
        }
        rows.push_back(std::move(row));
    }
    return rows;
}

/// The log's decisions grouped by user, in time order, as episodes.
struct Episodes {
    std::vector<std::size_t> offsets{0};
    std::vector<double> reward;
    std::vector<double> ratio;
    std::vector<double> q_factual;
    std::vector<double> v_policy;
};

Episodes episodes_of(const LoggedPolicies& judged) {
    const auto& log = judged.log;
    std::vector<std::size_t> order(log.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {}, [&](std::size_t i) {
        return std::pair{log.user[i], log.timestamp[i]};
    });
    const auto& policy = judged.policies[0];
    Episodes out;
    for (std::size_t at = 0; at < order.size(); ++at) {
        const auto i = order[at];
        out.reward.push_back(log.reward[i]);
        out.ratio.push_back(policy.probability[i] / log.propensity[i]);
        if (!policy.q_policy.empty()) {
            out.q_factual.push_back(policy.q_factual[i]);
            out.v_policy.push_back(policy.q_policy[i]);
        }
        if (at + 1 == order.size() || log.user[order[at + 1]] != log.user[i]) {
            out.offsets.push_back(out.reward.size());
        }
    }
    return out;
}

/// Estimates of the return of whole episodes, where users have more than one decision.
std::vector<Row> whole_episodes(const LoggedPolicies& judged, double discount) {
    const auto episodes = episodes_of(judged);
    if (episodes.offsets.size() == episodes.reward.size() + 1) {
        return {};
    }
    const evaluate::EpisodeSteps steps{
        .offsets = episodes.offsets,
        .reward = episodes.reward,
        .ratio = episodes.ratio,
        .q_factual = episodes.q_factual,
        .v_policy = episodes.v_policy,
    };
    std::vector<Row> rows;
    const auto add = [&](std::string name, std::string summary, const auto& values) {
        Row row{.name = std::move(name), .summary = std::move(summary)};
        if (!values) {
            row.missing = fmt::format("not available: {}", values.error().message());
        } else {
            const auto error = evaluate::clustered_mean(*values);
            row.value = error.mean;
            row.interval = error.interval(0.95);
        }
        rows.push_back(std::move(row));
    };
    add("per_decision_is_normalised",
        "return of an episode, self-normalised per-decision importance sampling",
        evaluate::per_decision_normalised(steps, discount));
    const auto weights = evaluate::episode_weights(steps);
    const bool any = weights && std::ranges::any_of(*weights, [](double w) { return w > 0; });
    if (!episodes.v_policy.empty() && any) {
        add("sequential_dr",
            "return of an episode, doubly robust with one-step predicted rewards",
            evaluate::doubly_robust(steps, discount));
    }
    return rows;
}

nlohmann::json to_json(const std::vector<Row>& rows) {
    auto list = nlohmann::json::array();
    for (const auto& row : rows) {
        nlohmann::json one{{"estimator", row.name}};
        if (row.missing.empty()) {
            one["value"] = row.value;
            if (row.no_interval.empty()) {
                one["low"] = row.interval.low;
                one["high"] = row.interval.high;
            } else {
                one["no_interval"] = row.no_interval;
            }
        } else {
            one["missing"] = row.missing;
        }
        list.push_back(std::move(one));
    }
    return list;
}

void print(const std::vector<Row>& rows) {
    for (const auto& row : rows) {
        if (!row.missing.empty()) {
            fmt::print("  {:<26} {}\n", row.name, row.missing);
        } else if (!row.no_interval.empty()) {
            fmt::print(
                "  {:<26} {:>11.6f}  no interval: {}\n", row.name, row.value, row.no_interval
            );
        } else {
            fmt::print(
                "  {:<26} {:>11.6f}  {:>11.6f} .. {:<11.6f}  {}\n",
                row.name,
                row.value,
                row.interval.low,
                row.interval.high,
                row.summary
            );
        }
    }
}

void write_open_bandit(const data::ImpressionLog& log, const std::string& path) {
    std::ofstream out{path, std::ios::binary};
    if (!out) {
        throw Error{
            ErrorCode::unavailable, fmt::format("{}: cannot be written", path), "check the folder"
        };
    }
    value_or_throw(data::write_open_bandit(log, out));
}

int run_ope(const OpeArguments& arguments, Session& session) {
    const auto& log = arguments.request.log.path;
    const auto& policy = arguments.request.policies.front();
    const auto wish = interval_wish(arguments);
    const auto judged = judge_on_log(arguments.request, session.progress, session.stop);
    if (!arguments.open_bandit.empty()) {
        write_open_bandit(judged.log, arguments.open_bandit);
    }
    const auto rows = single_decisions(judged, wish);
    const auto episodes = whole_episodes(judged, arguments.discount);
    const auto overlap =
        evaluate::measure_overlap(evaluate::importance_weights(judged.rows(0)), judged.log.user);
    const auto logged = evaluate::clustered_mean(judged.log.reward, judged.log.user);
    if (arguments.as_json) {
        const nlohmann::json answer{
            {"log", log},
            {"policy", policy},
            {"notes", judged.notes},
            {"decisions", judged.log.size()},
            {"logged_value", logged.mean},
            {"interval", arguments.interval},
            {"estimates", to_json(rows)},
            {"episodes", to_json(episodes)},
            {"effective_rows", overlap.effective_rows},
            {"mean_weight", overlap.mean_weight},
            {"mean_weight_z", overlap.mean_weight_z},
            {"largest_share", overlap.largest_share},
            {"top_percent_share", overlap.top_percent_share},
        };
        fmt::print("{}\n", answer.dump());
        return 0;
    }
    fmt::print(
        "{} on {}: {} decisions, whose own policy earned {:.6f} each\n",
        policy,
        log,
        judged.log.size(),
        logged.mean
    );
    fmt::print("reward of one decision, 95 % interval ({})\n", arguments.interval);
    print(rows);
    if (!episodes.empty()) {
        fmt::print("return of an episode, 95 % t interval\n");
        print(episodes);
    }
    fmt::print(
        "support: {:.0f} effective rows of {}; mean weight {:.4f} ({:+.1f} standard errors from "
        "1); the "
        "largest weight holds {:.2g} of the sum, the largest 1 % {:.2g}\n",
        overlap.effective_rows,
        overlap.n,
        overlap.mean_weight,
        overlap.mean_weight_z,
        overlap.largest_share,
        overlap.top_percent_share
    );
    for (const auto& note : judged.notes) {
        fmt::print("note: {}\n", note);
    }
    return 0;
}

Run declare_ope(CLI::App& verb) {
    auto arguments = std::make_shared<OpeArguments>();
    auto& request = arguments->request;
    verb.add_option(
            "--log", request.log.path, "impression log, Open Bandit .csv or a server's database"
    )
        ->required();
    verb.add_option(
            "--policy",
            request.policies.front(),
            "whom to judge: a run of learn, an agent's name or probabilities.jsonl; on a database "
            "a run of train, or \"served\""
    )
        ->required();
    declare_log_options(verb, request.log);
    declare_serving_options(verb, request.serving);
    verb.add_option("--discount", arguments->discount, "of later rewards of an episode")
        ->capture_default_str()
        ->check(CLI::Range(0.0, 1.0));
    verb.add_option(
            "--interval",
            arguments->interval,
            "bootstrap: of decisions; t: counts users, whose decisions are dependent; "
            "empirical_bernstein | hoeffding: hold for any number of independent decisions, with "
            "--row-range"
    )
        ->capture_default_str()
        ->check(CLI::IsMember(interval_kinds));
    verb.add_option(
            "--row-range",
            arguments->row_range,
            "what one decision can add to the estimate at least and at most"
    )
        ->expected(2);
    verb.add_option("--open-bandit", arguments->open_bandit, "also write the log in that form");
    verb.add_option("--seed", request.seed, "of folds and resamples")->capture_default_str();
    verb.add_flag("--json", arguments->as_json, "for machines");
    return [arguments](Session& session) { return run_ope(*arguments, session); };
}

}  // namespace

extern const CommandEntry ope{
    .name = "ope",
    .summary = "off-policy evaluation: what another policy would have earned on this log",
    .example = "honeyguide ope --log log.jsonl --policy runs/ppo",
    .declare = &declare_ope,
};

}  // namespace hg::app

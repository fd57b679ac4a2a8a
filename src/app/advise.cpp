// SPDX-License-Identifier: Apache-2.0
#include "app/advise.hpp"

#include "app/report_figures.hpp"
#include "core/error.hpp"
#include "core/registry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace hg::app {
namespace {

// Below these we do not even try: a rule of thumb, not a measurement. Above them the quick check
// decides.
constexpr std::size_t min_events = 1000;
constexpr std::size_t min_users = 50;
constexpr std::size_t min_items = 20;

/// A model of the quick check and the size up to which it is quick.
struct Candidate {
    std::string_view name;
    std::size_t max_items;
    std::size_t max_events;
    bool is_simple;
};

constexpr std::size_t any = static_cast<std::size_t>(-1);
constexpr std::array candidates{
    Candidate{"popularity", any, any, true},
    Candidate{"personal_frequency", any, any, true},
    Candidate{"item_knn", 20'000, 5'000'000, true},
    Candidate{"sequential_rules", any, 20'000'000, true},
    Candidate{"ease", 5'000, 20'000'000, true},
    Candidate{"als", any, 3'000'000, true},
    Candidate{"content_knn", 50'000, any, true},
    Candidate{"vector_db", 50'000, any, true},
    Candidate{"dae", 20'000, 5'000'000, false},
    Candidate{"sasrec", 50'000, 5'000'000, false},
    Candidate{"blend", 20'000, 5'000'000, false},
};

bool is_registered(std::string_view name) {
    return std::ranges::any_of(train::models(), [name](const auto* entry) {
        return entry->name == name;
    });
}

bool is_simple(std::string_view name) {
    const auto found = std::ranges::find(candidates, name, &Candidate::name);
    return found != candidates.end() && found->is_simple;
}

std::vector<Contender> contenders_for(
    const DatasetFacts& facts, bool is_thorough, std::vector<Finding>& findings
) {
    std::vector<Contender> contenders;
    for (const auto& candidate : candidates) {
        if (!is_registered(candidate.name) || (!candidate.is_simple && !is_thorough)) {
            continue;
        }
        if (candidate.name == "personal_frequency" && facts.repeat_share == 0) {
            continue;
        }
        const auto& entry = train::find_model(candidate.name);
        if (has(entry.facts, train::Fact::only_order) && facts.time_kind == data::TimeKind::none) {
            continue;
        }
        if (facts.n_catalogue > candidate.max_items || facts.n_events > candidate.max_events) {
            findings.push_back({
                .mark = Mark::note,
                .text = fmt::format(
                    "{} was not tried: too slow at this size for a quick check", candidate.name
                ),
            });
            continue;
        }
        contenders.push_back({
            .name = std::string{candidate.name},
            .entry = &entry,
            .settings = {},
        });
    }
    return contenders;
}

bool is_too_small(const DatasetFacts& facts) {
    return facts.n_liked < min_events || facts.n_users < min_users || facts.n_items < min_items;
}

Finding size_finding(const DatasetFacts& facts) {
    if (is_too_small(facts)) {
        return {
            .mark = Mark::problem,
            .text = fmt::format(
                "too little data: {} liked events, {} users, {} items; a model needs at least {}, "
                "{} and {}",
                facts.n_liked,
                facts.n_users,
                facts.n_items,
                min_events,
                min_users,
                min_items
            ),
        };
    }
    return {
        .mark = Mark::good,
        .text = fmt::format(
            "enough data to learn from: {} liked events, {} users, {} items, {:.3f} % of the pairs "
            "known",
            facts.n_liked,
            facts.n_users,
            facts.n_items,
            100 * facts.density
        ),
    };
}

Finding history_finding(const DatasetFacts& facts) {
    const bool is_short = facts.short_history_share > 0.5;
    return {
        .mark = is_short ? Mark::note : Mark::good,
        .text = fmt::format(
            "the median user has {} events, {} of users fewer than 5{}",
            facts.median_events,
            percent_text(facts.short_history_share),
            is_short ? ": what is learned from the first clicks matters most" : ""
        ),
    };
}

void add_newcomer_findings(const DatasetFacts& facts, std::vector<Finding>& findings) {
    if (!facts.new_user_share) {
        findings.push_back({
            .mark = Mark::note,
            .text = "no real timestamps: the share of new users and items, and a test by time, are "
                    "not available",
        });
        return;
    }
    findings.push_back({
        .mark = Mark::note,
        .text = fmt::format(
            "of the last fifth of the events, {} come from users and {} go to items not seen "
            "before",
            percent_text(*facts.new_user_share),
            percent_text(*facts.new_item_share)
        ),
    });
}

Finding text_finding(const DatasetFacts& facts) {
    if (facts.text_coverage == 0) {
        return {
            .mark = Mark::note,
            .text = facts.n_other_fields > 0
                        ? "items have fields but no text: new items are placed by their fields only"
                        : "items have no fields: a new item cannot be recommended before its first "
                          "clicks",
        };
    }
    return {
        .mark = facts.text_coverage >= 0.5 ? Mark::good : Mark::note,
        .text = fmt::format(
            "{} of the items have text ({}; {:.0f} words on average): new items can be placed by "
            "it",
            percent_text(facts.text_coverage),
            facts.text_fields,
            facts.mean_words
        ),
    };
}

void add_findings(
    const DatasetFacts& facts, const data::Dataset& dataset, std::vector<Finding>& findings
) {
    findings.push_back(size_finding(facts));
    findings.push_back(history_finding(facts));
    add_newcomer_findings(facts, findings);
    findings.push_back(text_finding(facts));
    if (facts.repeat_share > 0.05) {
        findings.push_back({
            .mark = Mark::note,
            .text = fmt::format(
                "{} of the events repeat an item of the same user{}",
                percent_text(facts.repeat_share),
                dataset.repeats_count
                    ? "; repeats count as recommendations here"
                    : ": if buying again is worth recommending, say repeats = true in dataset.toml"
            ),
        });
    }
    findings.push_back({
        .mark = Mark::note,
        .text = fmt::format(
            "the most popular fifth of the items takes {} of the events",
            percent_text(facts.head_event_share)
        ),
    });
}

/// Reasons to go beyond a simple model, from the data alone.
std::vector<std::string> calls_for_more(const DatasetFacts& facts) {
    std::vector<std::string> reasons;
    if (facts.short_history_share > 0.3 || facts.new_user_share.value_or(0) > 0.2) {
        reasons.emplace_back(
            "many users are new or have few events: adapt from the first click (blend)"
        );
    }
    if (facts.new_item_share.value_or(0) > 0.1 &&
        (facts.text_coverage > 0.5 || facts.n_other_fields > 0)) {
        reasons.emplace_back("many events go to new items: use their content (encode, blend)");
    }
    if (facts.time_kind != data::TimeKind::none && facts.median_events >= 20 &&
        facts.n_events >= 50'000) {
        reasons.emplace_back(
            "histories are long and ordered: a sequence model can use the order (sasrec)"
        );
    }
    return reasons;
}

const ModelRow* best_learned_or_simple(const Evaluation& check, bool want_simple) {
    const ModelRow* best = nullptr;
    for (const auto& row : check.rows) {
        if (!row.refused.empty() || row.name == "popularity" ||
            is_simple(row.name) != want_simple) {
            continue;
        }
        if (best == nullptr || row.ndcg > best->ndcg) {
            best = &row;
        }
    }
    return best;
}

std::string lift_text(const Evaluation& check, const ModelRow& row) {
    const auto& d = *row.difference;
    const auto base = std::ranges::find(check.rows, check.baseline, &ModelRow::name);
    const double relative = base->ndcg > 0 ? 100 * d.mean / base->ndcg : 0;
    return fmt::format(
        "{}: NDCG@{} {:.4f} against {:.4f} of popularity, {:+.4f} [{:+.4f}, {:+.4f}], {:+.0f} %",
        row.name,
        check.k,
        row.ndcg,
        base->ndcg,
        d.mean,
        d.bootstrap.low,
        d.bootstrap.high,
        relative
    );
}

/// Is `row` measurably better than popularity?
bool is_better(const ModelRow* row) {
    return row != nullptr && row->difference && row->difference->bootstrap.low > 0;
}

/// Where learned models were tried: is the best of them measurably better than the best simple one?
bool learned_pays(
    const data::Dataset& dataset,
    const Protocol& protocol,
    std::span<const Outcome> outcomes,
    const AdviseOptions& options,
    const std::string& simple,
    const std::string& learned
) {
    const auto paired = summarise(
        dataset, protocol, outcomes, {.k = options.k, .baseline = simple, .seed = options.seed}
    );
    const auto row = std::ranges::find(paired.rows, learned, &ModelRow::name);
    return row != paired.rows.end() && is_better(&*row);
}

std::string first_registered(std::initializer_list<std::string_view> names, std::string otherwise) {
    for (const auto name : names) {
        if (is_registered(name)) {
            return std::string{name};
        }
    }
    return otherwise;
}

/// Fills verdict, summary and model once the check has run.
void judge(Advice& advice, bool learned_was_tried, bool learned_is_better) {
    const auto& check = *advice.check;
    const auto* simple = best_learned_or_simple(check, true);
    const auto* learned = best_learned_or_simple(check, false);
    const auto* best = learned_is_better ? learned : simple;
    if (!is_better(best)) {
        advice.verdict = Verdict::popularity_is_enough;
        advice.model = "popularity";
        advice.summary = "popularity is enough for you: no model tried here is measurably better.";
        if (best != nullptr) {
            advice.summary += fmt::format(" Closest is {}.", lift_text(check, *best));
        }
        return;
    }
    const auto reasons = calls_for_more(advice.facts);
    const auto lift = lift_text(check, *best);
    if (learned_is_better) {
        advice.verdict = Verdict::learn_more;
        advice.model = best->name;
        advice.summary = fmt::format("a learned model pays here. {}.", lift);
    } else if (learned_was_tried || reasons.empty()) {
        advice.verdict = Verdict::simple_model_is_enough;
        advice.model = best->name;
        advice.summary = fmt::format(
            "{} is enough for you{}. {}.",
            best->name,
            learned_was_tried ? ": no learned model tried here is measurably better"
                              : ": nothing in this data calls for a larger model",
            lift
        );
    } else {
        advice.verdict = Verdict::learn_more;
        advice.model = first_registered({"blend", "sasrec", "dae"}, best->name);
        advice.summary =
            fmt::format("a simple model already pays. {}. Worth trying beyond it:", lift);
        for (const auto& reason : reasons) {
            advice.summary += fmt::format(" {};", reason);
        }
        advice.summary.back() = '.';
        advice.summary += " Run with --thorough to measure whether that pays.";
    }
}

/// The chosen model's options at their defaults, as a file for --config.
std::string config_of(std::string_view model) {
    std::string toml;
    train::find_model(model).options([&toml](const OptionInfo& option) {
        toml += fmt::format("{} = {}  # {}\n", option.name, option.toml_text(), option.help);
    });
    return toml;
}

void add_next_steps(Advice& advice) {
    const auto& model = advice.model;
    if (advice.facts.text_coverage > 0 && advice.verdict == Verdict::learn_more) {
        advice.next.emplace_back("honeyguide encode --data DATA");
    }
    advice.next.push_back(
        fmt::format("honeyguide train --model {0} --data DATA --out runs/{0}", model)
    );
    if (model != "popularity") {
        advice.next.push_back(fmt::format(
            "honeyguide evaluate --data DATA --model {} --protocol {} --report report.html",
            model,
            advice.facts.time_kind == data::TimeKind::real ? "time" : "leave-one-out"
        ));
    }
    advice.next.push_back(
        fmt::format("honeyguide serve --run runs/{} --data DATA --db events.db", model)
    );
    advice.config = config_of(model);
}

}  // namespace

Advice make_advice(const data::Dataset& dataset, const AdviseOptions& options, const Work& work) {
    Advice advice;
    advice.facts = describe_dataset(dataset);
    advice.model = "popularity";
    add_findings(advice.facts, dataset, advice.findings);
    if (is_too_small(advice.facts)) {
        advice.summary =
            "start with popularity and collect events: there is too little to learn from yet.";
        add_next_steps(advice);
        return advice;
    }
    std::optional<Protocol> protocol;
    try {
        protocol = make_protocol(
            dataset,
            {.part = Part::validation, .max_users = options.max_users, .seed = options.seed}
        );
    } catch (const Error& error) {
        advice.findings.push_back({.mark = Mark::problem, .text = error.message()});
        advice.summary =
            "start with popularity: too few users have the three events a check needs.";
        add_next_steps(advice);
        return advice;
    }
    const auto contenders = contenders_for(advice.facts, options.is_thorough, advice.findings);
    const auto outcomes = run_protocol(
        dataset,
        *protocol,
        contenders,
        {.k = options.k, .seed = options.seed, .content = options.content},
        work
    );
    advice.check = summarise(
        dataset,
        *protocol,
        outcomes,
        {.k = options.k, .seed = options.seed, .content = options.content}
    );
    const auto* simple = best_learned_or_simple(*advice.check, true);
    const auto* learned = best_learned_or_simple(*advice.check, false);
    const bool is_learned_better =
        learned != nullptr &&
        (simple == nullptr ||
         learned_pays(dataset, *protocol, outcomes, options, simple->name, learned->name));
    judge(advice, learned != nullptr, is_learned_better);
    add_next_steps(advice);
    return advice;
}

}  // namespace hg::app

// SPDX-License-Identifier: Apache-2.0
#include "app/protocol_run.hpp"

#include "app/kept_fits.hpp"
#include "app/row_scorer.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/rng.hpp"
#include "core/top_k.hpp"
#include "data/new_item_split.hpp"
#include "evaluate/ranking.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <numeric>
#include <optional>
#include <utility>

namespace hg::app {
namespace {

using data::Dataset;
using data::History;

constexpr std::size_t batch_size = 256;

/// The target against `n` items drawn from those that are neither masked nor targets.
std::vector<evaluate::Judged> judge_sampled(
    std::span<const float> scores, std::span<const ItemId> targets, std::size_t n, Rng rng
) {
    std::vector<float> pool;
    for (std::size_t i = 0; i < scores.size(); ++i) {
        const bool is_target =
            std::ranges::find(targets, ItemId{static_cast<std::uint32_t>(i)}) != targets.end();
        if (!is_target && scores[i] > masked_score) {
            pool.push_back(scores[i]);
        }
    }
    const auto drawn = std::min(n, pool.size());
    for (std::size_t i = 0; i < drawn; ++i) {
        std::swap(pool[i], pool[i + rng.below(pool.size() - i)]);
    }
    pool.resize(drawn);
    std::vector<evaluate::Judged> judged;
    for (const auto target : targets) {
        pool.push_back(scores[target.index()]);
        judged.push_back(evaluate::judge_scores(
                             pool, std::array{ItemId{static_cast<std::uint32_t>(pool.size() - 1)}}
        ).front());
        pool.pop_back();
    }
    return judged;
}

void add_accuracy(Accuracy& to, std::span<const evaluate::Judged> judged, std::size_t k) {
    to.ndcg.push_back(evaluate::ndcg_at(judged, k));
    to.hit.push_back(evaluate::hit_at(judged, k));
    to.recall.push_back(evaluate::recall_at(judged, k));
    to.precision.push_back(evaluate::precision_at(judged, k));
    to.average_precision.push_back(evaluate::average_precision_at(judged, k));
    to.reciprocal_rank.push_back(evaluate::reciprocal_rank_at(judged, k));
}

void stop_if_asked(const Work& work) {
    if (work.stop.stop_requested()) {
        throw Error{
            ErrorCode::interrupted,
            "evaluation stopped",
            "run the same command again; with --work it goes on from what is fitted"
        };
    }
}

/// What every batch of a contender needs.
struct Job {
    const Dataset& dataset;
    const Protocol& protocol;
    const ScoreOptions& options;
    const Work& work;
};

void keep_candidates(std::span<float> scores, std::span<const ItemId> candidates) {
    if (candidates.empty()) {
        return;
    }
    std::vector<float> kept(scores.size(), masked_score);
    for (const auto item : candidates) {
        kept[item.index()] = scores[item.index()];
    }
    std::ranges::copy(kept, scores.begin());
}

void judge_row(const Job& job, const Query& query, std::span<float> scores, Outcome& outcome) {
    if (job.protocol.masks_history) {
        mask(scores, query.history.items);
    }
    keep_candidates(scores, query.candidates);
    const auto n = outcome.accuracy.ndcg.size();
    const auto& options = job.options;
    const auto judged = options.sampled_negatives == 0
                            ? evaluate::judge_scores(scores, query.targets)
                            : judge_sampled(
                                  scores,
                                  query.targets,
                                  options.sampled_negatives,
                                  Rng{options.seed}.split("negatives").split(n)
                              );
    add_accuracy(outcome.accuracy, judged, options.k);
    evaluate::ItemList list;
    for (const auto& scored : top_k(scores, options.k)) {
        list.push_back(ItemId{scored.index});
    }
    outcome.lists.push_back(std::move(list));
}

/// What a contender answers to each user's own events and, where asked for, to somebody else's.
struct Answers {
    Outcome own;
    std::optional<Outcome> shuffled;
};

/// Each query's place is taken by the events of another user with as many of them: the next one in
/// a random order; none where there is no other.
std::vector<History> shuffled_histories(std::span<const Query> queries, Rng rng) {
    std::map<std::size_t, std::vector<std::size_t>> alike;
    for (std::size_t i = 0; i < queries.size(); ++i) {
        alike[queries[i].history.size()].push_back(i);
    }
    std::vector<History> histories(queries.size());
    for (auto& [size, members] : alike) {
        rng.shuffle(std::span{members});
        for (std::size_t m = 0; m < members.size(); ++m) {
            const auto mine = members[m];
            for (std::size_t step = 1; step < members.size(); ++step) {
                const auto other = members[(m + step) % members.size()];
                if (queries[other].user != queries[mine].user) {
                    histories[mine] = queries[other].history;
                    break;
                }
            }
            histories[mine].attributes = queries[mine].history.attributes;
        }
    }
    return histories;
}

/// A model that repeats what it was told would fill the list with the other user's items, which says
/// nothing of what it knows: they are no answers, unless they are asked for.
void mask_borrowed(std::span<float> scores, const History& borrowed, const Query& query) {
    for (const auto item : borrowed.items) {
        if (std::ranges::find(query.targets, item) == query.targets.end()) {
            scores[item.index()] = masked_score;
        }
    }
}

void score_queries(
    const Job& job,
    std::span<const Query> queries,
    std::span<const History> histories,
    const RowScorer& scorer,
    Outcome& outcome
) {
    Progress bar{job.work.progress, "score " + outcome.name, queries.size(), "queries"};
    Matrix<float> scores(std::min(batch_size, queries.size()), job.dataset.items.size());
    for (std::size_t first = 0; first < queries.size(); first += batch_size) {
        stop_if_asked(job.work);
        const auto batch = queries.subspan(first, std::min(batch_size, queries.size() - first));
        const Stopwatch watch;
        scorer.score(
            histories.subspan(first, batch.size()), scores.view().rows_slice(0, batch.size())
        );
        outcome.score_seconds += watch.seconds();
        for (std::size_t row = 0; row < batch.size(); ++row) {
            if (outcome.is_control && job.protocol.masks_history) {
                mask_borrowed(scores.row(row), histories[first + row], batch[row]);
            }
            judge_row(job, batch[row], scores.row(row), outcome);
        }
        bar.advance(batch.size());
    }
}

void score_trial(const Job& job, const Trial& trial, const RowScorer& scorer, Answers& answers) {
    std::vector<History> own;
    for (const auto& query : trial.queries) {
        own.push_back(query.history);
    }
    score_queries(job, trial.queries, own, scorer, answers.own);
    if (answers.shuffled) {
        const auto borrowed =
            shuffled_histories(trial.queries, Rng{job.options.seed}.split("shuffled"));
        score_queries(job, trial.queries, borrowed, scorer, *answers.shuffled);
        const auto alone = std::ranges::count_if(borrowed, [&](const History& history) {
            const auto i = static_cast<std::size_t>(&history - borrowed.data());
            return history.size() == 0 && own[i].size() > 0;
        });
        if (alone > 0) {
            answers.shuffled->warnings.push_back(fmt::format(
                "{} of {} were asked with no events: nobody else has as many", alone, own.size()
            ));
        }
    }
}

const encode::ItemVectors* content_of(const Job& job, const Contender& contender) {
    return contender.content != nullptr ? contender.content : job.options.content;
}

/// Why this model cannot be fitted on this data; empty when it can.
std::string refusal(const Job& job, const Contender& contender) {
    const auto& entry = *contender.entry;
    if (has(entry.facts, train::Fact::needs_content) && content_of(job, contender) == nullptr) {
        return "needs item vectors: give items some fields or run honeyguide encode";
    }
    if (has(entry.facts, train::Fact::needs_real_time) &&
        job.dataset.time_kind != data::TimeKind::real) {
        return "needs real timestamps";
    }
    return {};
}

constexpr auto cannot_place =
    "cannot place items it was not fitted with (no content, or none of its parts uses it)";

/// The catalogue of a trial whose new items had not come yet, with what describes them.
struct Before {
    data::KnownItems known;
    std::optional<encode::ItemVectors> content{};  // of the known items
    Matrix<float> new_content{};                   // of the new ones
    std::vector<std::uint32_t> row_of{};           // of a model grown by the new ones
};

Before before_new_items(const Job& job, const Trial& trial, const encode::ItemVectors* all) {
    Before before{.known = data::known_items(job.dataset, trial.train, trial.ages)};
    const auto n_known = before.known.items.size();
    std::vector<std::size_t> fresh;
    before.row_of.assign(trial.ages.size(), RowScorer::absent);
    for (std::size_t i = 0; i < n_known; ++i) {
        before.row_of[before.known.items[i].index()] = static_cast<std::uint32_t>(i);
    }
    for (std::size_t i = 0; i < trial.ages.size(); ++i) {
        if (trial.ages[i] == data::ItemAge::fresh) {
            before.row_of[i] = static_cast<std::uint32_t>(n_known + fresh.size());
            fresh.push_back(i);
        }
    }
    if (all != nullptr) {
        auto& content = before.content.emplace();
        content.encoder = all->encoder;
        content.vectors = Matrix<float>(n_known, all->dim());
        for (std::size_t i = 0; i < n_known; ++i) {
            const auto item = before.known.items[i].index();
            std::ranges::copy(all->vectors.row(item), content.vectors.row(i).begin());
            content.present.push_back(all->present[item]);
        }
        before.new_content = Matrix<float>(fresh.size(), all->dim());
        for (std::size_t i = 0; i < fresh.size(); ++i) {
            std::ranges::copy(all->vectors.row(fresh[i]), before.new_content.row(i).begin());
        }
    }
    return before;
}

std::unique_ptr<train::Recommender> fit(
    const Job& job,
    const Contender& contender,
    const Dataset& dataset,
    const data::InteractionLog& log,
    const encode::ItemVectors* content,
    double& seconds
) {
    auto model = fit_kept(
        *contender.entry,
        {
            .dataset = dataset,
            .log = log,
            .content = content,
            .rng = Rng{job.options.seed},
            .progress = job.work.progress,
            .stop = job.work.stop,
        },
        contender.settings,
        {.folder = job.options.work_folder, .name = contender.name, .seed = job.options.seed},
        seconds
    );
    HG_CHECK(model->n_items() == log.n_items(), "a model scores every item of its dataset");
    return model;
}

/// Fits without the new items, then adds them by their content.
void run_before_new_items(
    const Job& job, const Trial& trial, const Contender& contender, Answers& answers
) {
    const auto before = before_new_items(job, trial, content_of(job, contender));
    const auto& data = before.known.data;
    const auto* content = before.content ? &*before.content : nullptr;
    const auto model = fit(job, contender, data, data.log, content, answers.own.fit_seconds);
    const Stopwatch watch;
    const auto grown =
        content == nullptr ? nullptr : model->grown(std::as_const(before.new_content).view());
    answers.own.fit_seconds += watch.seconds();
    if (grown == nullptr) {
        answers.own.refused = cannot_place;
        return;
    }
    score_trial(job, trial, RowScorer{*grown, before.row_of}, answers);
}

void run_entry(const Job& job, const Contender& contender, Answers& answers) {
    answers.own.refused = refusal(job, contender);
    if (!answers.own.refused.empty()) {
        return;
    }
    for (const auto& trial : job.protocol.trials) {
        stop_if_asked(job.work);
        if (!trial.ages.empty()) {
            run_before_new_items(job, trial, contender, answers);
            continue;
        }
        const auto* content = content_of(job, contender);
        const auto model =
            fit(job, contender, job.dataset, trial.train, content, answers.own.fit_seconds);
        score_trial(job, trial, RowScorer{*model, job.dataset.items.size()}, answers);
    }
}

/// A run knows its dataset by hash: the same hash means that it was trained on the answers.
std::string leak_warning(const Dataset& dataset, const train::LoadedRun& run, ProtocolKind kind) {
    const auto trained_on = run.manifest.value("dataset", nlohmann::json::object());
    const auto hash = trained_on.value("hash", std::string{});
    if (kind == ProtocolKind::queries) {
        return {};
    }
    if (!hash.empty() && hash == dataset.hash) {
        return "trained on this whole dataset, so it has seen the answers: use --model to fit on "
               "the "
               "training part";
    }
    if (kind == ProtocolKind::few_shot || hash.empty()) {
        return "cannot tell whether it was trained on the events it is asked for";
    }
    return fmt::format(
        "trained on another dataset ({} events): make sure that it holds none of the events asked "
        "for",
        trained_on.value("n_events", std::size_t{0})
    );
}

std::vector<std::uint32_t> rows_by_name(const train::LoadedRun& run, const Dataset& dataset) {
    std::vector<std::uint32_t> row_of(dataset.items.size(), RowScorer::absent);
    for (std::uint32_t i = 0; i < row_of.size(); ++i) {
        if (const auto row = run.items.find(dataset.items.name(i))) {
            row_of[i] = *row;
        }
    }
    return row_of;
}

/// A run on a catalogue it has never seen: every item is placed by its content.
void run_transferred(const Job& job, const Contender& contender, Answers& answers) {
    constexpr std::string_view shared_encoder = "text";
    const auto& run = *contender.run;
    const auto* content = content_of(job, contender);
    const auto encoder = run.manifest.value("content_encoder", nlohmann::json{});
    if (content == nullptr || content->encoder != shared_encoder || encoder != shared_encoder) {
        answers.own.refused =
            "needs vectors of one encoder on both sides: encode both with --encoder text and use "
            "--content text (fields and fused learn a space of their own per dataset)";
        return;
    }
    const auto grown = run.model->grown(content->vectors.view());
    if (grown == nullptr) {
        answers.own.refused = cannot_place;
        return;
    }
    std::vector<std::uint32_t> row_of(job.dataset.items.size());
    std::iota(row_of.begin(), row_of.end(), static_cast<std::uint32_t>(run.model->n_items()));
    answers.own.warnings.push_back(fmt::format(
        "learned on {}; knows this catalogue by its content alone",
        run.manifest["dataset"].value("name", std::string{"another dataset"})
    ));
    answers.own.fit_seconds = run.manifest.value("seconds", 0.0);
    const RowScorer scorer{*grown, std::move(row_of)};
    for (const auto& trial : job.protocol.trials) {
        score_trial(job, trial, scorer, answers);
    }
}

void run_loaded(const Job& job, const Contender& contender, Answers& answers) {
    if (contender.run_items == RunItems::by_content) {
        run_transferred(job, contender, answers);
        return;
    }
    if (auto warning = leak_warning(job.dataset, *contender.run, job.protocol.kind);
        !warning.empty()) {
        answers.own.warnings.push_back(std::move(warning));
    }
    const RowScorer scorer{*contender.run->model, rows_by_name(*contender.run, job.dataset)};
    if (const auto n = scorer.n_unknown(); n > 0) {
        answers.own.warnings.push_back(fmt::format("does not know {} items of this dataset", n));
    }
    answers.own.fit_seconds = contender.run->manifest.value("seconds", 0.0);
    for (const auto& trial : job.protocol.trials) {
        score_trial(job, trial, scorer, answers);
    }
}

void run_fitted(const Job& job, const Contender& contender, Answers& answers) {
    HG_CHECK(job.protocol.trials.size() == 1, "one model cannot have learned from several trials");
    answers.own.fit_seconds = contender.fit_seconds;
    const RowScorer scorer{*contender.model, job.dataset.items.size()};
    score_trial(job, job.protocol.trials.front(), scorer, answers);
}

}  // namespace

std::string shuffled_name(std::string_view row) {
    return fmt::format("{}, shuffled", row);
}

std::vector<Outcome> run_protocol(
    const Dataset& dataset,
    const Protocol& protocol,
    std::span<const Contender> contenders,
    const ScoreOptions& options,
    const Work& work
) {
    const Job job{dataset, protocol, options, work};
    std::vector<Outcome> outcomes;
    for (const auto& contender : contenders) {
        const auto n_kinds = (contender.entry != nullptr ? 1 : 0) +
                             (contender.run != nullptr ? 1 : 0) +
                             (contender.model != nullptr ? 1 : 0);
        HG_CHECK(n_kinds == 1, "an entry, a run or a model");
        Answers answers;
        answers.own.name = contender.name;
        if (contender.is_also_shuffled) {
            answers.shuffled.emplace().name = shuffled_name(contender.name);
            answers.shuffled->is_control = true;
        }
        if (contender.run != nullptr) {
            run_loaded(job, contender, answers);
        } else if (contender.model != nullptr) {
            run_fitted(job, contender, answers);
        } else {
            run_entry(job, contender, answers);
        }
        if (answers.shuffled) {
            answers.shuffled->refused = answers.own.refused;
            answers.shuffled->fit_seconds = answers.own.fit_seconds;
            std::ranges::copy(answers.own.warnings, std::back_inserter(answers.shuffled->warnings));
        }
        outcomes.push_back(std::move(answers.own));
        if (answers.shuffled) {
            outcomes.push_back(std::move(*answers.shuffled));
        }
    }
    return outcomes;
}

}  // namespace hg::app

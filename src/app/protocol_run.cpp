// SPDX-License-Identifier: Apache-2.0
#include "app/protocol_run.hpp"

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/rng.hpp"
#include "core/top_k.hpp"
#include "evaluate/ranking.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace hg::app {
namespace {

using data::Dataset;
using data::History;

constexpr std::size_t batch_size = 256;

/// Scores histories of dataset items; rows of `out` follow the dataset whatever the model's own
/// rows are.
class Scorer {
  public:
    Scorer(const train::Recommender& model, std::size_t n_items)
        : model_(model), n_items_(n_items) {}

    /// For a run: its rows are found by item name.
    Scorer(const train::LoadedRun& run, const Dataset& dataset)
        : model_(*run.model), n_items_(dataset.items.size()), row_of_(n_items_, absent) {
        for (std::uint32_t i = 0; i < n_items_; ++i) {
            if (const auto row = run.items.find(dataset.items.name(i))) {
                row_of_[i] = *row;
            }
        }
        is_mapped_ = true;
    }

    void score(std::span<const History> histories, MatrixView<float> out) const {
        if (!is_mapped_) {
            model_.score(histories, out);
            return;
        }
        std::vector<data::HistoryBuffer> buffers(histories.size());
        std::vector<History> mapped;
        for (std::size_t i = 0; i < histories.size(); ++i) {
            fill(histories[i], buffers[i]);
            mapped.push_back(buffers[i].view());
        }
        Matrix<float> rows(histories.size(), model_.n_items());
        model_.score(mapped, rows.view());
        for (std::size_t i = 0; i < histories.size(); ++i) {
            for (std::size_t item = 0; item < n_items_; ++item) {
                out(i, item) = row_of_[item] == absent ? masked_score : rows(i, row_of_[item]);
            }
        }
    }

    [[nodiscard]] std::size_t n_unknown() const {
        return static_cast<std::size_t>(std::ranges::count(row_of_, absent));
    }

  private:
    static constexpr auto absent = static_cast<std::uint32_t>(-1);

    void fill(const History& history, data::HistoryBuffer& buffer) const {
        buffer.set_attributes(history.attributes);
        for (std::size_t i = 0; i < history.size(); ++i) {
            const auto row = row_of_[history.items[i].index()];
            if (row == absent) {
                continue;
            }
            buffer.add({
                .item = ItemId{row},
                .weight = history.weight(i),
                .type = history.types.empty() ? EventTypeId{} : history.types[i],
                .value = history.values.empty() ? 0.0F : history.values[i],
                .time = history.times.empty() ? 0 : history.times[i],
            });
        }
    }

    const train::Recommender& model_;
    std::size_t n_items_;
    std::vector<std::uint32_t> row_of_;  // [n_items] of a run
    bool is_mapped_ = false;
};

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
        throw Error{ErrorCode::interrupted, "evaluation stopped", "nothing was written"};
    }
}

/// What every batch of a contender needs.
struct Job {
    const Dataset& dataset;
    const Protocol& protocol;
    const ScoreOptions& options;
    const Work& work;
};

void judge_row(const Job& job, const Query& query, std::span<float> scores, Outcome& outcome) {
    if (job.protocol.masks_history) {
        mask(scores, query.history.items);
    }
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

void score_trial(const Job& job, const Trial& trial, const Scorer& scorer, Outcome& outcome) {
    const std::span queries{trial.queries};
    Progress bar{job.work.progress, "score " + outcome.name, queries.size(), "queries"};
    Matrix<float> scores(std::min(batch_size, queries.size()), job.dataset.items.size());
    for (std::size_t first = 0; first < queries.size(); first += batch_size) {
        stop_if_asked(job.work);
        const auto batch = queries.subspan(first, std::min(batch_size, queries.size() - first));
        std::vector<History> histories;
        for (const auto& query : batch) {
            histories.push_back(query.history);
        }
        const Stopwatch watch;
        scorer.score(histories, scores.view().rows_slice(0, batch.size()));
        outcome.score_seconds += watch.seconds();
        for (std::size_t row = 0; row < batch.size(); ++row) {
            judge_row(job, batch[row], scores.row(row), outcome);
        }
        bar.advance(batch.size());
    }
}

/// Why this model cannot be fitted on this data; empty when it can.
std::string refusal(const Job& job, const train::ModelEntry& entry) {
    if (has(entry.facts, train::Fact::needs_content) && job.options.content == nullptr) {
        return "needs item vectors: give items some fields or run honeyguide encode";
    }
    if (has(entry.facts, train::Fact::needs_real_time) &&
        job.dataset.time_kind != data::TimeKind::real) {
        return "needs real timestamps";
    }
    return {};
}

void run_entry(const Job& job, const Contender& contender, Outcome& outcome) {
    outcome.refused = refusal(job, *contender.entry);
    if (!outcome.refused.empty()) {
        return;
    }
    for (const auto& trial : job.protocol.trials) {
        stop_if_asked(job.work);
        const Stopwatch watch;
        const auto model = contender.entry->fit(
            train::FitContext{
                .dataset = job.dataset,
                .log = trial.train,
                .content = job.options.content,
                .rng = Rng{job.options.seed},
                .progress = job.work.progress,
                .stop = job.work.stop,
            },
            contender.settings
        );
        outcome.fit_seconds += watch.seconds();
        HG_CHECK(
            model->n_items() == job.dataset.items.size(), "a model scores every item of its dataset"
        );
        score_trial(job, trial, Scorer{*model, job.dataset.items.size()}, outcome);
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

void run_loaded(const Job& job, const Contender& contender, Outcome& outcome) {
    if (auto warning = leak_warning(job.dataset, *contender.run, job.protocol.kind);
        !warning.empty()) {
        outcome.warnings.push_back(std::move(warning));
    }
    const Scorer scorer{*contender.run, job.dataset};
    if (const auto n = scorer.n_unknown(); n > 0) {
        outcome.warnings.push_back(fmt::format("does not know {} items of this dataset", n));
    }
    outcome.fit_seconds = contender.run->manifest.value("seconds", 0.0);
    for (const auto& trial : job.protocol.trials) {
        score_trial(job, trial, scorer, outcome);
    }
}

void run_fitted(const Job& job, const Contender& contender, Outcome& outcome) {
    HG_CHECK(job.protocol.trials.size() == 1, "one model cannot have learned from several trials");
    outcome.fit_seconds = contender.fit_seconds;
    const Scorer scorer{*contender.model, job.dataset.items.size()};
    score_trial(job, job.protocol.trials.front(), scorer, outcome);
}

}  // namespace

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
        Outcome outcome;
        outcome.name = contender.name;
        if (contender.run != nullptr) {
            run_loaded(job, contender, outcome);
        } else if (contender.model != nullptr) {
            run_fitted(job, contender, outcome);
        } else {
            run_entry(job, contender, outcome);
        }
        outcomes.push_back(std::move(outcome));
    }
    return outcomes;
}

}  // namespace hg::app

// SPDX-License-Identifier: Apache-2.0
#include "serve/scoring.hpp"

#include "serve/model_scores.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

namespace hg::serve {
namespace {

/// What is needed to score an arrival, copied so that the table is not locked while the model runs.
struct Arrival {
    ItemRow row = 0;
    std::vector<float> content;
    std::vector<ContentNeighbour> neighbours;
    std::int64_t n_events = 0;
};

std::optional<Arrival> arrival_of(
    const Snapshot& snapshot, const ItemTable::Read& items, ItemRow row
) {
    if (snapshot.model_row(row) != Snapshot::not_in_model || items.is_stub(row) ||
        items.is_hidden(row)) {
        return std::nullopt;
    }
    const auto content = items.content(row);
    const auto neighbours = items.neighbours(row);
    return Arrival{
        .row = row,
        .content = {content.begin(), content.end()},
        .neighbours = {neighbours.begin(), neighbours.end()},
        .n_events = items.n_events(row),
    };
}

std::vector<Arrival> arrivals_of(const Snapshot& snapshot, const ItemTable& table) {
    std::vector<Arrival> arrivals;
    const auto items = table.read();
    for (const auto row : items.arrivals()) {
        if (auto arrival = arrival_of(snapshot, items, row)) {
            arrivals.push_back(std::move(*arrival));
        }
    }
    return arrivals;
}

float by_neighbours(
    const Snapshot& snapshot, const Arrival& arrival, const ModelScores& scores, std::size_t history
) {
    double sum = 0;
    double weights = 0;
    for (const auto& near : arrival.neighbours) {
        const auto row = snapshot.model_row(near.row);
        if (row == Snapshot::not_in_model) {
            continue;
        }
        sum += static_cast<double>(near.similarity) * static_cast<double>(scores.of(history, row));
        weights += static_cast<double>(near.similarity);
    }
    return weights > 0 ? static_cast<float>(sum / weights) : masked_score;
}

/// The score at the same place in the user's order as the item's count has in the order of
/// popularity.
float by_popularity(
    const Snapshot& snapshot, const Arrival& arrival, ModelScores& scores, std::size_t history
) {
    const auto& counts = snapshot.sorted_counts;
    const auto below = std::ranges::lower_bound(counts, arrival.n_events) - counts.begin();
    return scores.at_place(history, static_cast<std::size_t>(below));
}

/// [histories, arrivals]
Matrix<float> score_arrivals(
    const Snapshot& snapshot,
    std::span<const Arrival> arrivals,
    std::span<const data::History> histories,
    ModelScores& scores
) {
    Matrix<float> out(histories.size(), arrivals.size());
    std::vector<std::size_t> with_content;
    for (std::size_t i = 0; i < arrivals.size(); ++i) {
        const bool fits = snapshot.content && arrivals[i].content.size() == snapshot.content->dim();
        if (fits) {
            with_content.push_back(i);
        }
        for (std::size_t h = 0; h < histories.size(); ++h) {
            const auto near = by_neighbours(snapshot, arrivals[i], scores, h);
            out(h, i) =
                near > masked_score ? near : by_popularity(snapshot, arrivals[i], scores, h);
        }
    }
    if (with_content.empty()) {
        return out;
    }
    Matrix<float> content(with_content.size(), snapshot.content->dim());
    for (std::size_t i = 0; i < with_content.size(); ++i) {
        std::ranges::copy(arrivals[with_content[i]].content, content.row(i).begin());
    }
    Matrix<float> made(histories.size(), with_content.size());
    if (!snapshot.run.model->score_new_items(histories, content.view(), made.view())) {
        return out;
    }
    for (std::size_t h = 0; h < histories.size(); ++h) {
        for (std::size_t i = 0; i < with_content.size(); ++i) {
            out(h, with_content[i]) = made(h, i);
        }
    }
    return out;
}

float deviation_of(std::span<const float> scores) {
    double sum = 0;
    double squares = 0;
    for (const float s : scores) {
        sum += s;
        squares += static_cast<double>(s) * s;
    }
    const auto n = static_cast<double>(std::max<std::size_t>(1, scores.size()));
    const double variance = squares / n - (sum / n) * (sum / n);
    return variance > 0 ? static_cast<float>(std::sqrt(variance)) : 1.0F;
}

void add_wishes(
    const Snapshot& snapshot,
    std::span<const TraitWish> wishes,
    float deviation,
    std::span<float> scores
) {
    for (const auto& wish : wishes) {
        const auto* const field = snapshot.trait_field(wish.field);
        if (field == nullptr) {
            continue;  // another catalogue than when it was wished
        }
        const auto named = std::ranges::find(field->vocabulary, wish.name);
        const auto code = static_cast<std::uint32_t>(named - field->vocabulary.begin());
        const auto step = deviation * static_cast<float>(wish.preference);
        for (std::size_t item = 0; item < scores.size(); ++item) {
            const auto codes = field->row_codes(item);
            scores[item] += std::ranges::find(codes, code) != codes.end() ? step : 0.0F;
        }
    }
}

/// The same for items the model does not know.
float wished_of(const ItemTable::Read& items, ItemRow row, std::span<const TraitWish> wishes) {
    double sum = 0;
    for (const auto& wish : wishes) {
        const FilterCondition condition{.field = wish.field, .any_of = {wish.name}};
        sum += items.matches(row, std::array{condition}) ? wish.preference : 0;
    }
    return static_cast<float>(sum);
}

/// The same filter over rows of the model.
RowFilter of_model_rows(const Snapshot& snapshot, const RowFilter& only) {
    if (!only) {
        return {};
    }
    return [&snapshot, &only](std::vector<Scored>& rows) {
        for (auto& row : rows) {
            row.index = snapshot.item_rows[row.index];
        }
        only(rows);
        for (auto& row : rows) {
            row.index = snapshot.model_row(row.index);
        }
    };
}

/// Into the order of the others, again at most wanted.keep.
void add_arrivals(
    std::span<const Arrival> arrivals,
    std::span<const float> scores,
    const Wanted& wanted,
    std::vector<Scored>& best
) {
    if (arrivals.empty()) {
        return;
    }
    std::vector<Scored> rows;
    for (std::size_t i = 0; i < arrivals.size(); ++i) {
        rows.push_back({.index = arrivals[i].row, .score = scores[i]});
    }
    if (wanted.only) {
        wanted.only(rows);
    }
    best.insert(best.end(), rows.begin(), rows.end());
    std::ranges::stable_sort(best, std::greater{}, &Scored::score);
    best.resize(std::min(best.size(), wanted.keep));
}

}  // namespace

data::HistoryBuffer model_history(const Snapshot& snapshot, const UserView& user) {
    data::HistoryBuffer history;
    history.set_attributes(user.attributes);
    for (const auto& event : user.events) {
        const auto row = snapshot.model_row(event.row);
        if (row == Snapshot::not_in_model) {
            continue;
        }
        history.add({
            .item = ItemId{row},
            .weight = event.weight,
            .type = event.type,
            .value = event.value,
            .time = event.time,
        });
    }
    return history;
}

Candidates score_candidates(
    const Snapshot& snapshot,
    const ItemTable& items,
    const UserView& user,
    const Taste& taste,
    const Wanted& wanted
) {
    Candidates candidates{.snapshot = snapshot.number, .items_version = items.version()};
    const auto arrivals = arrivals_of(snapshot, items);
    const auto buffer = model_history(snapshot, user);
    const std::array histories{buffer.view()};
    const bool has_wishes = !taste.wishes.empty();  // they move every item
    ModelScores scores{
        snapshot,
        histories,
        taste.belief,
        has_wishes ? ScoreForm::whole_rows : ScoreForm::cheapest,
    };
    Matrix<float> more(1, arrivals.size());
    if (!arrivals.empty()) {
        more = score_arrivals(snapshot, arrivals, histories, scores);
    }
    if (has_wishes) {
        const auto row = scores.whole_rows().row(0);
        const float deviation = deviation_of(row);
        add_wishes(snapshot, taste.wishes, deviation, row);
        const auto read = items.read();
        for (std::size_t i = 0; i < arrivals.size(); ++i) {
            more(0, i) += deviation * wished_of(read, arrivals[i].row, taste.wishes);
        }
    }
    const auto filter = of_model_rows(snapshot, wanted.only);
    candidates.best = scores.best(wanted.keep, filter);
    for (auto& candidate : candidates.best) {
        candidate.index = snapshot.item_rows[candidate.index];
    }
    add_arrivals(arrivals, more.row(0), wanted, candidates.best);
    const bool has_all = candidates.best.size() < wanted.keep ||
                         wanted.keep >= snapshot.run.model->n_items() + arrivals.size();
    candidates.is_complete = has_all && !scores.is_guess(filter);
    return candidates;
}

Matrix<float> score_rows(
    const Snapshot& snapshot,
    const ItemTable& items,
    std::span<const data::History> histories,
    std::span<const ItemRow> rows
) {
    ModelScores all{snapshot, histories};
    std::vector<Arrival> arrivals;
    {
        const auto read = items.read();
        for (const auto row : rows) {
            if (auto arrival = arrival_of(snapshot, read, row)) {
                arrivals.push_back(std::move(*arrival));
            }
        }
    }
    const auto more = score_arrivals(snapshot, arrivals, histories, all);
    Matrix<float> out(histories.size(), rows.size());
    for (std::size_t h = 0; h < histories.size(); ++h) {
        std::size_t next = 0;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const auto row = snapshot.model_row(rows[i]);
            if (row != Snapshot::not_in_model) {
                out(h, i) = all.of(h, row);
            } else if (next < arrivals.size() && arrivals[next].row == rows[i]) {
                out(h, i) = more(h, next++);
            }
        }
    }
    return out;
}

}  // namespace hg::serve

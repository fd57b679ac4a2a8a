// SPDX-License-Identifier: Apache-2.0
#include "simulate/learned/feedback_from_dataset.hpp"

#include "encode/render_text.hpp"
#include "simulate/learned/history_profile.hpp"
#include "train/truncated_svd.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <unordered_set>

namespace hg::simulate {
namespace {

constexpr double ms_per_hour = 3.6e6;
constexpr std::size_t fewest_events = 3;  // of a user: one to start from, two to predict

std::size_t liked_events(const data::History& history) {
    std::size_t n = 0;
    for (std::size_t i = 0; i < history.size(); ++i) {
        n += history.weight(i) > 0 ? 1 : 0;
    }
    return n;
}

/// Whole users at random until there are enough decisions, then in order of their ids.
std::vector<UserId> choose_users(
    const data::InteractionLog& log, const WorldFitOptions& options, Rng rng
) {
    std::vector<UserId> order;
    for (std::uint32_t u = 0; u < log.n_users(); ++u) {
        order.push_back({u});
    }
    rng.shuffle(std::span{order});
    std::vector<UserId> chosen;
    std::size_t n = 0;
    const auto longest = static_cast<std::size_t>(options.longest_sequence);
    for (const auto user : order) {
        const auto events = liked_events(log.history(user));
        if (events < fewest_events) {
            continue;
        }
        chosen.push_back(user);
        n += std::min(events, longest);
        if (options.max_decisions > 0 && std::cmp_greater_equal(n, options.max_decisions)) {
            break;
        }
    }
    std::ranges::sort(chosen);
    return chosen;
}

/// Catalogue fields that are numbers and known of most items, scaled by log where they are skewed.
std::vector<std::vector<float>> number_columns(const data::Catalogue& items) {
    std::vector<std::vector<float>> columns;
    for (const auto& field : items.fields()) {
        const auto known = std::accumulate(field.present.begin(), field.present.end(), 0.0);
        if (field.kind != data::FieldKind::number ||
            2 * known < static_cast<double>(items.n_rows())) {
            continue;
        }
        std::vector<float> column = field.numbers;
        const bool is_positive = std::ranges::all_of(column, [](float v) { return v >= 0; });
        double mean = 0;
        for (std::size_t i = 0; i < column.size(); ++i) {
            column[i] = is_positive ? std::log1p(column[i]) : column[i];
            mean += field.present[i] != 0 ? static_cast<double>(column[i]) / known : 0;
        }
        for (std::size_t i = 0; i < column.size(); ++i) {
            column[i] = field.present[i] != 0 ? column[i] : static_cast<float>(mean);
        }
        columns.push_back(std::move(column));
    }
    return columns;
}

/// Draws rows with chances given by weights.
class Sampler {
  public:
    explicit Sampler(std::span<const float> weights) {
        double sum = 0;
        for (const float w : weights) {
            sum += static_cast<double>(w);
            sums_.push_back(sum);
        }
    }

    [[nodiscard]] std::uint32_t draw(Rng& rng) const {
        const auto found = std::ranges::upper_bound(sums_, rng.uniform() * sums_.back());
        return static_cast<std::uint32_t>(
            std::min<std::ptrdiff_t>(found - sums_.begin(), std::ssize(sums_) - 1)
        );
    }

  private:
    std::vector<double> sums_;
};

class Builder {
  public:
    Builder(const data::Dataset& dataset, const WorldFitOptions& options, std::uint64_t seed)
        : dataset_(dataset),
          options_(options),
          rng_(Rng{seed}.split("dataset")),
          users_(choose_users(dataset.log, options, rng_.split("users"))) {
        auto& facts = table_.facts;
        facts.source = "dataset";
        facts.data_name = dataset.name;
        facts.data_hash = dataset.hash;
        facts.slate_size = 1 + static_cast<std::size_t>(options.negatives);
        const bool has_ids = !dataset.log.columns().sessions.empty();
        facts.has_gaps = dataset.time_kind == data::TimeKind::real;
        facts.has_sessions = has_ids || facts.has_gaps;
        facts.session_rule = session_rule(has_ids);
        facts.has_repeats = dataset.repeats_count;
        facts.is_clicks_only = true;
        facts.negatives_per_event = static_cast<double>(options.negatives);
        check(seed);
    }

    FeedbackTable build(ProgressSink& progress, const std::stop_token& stop) {
        make_items(progress, stop);
        name_items();
        centre_values();
        find_purchases();
        Progress bar{progress, "read feedback", users_.size(), "users"};
        for (const auto user : users_) {
            add_user(user);
            bar.advance();
        }
        find_session_repeats();
        table_.users = Matrix<float>(
            table_.n_decisions(), HistoryProfile::size(table_.item_rows.cols()), std::move(numbers_)
        );
        table_.weight.assign(table_.n_decisions(), 1.0F);
        table_.propensity.assign(table_.n_decisions(), std::numeric_limits<double>::quiet_NaN());
        table_.reward.assign(table_.n_decisions(), unknown_value);
        table_.candidate_offsets.assign(table_.n_decisions() + 1, 0);
        return std::move(table_);
    }

  private:
    void check(std::uint64_t seed) {
        if (users_.size() < fewest_events) {
            throw Error{
                ErrorCode::invalid_argument,
                fmt::format(
                    "{}: {} users have {} events or more, a world needs at least {}",
                    dataset_.name,
                    users_.size(),
                    fewest_events,
                    fewest_events
                ),
                "check the rejected rows: honeyguide ingest prints why each was refused"
            };
        }
        is_train_.assign(dataset_.log.n_users(), true);
        const auto split =
            split_feedback(users_.size(), options_.holdout, Rng{seed}.split("holdout"));
        for (const auto* part : {&split.validation, &split.test}) {
            for (const auto s : *part) {
                is_train_[users_[s].index()] = false;
            }
        }
    }

    void make_items(ProgressSink& progress, const std::stop_token& stop) {
        const auto train =
            dataset_.log.filter([&](UserId user, std::size_t) { return is_train_[user.index()]; });
        const auto n = dataset_.log.n_items();
        std::vector<float> popularity(n);
        for (std::uint32_t u = 0; u < train.n_users(); ++u) {
            const auto history = train.history({u});
            for (std::size_t i = 0; i < history.size(); ++i) {
                popularity[history.items[i].index()] += history.weight(i) > 0 ? 1.0F : 0.0F;
            }
        }
        const auto rank = std::min(static_cast<std::size_t>(options_.dim), n / 2);
        const auto svd =
            train::truncated_svd(train, {.rank = rank}, rng_.split("svd"), progress, stop);
        const auto columns = number_columns(dataset_.item_fields);
        table_.item_rows = Matrix<float>(n, rank + 1 + columns.size());
        for (std::size_t i = 0; i < n; ++i) {
            const auto row = table_.item_rows.row(i);
            double length = 0;
            for (std::size_t j = 0; j < rank; ++j) {
                row[j] = svd.right(i, j) * std::sqrt(svd.singular[j]);
                length += static_cast<double>(row[j] * row[j]);
            }
            for (std::size_t j = 0; j < rank && length > 0; ++j) {
                row[j] /= static_cast<float>(std::sqrt(length));
            }
            row[rank] = std::log1p(popularity[i]);
            for (std::size_t j = 0; j < columns.size(); ++j) {
                row[rank + 1 + j] = columns[j][i];
            }
            table_.item_ids.push_back(static_cast<std::uint32_t>(i));
            table_.item_sampling.push_back(
                std::pow(popularity[i] + 0.5F, static_cast<float>(options_.negative_power))
            );
        }
    }

    /// Names for policies that read words; a description is cut where no policy would read on.
    void name_items() {
        constexpr std::size_t longest = 400;  // bytes
        const auto rule = encode::TextRule::for_catalogue(dataset_.item_fields, {});
        auto texts = rule.render_all(dataset_.item_fields);
        for (auto& text : texts) {
            if (text.size() > longest) {
                const auto space = text.rfind(' ', longest);
                text.resize(space == std::string::npos ? 0 : space);
            }
        }
        const bool are_known = std::ranges::any_of(texts, [](const auto& t) { return !t.empty(); });
        if (are_known && texts.size() == table_.item_rows.rows()) {
            table_.item_texts = std::move(texts);
        }
    }

    /// Whether an item comes again within a session, or at all where there are no sessions.
    void find_session_repeats() {
        constexpr double seldom = 0.05;  // of the events
        double n_repeats = 0;
        std::unordered_set<std::uint32_t> seen;
        for (std::size_t d = 0; d < table_.n_decisions(); ++d) {
            if (table_.session_step[d] == 0) {
                seen.clear();
            }
            n_repeats += seen.insert(table_.slots_of(d).front().item).second ? 0 : 1;
        }
        table_.facts.has_session_repeats =
            table_.facts.has_repeats &&
            n_repeats > seldom * static_cast<double>(table_.n_decisions());
    }

    /// The mean of the known values of training users; logarithms of them where they are skewed.
    void centre_values() {
        const auto known = dataset_.log.columns().values;
        float most = 0;
        float least = 0;
        for (const float value : known) {
            most = std::isfinite(value) ? std::max(most, value) : most;
            least = std::isfinite(value) ? std::min(least, value) : least;
        }
        constexpr float skewed = 50;  // ratings and stars stay below, amounts and seconds do not
        is_log_ = least >= 0 && most > skewed;
        table_.facts.value_name = is_log_ ? "log(1 + value)" : "value";
        double sum = 0;
        double n = 0;
        for (const auto user : users_) {
            const auto history = dataset_.log.history(user);
            for (std::size_t i = 0; is_train_[user.index()] && i < history.size(); ++i) {
                const float value = value_of(history, i);
                if (std::isfinite(value)) {
                    sum += static_cast<double>(value);
                    n += 1;
                }
            }
        }
        table_.facts.value_centre = n > 0 ? sum / n : 0;
    }

    /// Whether training users both click and purchase, and what dataset.toml says either weighs.
    void find_purchases() {
        std::array<double, 2> n{};  // clicks, purchases
        std::array<double, 2> weight{};
        for (const auto user : users_) {
            const auto history = dataset_.log.history(user);
            for (std::size_t i = 0; is_train_[user.index()] && i < history.size(); ++i) {
                if (history.weight(i) > 0) {
                    const auto kind = static_cast<std::size_t>(is_purchase(history, i));
                    n.at(kind) += 1;
                    weight.at(kind) += static_cast<double>(history.weight(i));
                }
            }
        }
        auto& facts = table_.facts;
        facts.has_purchases = n[0] > 0 && n[1] > 0;
        if (facts.has_purchases) {
            facts.click_weight = weight[0] / n[0];
            facts.purchase_weight = weight[1] / n[1];
        }
    }

    [[nodiscard]] bool is_purchase(const data::History& history, std::size_t event) const {
        return !history.types.empty() &&
               dataset_.event_types[history.types[event].index()].is_purchase;
    }

    [[nodiscard]] std::string session_rule(bool has_ids) const {
        const auto pause = fmt::format("a pause above {} minutes", options_.session_minutes);
        const bool is_real = dataset_.time_kind == data::TimeKind::real;
        if (has_ids) {
            return is_real ? "another session_id; " + pause + " between events without one"
                           : "another session_id";
        }
        return is_real ? pause : "";
    }

    void add_user(UserId user) {
        const auto history = dataset_.log.history(user);
        std::vector<std::size_t> liked;
        for (std::size_t i = 0; i < history.size(); ++i) {
            if (history.weight(i) > 0) {
                liked.push_back(i);
            }
        }
        const auto longest = static_cast<std::size_t>(options_.longest_sequence);
        const auto first = liked.size() > longest ? liked.size() - longest : 0;
        HistoryProfile profile{table_.item_rows.cols(), options_.decay};
        std::vector<float> numbers(HistoryProfile::size(table_.item_rows.cols()));
        std::unordered_set<ItemId> had{history.items.begin(), history.items.end()};
        const Sampler sampler{table_.item_sampling};
        Rng rng = rng_.split("negatives").split(user.value);
        std::uint32_t step = 0;
        for (std::size_t i = 0; i < liked.size(); ++i) {
            const auto event = liked[i];
            if (i >= first) {
                profile.write(numbers);
                numbers_.insert(numbers_.end(), numbers.begin(), numbers.end());
                add_slots(history, event, had, sampler, rng);
                step = add_ending(history, liked, i, step);
            }
            const auto value = value_of(history, event);
            profile.add(
                table_.item_rows.row(history.items[event].index()),
                value - static_cast<float>(table_.facts.value_centre)
            );
        }
        table_.sequence_offsets.push_back(table_.n_decisions());
    }

    [[nodiscard]] float value_of(const data::History& history, std::size_t event) const {
        const float value = history.values.empty() ? unknown_value : history.values[event];
        return is_log_ ? std::log1p(value) : value;
    }

    void add_slots(
        const data::History& history,
        std::size_t event,
        const std::unordered_set<ItemId>& had,
        const Sampler& sampler,
        Rng& rng
    ) {
        table_.slots.push_back({
            .item = history.items[event].value,
            .clicked = true,
            .purchased = table_.facts.has_purchases && is_purchase(history, event),
            .value = value_of(history, event),
        });
        constexpr int tries = 50;  // of users who have nearly everything
        for (std::int64_t k = 0; k < options_.negatives; ++k) {
            auto item = sampler.draw(rng);
            for (int t = 0; t < tries && had.contains(ItemId{item}); ++t) {
                item = sampler.draw(rng);
            }
            table_.slots.push_back({.item = item});
        }
        table_.slot_offsets.push_back(table_.slots.size());
    }

    /// Whether the session ends with this event; the step within the session of the next one.
    std::uint32_t add_ending(
        const data::History& history,
        std::span<const std::size_t> liked,
        std::size_t i,
        std::uint32_t step
    ) {
        table_.session_step.push_back(step);
        table_.gap_hours.push_back(unknown_value);
        const bool is_last = i + 1 == liked.size();
        if (!table_.facts.has_sessions || is_last) {
            table_.leaving.push_back(is_last ? Leaving::unknown : Leaving::stays);
            return step + 1;
        }
        const auto gap = history.times[liked[i + 1]] - history.times[liked[i]];
        const bool leaves = ends_session(history, liked[i], liked[i + 1], gap);
        table_.leaving.push_back(leaves ? Leaving::leaves : Leaving::stays);
        if (leaves && table_.facts.has_gaps) {
            table_.gap_hours.back() = static_cast<float>(static_cast<double>(gap) / ms_per_hour);
        }
        return leaves ? 0 : step + 1;
    }

    /// Whether the session of one event is not that of the next.
    [[nodiscard]] bool ends_session(
        const data::History& history, std::size_t event, std::size_t next, TimeMs gap
    ) const {
        const auto& sessions = history.sessions;
        if (!sessions.empty() &&
            (sessions[event] != data::no_session || sessions[next] != data::no_session)) {
            return sessions[event] != sessions[next];
        }
        return table_.facts.has_gaps && gap > options_.session_minutes * 60'000;
    }

    const data::Dataset& dataset_;
    const WorldFitOptions& options_;
    Rng rng_;
    std::vector<UserId> users_;
    std::vector<bool> is_train_;  // by user; users who were not drawn count too
    std::vector<float> numbers_;
    bool is_log_ = false;  // values
    FeedbackTable table_;
};

}  // namespace

FeedbackTable feedback_from_dataset(
    const data::Dataset& dataset,
    const WorldFitOptions& options,
    std::uint64_t seed,
    ProgressSink& progress,
    const std::stop_token& stop
) {
    if (dataset.log.empty()) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("dataset {} has no events to learn a world from", dataset.name),
            "check the rejected rows: honeyguide ingest prints why each was refused"
        };
    }
    return Builder{dataset, options, seed}.build(progress, stop);
}

}  // namespace hg::simulate

// SPDX-License-Identifier: Apache-2.0
#include "train/models/sequential_rules_model.hpp"

#include "train/pair_memory.hpp"
#include "train/sparse.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

namespace hg::train {
namespace {

/// Calls visit(item, weight) from the last liked event backwards while weights matter.
template <typename Visit>
void for_each_recent(const data::History& history, double decay, const Visit& visit) {
    constexpr double negligible = 1e-4;
    double weight = 1;
    for (std::size_t i = history.size(); i-- > 0 && weight >= negligible;) {
        if (history.weight(i) > 0) {
            visit(history.items[i], static_cast<float>(weight));
            weight *= decay;
        }
    }
}

class SequentialRules final : public Recommender {
  public:
    /// rules: [n_items, n_items], n_ij / (n_i + shrink); doubts: [n_items], shrink / (n_i + shrink);
    /// popularity: [n_items], sums to 1.
    SequentialRules(
        Csr rules, std::vector<float> doubts, std::vector<float> popularity, double decay
    )
        : rules_(std::move(rules)),
          doubts_(std::move(doubts)),
          popularity_(std::move(popularity)),
          decay_(decay) {}

    void score(std::span<const data::History> histories, MatrixView<float> out) const override {
        for (std::size_t row = 0; row < histories.size(); ++row) {
            const auto scores = out.row(row);
            float share_of_popularity = 0;
            for_each_recent(histories[row], decay_, [&](ItemId item, float weight) {
                share_of_popularity += weight * doubts_[item.index()];
            });
            if (share_of_popularity == 0) {
                share_of_popularity = 1;
            }
            std::ranges::transform(popularity_, scores.begin(), [&](float p) {
                return share_of_popularity * p;
            });
            for_each_recent(histories[row], decay_, [&](ItemId item, float weight) {
                const auto others = rules_.row(item.index());
                const auto values = rules_.row_values(item.index());
                for (std::size_t i = 0; i < others.size(); ++i) {
                    scores[others[i]] += weight * values[i];
                }
            });
        }
    }

    [[nodiscard]] std::size_t n_items() const override { return popularity_.size(); }

    void save(SafetensorsWriter& weights) const override {
        save_csr(weights, "rules", rules_);
        weights.add<float>("doubts", doubts_);
        weights.add<float>("popularity", popularity_);
    }

  private:
    Csr rules_;
    std::vector<float> doubts_;
    std::vector<float> popularity_;
    double decay_;
};

/// The liked events of every user in order, one user after the other.
struct Sequences {
    std::vector<std::uint32_t> items;
    std::vector<std::size_t> user_ends;  // [items.size()]: where this event's user ends
};

Sequences sequences_of(const data::InteractionLog& log) {
    Sequences sequences;
    for (std::uint32_t user = 0; user < log.n_users(); ++user) {
        const auto history = log.history(UserId{user});
        for (std::size_t i = 0; i < history.size(); ++i) {
            if (history.weight(i) > 0) {
                sequences.items.push_back(history.items[i].value);
            }
        }
        sequences.user_ends.resize(sequences.items.size(), sequences.items.size());
    }
    return sequences;
}

/// Places of each item's events: [offsets[i], offsets[i + 1]) of `places`.
struct Occurrences {
    std::vector<std::size_t> offsets;
    std::vector<std::size_t> places;
};

Occurrences occurrences_of(const Sequences& sequences, std::size_t n_items) {
    Occurrences found{.offsets = std::vector<std::size_t>(n_items + 1), .places = {}};
    for (const auto item : sequences.items) {
        ++found.offsets[item + 1];
    }
    std::partial_sum(found.offsets.begin(), found.offsets.end(), found.offsets.begin());
    found.places.resize(sequences.items.size());
    auto next = found.offsets;
    for (std::size_t place = 0; place < sequences.items.size(); ++place) {
        found.places[next[sequences.items[place]]++] = place;
    }
    return found;
}

/// What followed one item, by item, ascending; reuses its memory.
class Followers {
  public:
    Followers(std::size_t n_items, const SequentialRulesOptions& options) : counts_(n_items) {
        for (std::int64_t d = 1; d <= options.window; ++d) {
            fades_.push_back(static_cast<float>(std::pow(static_cast<double>(d), -options.fade)));
        }
    }

    /// The strongest options.rules, and the sum over all of them.
    std::pair<std::span<const Neighbour>, double> of(
        std::uint32_t item,
        const Sequences& sequences,
        std::span<const std::size_t> places,
        const SequentialRulesOptions& options
    ) {
        found_.clear();
        const auto window = static_cast<std::size_t>(options.window);
        double total = 0;
        for (const auto place : places) {
            const auto end = std::min(sequences.user_ends[place], place + 1 + window);
            for (auto other = place + 1; other < end; ++other) {
                const auto follower = sequences.items[other];
                if (follower == item) {
                    continue;
                }
                const float count = fades_[other - place - 1];
                if (counts_[follower] == 0) {
                    found_.push_back({.item = follower});
                }
                counts_[follower] += count;
                total += count;
            }
        }
        for (auto& one : found_) {
            one.count = std::exchange(counts_[one.item], 0.0F);
        }
        keep_strongest(found_, static_cast<std::size_t>(options.rules));
        std::ranges::sort(found_, {}, &Neighbour::item);
        return {found_, total};
    }

  private:
    std::vector<float> fades_;   // [window]
    std::vector<float> counts_;  // [n_items], all 0 between calls
    std::vector<Neighbour> found_;
};

/// At most so many rules: an item has no more than its events times the window.
double most_rules(
    const Occurrences& occurrences, std::size_t n_items, const SequentialRulesOptions& options
) {
    const double limit = options.rules > 0 ? static_cast<double>(options.rules) : 1e18;
    double sum = 0;
    for (std::size_t item = 0; item < n_items; ++item) {
        const auto n =
            static_cast<double>(occurrences.offsets[item + 1] - occurrences.offsets[item]);
        sum += std::min(
            {limit, n * static_cast<double>(options.window), static_cast<double>(n_items) - 1}
        );
    }
    return sum;
}

}  // namespace

std::unique_ptr<Recommender> fit_sequential_rules(
    const FitContext& context, const SequentialRulesOptions& options, std::string_view name
) {
    const auto n_items = context.log.n_items();
    const auto sequences = sequences_of(context.log);
    const auto occurrences = occurrences_of(sequences, n_items);
    check_pair_count({
        .model = name,
        .pairs = most_rules(occurrences, n_items, options),
        .n_items = n_items,
        .limit_bytes = context.memory_limit,
        .hint = "keep fewer of each item, --set rules=100, or a shorter window",
    });
    const auto n_events = static_cast<float>(std::max<std::size_t>(1, sequences.items.size()));
    Progress bar{context.progress, std::string{name}, n_items, "items"};
    Csr rules;
    rules.n_cols = n_items;
    rules.offsets.push_back(0);
    std::vector<float> doubts(n_items);
    std::vector<float> popularity(n_items);
    Followers followers{n_items, options};
    for (std::uint32_t item = 0; item < n_items; ++item) {
        if (context.stop.stop_requested()) {
            throw Error{ErrorCode::interrupted, "stopped"};
        }
        const auto first = occurrences.offsets[item];
        const auto places =
            std::span{occurrences.places}.subspan(first, occurrences.offsets[item + 1] - first);
        const auto [kept, total] = followers.of(item, sequences, places, options);
        const double denominator = total + options.shrink;
        for (const auto& one : kept) {
            rules.indices.push_back(one.item);
            rules.values.push_back(static_cast<float>(one.count / denominator));
        }
        rules.offsets.push_back(static_cast<std::int64_t>(rules.indices.size()));
        doubts[item] = static_cast<float>(options.shrink / denominator);
        popularity[item] = static_cast<float>(places.size()) / n_events;
        bar.advance();
    }
    return std::make_unique<SequentialRules>(
        std::move(rules), std::move(doubts), std::move(popularity), options.decay
    );
}

std::unique_ptr<Recommender> load_sequential_rules(
    const SafetensorsFile& weights, const SequentialRulesOptions& options
) {
    const auto doubts = value_or_throw(weights.values<float>("doubts"));
    const auto popularity = value_or_throw(weights.values<float>("popularity"));
    if (doubts.size() != popularity.size()) {
        throw Error{ErrorCode::corrupt, "doubts and popularity differ in length", "train it again"};
    }
    auto rules = value_or_throw(load_csr(weights, "rules", popularity.size()));
    return std::make_unique<SequentialRules>(
        std::move(rules),
        std::vector<float>{doubts.begin(), doubts.end()},
        std::vector<float>{popularity.begin(), popularity.end()},
        options.decay
    );
}

}  // namespace hg::train

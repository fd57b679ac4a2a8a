// SPDX-License-Identifier: Apache-2.0
// item_knn: items that the same people liked, cosine summed over the history.
//
// s(i, j) = n_ij / (sqrt(n_i n_j) + shrink); score_j = sum over distinct liked items i of s(i, j).
// By default no shrinkage and no cut of the neighbours. Sarwar et al., "Item-based collaborative
// filtering recommendation algorithms", WWW 2001; we use binary data, so the adjusted cosine is not
// needed.
#include "train/cold_start.hpp"
#include "train/model_entry.hpp"
#include "train/pair_memory.hpp"
#include "train/sparse.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace hg::train {
namespace {

struct ItemKnnOptions {
    double shrink = 0;
    std::int64_t neighbours = 0;

    static void describe(OptionBinder& bind, ItemKnnOptions& o) {
        bind("shrink", o.shrink, "added to the denominator: doubts rare pairs", {.min = 0});
        bind("neighbours", o.neighbours, "keep the nearest of each item; 0 = all", {.min = 0});
    }
};

class ItemKnn final : public Recommender {
  public:
    ItemKnn(Csr similar, std::vector<float> whisper)
        : similar_(std::move(similar)), whisper_(std::move(whisper)) {}

    void score(std::span<const data::History> histories, MatrixView<float> out) const override {
        for (std::size_t row = 0; row < histories.size(); ++row) {
            const auto scores = out.row(row);
            std::ranges::copy(whisper_, scores.begin());
            for (const auto item : positive_items(histories[row]).items) {
                const auto others = similar_.row(item);
                const auto values = similar_.row_values(item);
                for (std::size_t i = 0; i < others.size(); ++i) {
                    scores[others[i]] += values[i];
                }
            }
        }
    }

    [[nodiscard]] std::size_t n_items() const override { return whisper_.size(); }

    void save(SafetensorsWriter& weights) const override {
        save_csr(weights, "similar", similar_);
        weights.add<float>("popularity", whisper_);
    }

  private:
    Csr similar_;                 // [n_items, n_items]
    std::vector<float> whisper_;  // [n_items]
};

std::unique_ptr<Recommender> fit_item_knn(const FitContext& context, const Settings& settings) {
    const auto options = settings.read<ItemKnnOptions>();
    const auto users = positive_pairs(context.log);
    const auto counts = column_counts(users);
    const auto most = static_cast<std::size_t>(options.neighbours);
    check_pairs_fit({
        .model = "item_knn",
        .users = users,
        .most_per_item = most,
        .limit_bytes = context.memory_limit,
        .hint = "keep the nearest of each item, --set neighbours=200, or use als",
    });
    Progress bar{context.progress, "item_knn", users.n_cols, "items"};
    Csr similar;
    similar.n_cols = users.n_cols;
    similar.offsets.push_back(0);
    std::vector<Neighbour> kept;
    for_each_cooccurrence_row(users, [&](ItemId item, std::span<const Neighbour> others) {
        if (context.stop.stop_requested()) {
            throw Error{ErrorCode::interrupted, "stopped"};
        }
        kept.assign(others.begin(), others.end());
        for (auto& other : kept) {
            const auto norm =
                std::sqrt(static_cast<double>(counts[item.index()]) * counts[other.item]);
            other.count = static_cast<float>(other.count / (norm + options.shrink));
        }
        keep_strongest(kept, most);
        std::ranges::sort(kept, {}, &Neighbour::item);
        for (const auto& other : kept) {
            similar.indices.push_back(other.item);
            similar.values.push_back(other.count);
        }
        similar.offsets.push_back(static_cast<std::int64_t>(similar.indices.size()));
        bar.advance();
    });
    return std::make_unique<ItemKnn>(std::move(similar), popularity_whisper(context.log));
}

std::unique_ptr<Recommender>
load_item_knn(const SafetensorsFile& weights, const Settings& /*settings*/) {
    const auto whisper = value_or_throw(weights.values<float>("popularity"));
    auto similar = value_or_throw(load_csr(weights, "similar", whisper.size()));
    return std::make_unique<ItemKnn>(
        std::move(similar), std::vector<float>{whisper.begin(), whisper.end()}
    );
}

}  // namespace

extern const ModelEntry item_knn{
    .name = "item_knn",
    .summary = "items that the same people liked: cosine summed over the history",
    .facts = Fact::none,
    .options = &describe_options<ItemKnnOptions>,
    .fit = &fit_item_knn,
    .load = &load_item_knn,
};

}  // namespace hg::train

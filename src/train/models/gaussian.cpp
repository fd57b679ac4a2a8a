// SPDX-License-Identifier: Apache-2.0
// gaussian: a user as a Gaussian belief over preferences, updated in closed form by each event.
//
// The few-shot learner of the product (train/gaussian_prior.hpp holds the equations): the prior is
// learned from all training users, each event is one rank-1 update, no gradient at serving time.
#include "train/fit_gaussian_prior.hpp"
#include "train/gaussian_prior.hpp"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace hg::train {
namespace {

class Gaussian final : public Recommender {
  public:
    explicit Gaussian(GaussianPrior prior) : prior_(std::move(prior)) {}

    void score(std::span<const data::History> histories, MatrixView<float> out) const override {
        for (std::size_t row = 0; row < histories.size(); ++row) {
            prior_.score(prior_.belief_of(histories[row]), out.row(row));
        }
    }

    [[nodiscard]] std::size_t n_items() const override { return prior_.n_items(); }

    [[nodiscard]] std::optional<MatrixView<const float>> item_vectors() const override {
        return prior_.parts().item_vectors.view();
    }

    void user_vectors(std::span<const data::History> histories, MatrixView<float> out)
        const override {
        for (std::size_t row = 0; row < histories.size(); ++row) {
            std::ranges::copy(prior_.belief_of(histories[row]).mean, out.row(row).begin());
        }
    }

    [[nodiscard]] bool score_new_items(
        std::span<const data::History> histories,
        MatrixView<const float> content,
        MatrixView<float> out
    ) const override {
        if (!can_place(content)) {
            return false;
        }
        std::vector<std::vector<float>> places;
        for (std::size_t i = 0; i < content.rows(); ++i) {
            places.push_back(prior_.place(content.row(i)));
        }
        for (std::size_t row = 0; row < histories.size(); ++row) {
            const auto belief = prior_.belief_of(histories[row]);
            for (std::size_t i = 0; i < places.size(); ++i) {
                out(row, i) = std::inner_product(
                    places[i].begin(), places[i].end(), belief.mean.begin(), 0.0F
                );
            }
        }
        return true;
    }

    [[nodiscard]] std::unique_ptr<Recommender> grown(MatrixView<const float> content
    ) const override {
        return can_place(content) ? std::make_unique<Gaussian>(prior_.grown(content)) : nullptr;
    }

    [[nodiscard]] const GaussianPrior* belief_prior() const override { return &prior_; }

    void save(SafetensorsWriter& weights) const override { prior_.save(weights, ""); }

  private:
    [[nodiscard]] bool can_place(MatrixView<const float> content) const {
        const auto& map = prior_.parts().content_map;
        return !map.empty() && map.content_dim() == content.cols();
    }

    GaussianPrior prior_;
};

std::unique_ptr<Recommender> fit_gaussian(const FitContext& context, const Settings& settings) {
    return std::make_unique<Gaussian>(fit_gaussian_prior(context, settings.read<GaussianOptions>())
    );
}

std::unique_ptr<Recommender>
load_gaussian(const SafetensorsFile& weights, const Settings& /*settings*/) {
    return std::make_unique<Gaussian>(GaussianPrior::load(weights, ""));
}

}  // namespace

extern const ModelEntry gaussian{
    .name = "gaussian",
    .summary =
        "a Gaussian belief per user, updated in closed form from a prior learned on all users",
    .facts = Fact::uses_content,
    .options = &describe_options<GaussianOptions>,
    .fit = &fit_gaussian,
    .load = &load_gaussian,
};

}  // namespace hg::train

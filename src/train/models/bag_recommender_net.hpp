// SPDX-License-Identifier: Apache-2.0
// BagRecommender: a BagNet as a model: what dae and anil share. Private to the models of this room.
//
//   return std::make_unique<BagRecommender>(net);
#pragma once

#include "core/matrix.hpp"
#include "train/models/bag_net.hpp"
#include "train/recommender.hpp"

#include <memory>
#include <span>

namespace hg::train {

class BagRecommender : public Recommender {
  public:
    /// The net is not changed any more.
    explicit BagRecommender(std::shared_ptr<const BagNet> net);

    void score(std::span<const data::History> histories, MatrixView<float> out) const override;

    [[nodiscard]] std::size_t n_items() const override { return net_->n_items(); }

    /// With the bias as the last column.
    [[nodiscard]] std::optional<MatrixView<const float>> item_vectors() const override {
        return item_vectors_.view();
    }

    void user_vectors(std::span<const data::History> histories, MatrixView<float> out)
        const override;

    void save(SafetensorsWriter& weights) const override;

  protected:
    /// Of bags: [bags, dim]. Called without gradient.
    [[nodiscard]] virtual at::Tensor states(const ItemBags& bags) const {
        return net_->state(bags);
    }

  private:
    std::shared_ptr<const BagNet> net_;
    Matrix<float> item_vectors_;
};

/// Fills the parameters of a net from the weights of a run. Throws Error where they do not fit.
void load_bag_net(const SafetensorsFile& weights, BagNet& net);

}  // namespace hg::train

// SPDX-License-Identifier: Apache-2.0
#include "train/models/bag_recommender_net.hpp"

#include <torch/types.h>
#include <torch/utils.h>

#include <utility>

namespace hg::train {
namespace {

ItemBags bags_of(std::span<const data::History> histories) {
    ItemBags bags;
    for (const auto& history : histories) {
        bags.add(positives(history));
    }
    return bags;
}

}  // namespace

BagRecommender::BagRecommender(std::shared_ptr<const BagNet> net) : net_(std::move(net)) {
    const at::NoGradGuard no_grad;
    const auto table = net_->item_table();
    item_vectors_ = Matrix<float>(n_items(), static_cast<std::size_t>(table.size(1)));
    encode::to_matrix(table, item_vectors_.view());
}

void BagRecommender::score(std::span<const data::History> histories, MatrixView<float> out) const {
    if (!histories.empty()) {
        const at::NoGradGuard no_grad;
        encode::to_matrix(net_->logits(states(bags_of(histories))), out);
    }
}

void BagRecommender::user_vectors(std::span<const data::History> histories, MatrixView<float> out)
    const {
    if (!histories.empty()) {
        const at::NoGradGuard no_grad;
        const auto known = states(bags_of(histories));
        encode::to_matrix(at::cat({known, at::ones({known.size(0), 1})}, 1), out);
    }
}

void BagRecommender::save(SafetensorsWriter& weights) const {
    for (const auto& parameter : net_->named_parameters()) {
        encode::add_tensor(weights, parameter.key(), parameter.value());
    }
}

void load_bag_net(const SafetensorsFile& weights, BagNet& net) {
    for (auto& parameter : net.named_parameters()) {
        encode::copy_tensor(weights, parameter.key(), parameter.value());
    }
}

}  // namespace hg::train

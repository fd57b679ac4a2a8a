// SPDX-License-Identifier: Apache-2.0
#include "encode/tensor_io.hpp"
#include "simulate/learned/feedback_tensors_net.hpp"
#include "simulate/learned/session_features.hpp"

#include <cmath>

namespace hg::simulate {
namespace {

/// Host columns under construction, then tensors.
class Columns {
  public:
    Columns(const FeedbackTable& table, const FitPlan& plan)
        : table_(table),
          shape_(plan.shape),
          plan_(plan),
          n_(table.n_decisions()),
          items_(table.item_rows.rows(), shape_.item_size),
          users_(n_, shape_.user_size),
          mask_(n_, shape_.slate_size),
          clicked_(n_, shape_.slate_size),
          purchased_(n_, shape_.slate_size),
          values_(n_, shape_.slate_size),
          value_mask_(n_, shape_.slate_size),
          slot_items_(n_ * shape_.slate_size),
          choice_(n_, static_cast<std::int64_t>(shape_.slate_size)),
          tokens_(n_, shape_.token_size()),
          clicks_(n_, shape_.token_size()),
          counters_(n_, shape_.counter_size()),
          products_(n_, shape_.product_size()),
          left_(n_),
          change_known_(n_),
          change_(n_, shape_.user_size) {
        for (std::size_t i = 0; i < items_.rows(); ++i) {
            plan.items.apply(table.item_rows.row(i), items_.row(i));
        }
        for (std::size_t d = 0; d < n_; ++d) {
            plan.users.apply(table.users.row(d), users_.row(d));
        }
        fill();
    }

    [[nodiscard]] FeedbackTensors tensors() const {
        const auto k = static_cast<std::int64_t>(shape_.slate_size);
        return {
            .items = encode::to_tensor(items_.view()),
            .users = encode::to_tensor(users_.view()),
            .slot_items = encode::index_tensor(slot_items_).view({-1, k}),
            .slot_mask = encode::to_tensor(mask_.view()),
            .clicked = encode::to_tensor(clicked_.view()),
            .purchased = encode::to_tensor(purchased_.view()),
            .choice = encode::index_tensor(choice_),
            .values = encode::to_tensor(values_.view()),
            .value_mask = encode::to_tensor(value_mask_.view()),
            .weight = torch::tensor(at::ArrayRef<float>{table_.weight}, at::kFloat),
            .tokens = encode::to_tensor(tokens_.view()),
            .counters = encode::to_tensor(counters_.view()),
            .clicks = encode::to_tensor(clicks_.view()),
            .products = encode::to_tensor(products_.view()),
            .left = torch::tensor(at::ArrayRef<float>{left_}, at::kFloat),
            .change = encode::to_tensor(change_.view()),
            .change_mask = torch::tensor(at::ArrayRef<float>{change_known_}, at::kFloat),
        };
    }

  private:
    void fill() {
        SessionCounters counters{shape_, plan_.mean_steps};
        for (std::size_t s = 0; s < table_.n_sequences(); ++s) {
            for (const auto d : table_.decisions(s)) {
                if (table_.session_step[d] == 0 || d == table_.sequence_offsets[s]) {
                    counters.clear();
                }
                fill_slots(d);
                counters.write(counters_.row(d));
                counters.add(tokens_.row(d));
                std::ranges::copy(tokens_.row(d), clicks_.row(d).begin());
                forget_values(shape_, clicks_.row(d));
                const auto product = products_.row(d);
                for (std::size_t i = 0; i < product.size(); ++i) {
                    product[i] = users_(d, i) * tokens_(d, i);
                }
                const bool has_next =
                    d + 1 < table_.sequence_offsets[s + 1] && table_.leaving[d] == Leaving::stays;
                left_[d] = table_.leaving[d] == Leaving::leaves ? 1 : 0;
                fill_change(d, has_next);
            }
        }
    }

    void fill_slots(std::size_t d) {
        const auto slots = table_.slots_of(d);
        shown_.clear();
        for (std::size_t k = 0; k < slots.size(); ++k) {
            const auto& slot = slots[k];
            slot_items_[d * shape_.slate_size + k] = slot.item;
            mask_(d, k) = 1;
            const bool has_value = slot.clicked && std::isfinite(slot.value) && plan_.value_sd > 0;
            const float value = has_value ? (slot.value - plan_.value_mean) / plan_.value_sd : 0;
            values_(d, k) = value;
            value_mask_(d, k) = has_value ? 1 : 0;
            clicked_(d, k) = slot.clicked ? 1 : 0;
            purchased_(d, k) = slot.purchased ? 1 : 0;
            if (slot.clicked) {
                choice_[d] = static_cast<std::int64_t>(k);
            }
            if (slot.clicked || !table_.facts.is_clicks_only) {
                shown_.push_back({items_.row(slot.item), slot.clicked, slot.purchased, value});
            }
        }
        write_token(shape_, shown_, tokens_.row(d));
    }

    void fill_change(std::size_t d, bool has_next) {
        if (has_next && table_.facts.has_dynamics) {
            change_known_[d] = 1;
            for (std::size_t j = 0; j < shape_.user_size; ++j) {
                change_(d, j) = users_(d + 1, j) - users_(d, j);
            }
        }
    }

    const FeedbackTable& table_;
    const MemberShape& shape_;
    const FitPlan& plan_;
    std::size_t n_;
    Matrix<float> items_;
    Matrix<float> users_;
    Matrix<float> mask_;
    Matrix<float> clicked_;
    Matrix<float> purchased_;
    Matrix<float> values_;
    Matrix<float> value_mask_;
    std::vector<std::int64_t> slot_items_;
    std::vector<std::int64_t> choice_;
    Matrix<float> tokens_;
    Matrix<float> clicks_;
    Matrix<float> counters_;
    Matrix<float> products_;
    std::vector<float> left_;
    std::vector<float> change_known_;  // 1 = known
    Matrix<float> change_;
    std::vector<ShownItem> shown_;
};

}  // namespace

FeedbackTensors make_feedback_tensors(const FeedbackTable& table, const FitPlan& plan) {
    return Columns{table, plan}.tensors();
}

}  // namespace hg::simulate

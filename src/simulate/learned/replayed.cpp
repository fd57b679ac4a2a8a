// SPDX-License-Identifier: Apache-2.0
#include "simulate/learned/replayed.hpp"

#include "simulate/learned/session_features.hpp"
#include "simulate/learned/sigmoid.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace hg::simulate {
namespace {

class Replayer {
  public:
    Replayer(const WorldModel& model, const FeedbackTable& table)
        : model_(model),
          table_(table),
          shape_(model.facts.shape),
          items_(table.item_rows.rows(), shape_.item_size),
          counters_(shape_, model.facts.mean_steps),
          token_(shape_.token_size()),
          session_(shape_.counter_size()),
          scaled_(shape_.user_size),
          vector_(shape_.tower_size()) {
        for (std::size_t i = 0; i < items_.rows(); ++i) {
            model.items.apply(table.item_rows.row(i), items_.row(i));
        }
    }

    /// Adds `share` of one member's predictions.
    void add(
        std::size_t index, std::span<const std::uint32_t> sequences, double share, Replayed& out
    ) {
        const auto& member = model_.members[index];
        const auto vectors = item_vectors(member, shape_, items_.view());
        std::size_t decision = 0;
        std::size_t slot = 0;
        std::vector<float> state(member.family == Family::sequence ? shape_.gru : 0);
        for (const auto s : sequences) {
            std::ranges::fill(state, 0.0F);
            for (const auto d : table_.decisions(s)) {
                if (table_.session_step[d] == 0 || d == table_.sequence_offsets[s]) {
                    counters_.clear();
                }
                look(member, d, state);
                answer(member, vectors, d, share, slot, out);
                finish(member, d, share, state, out.leave[decision]);
                slot += table_.slots_of(d).size();
                ++decision;
            }
        }
    }

  private:
    void look(const Member& member, std::size_t d, const std::vector<float>& state) {
        model_.users.apply(table_.users.row(d), scaled_);
        counters_.write(session_);
        input_.assign(scaled_.begin(), scaled_.end());
        input_.insert(input_.end(), session_.begin(), session_.end());
        input_.insert(input_.end(), state.begin(), state.end());
        member.user.apply(input_, vector_, work_);
    }

    void answer(
        const Member& member,
        const Matrix<float>& vectors,
        std::size_t d,
        double share,
        std::size_t first,  // slot of `out`
        Replayed& out
    ) {
        const auto slots = table_.slots_of(d);
        double total = 1;  // of choosing nothing
        chances_.clear();
        for (std::size_t k = 0; k < slots.size(); ++k) {
            const auto item = vectors.row(slots[k].item);
            const auto position =
                table_.facts.has_positions ? std::min(k, member.position.size() - 1) : 0;
            const auto logit =
                static_cast<double>(click_logit(member, shape_, vector_, item, position));
            chances_.push_back(model_.facts.single_click ? std::exp(logit) : sigmoid(logit));
            total += chances_.back();
            const auto& world = model_.facts;
            const double mean =
                world.value_mean +
                world.value_sd * static_cast<double>(scaled_value(shape_, vector_, item));
            out.value[first + k] += share * std::clamp(mean, world.value_low, world.value_high);
            if (shape_.has_purchases) {
                const auto purchase = static_cast<double>(purchase_logit(shape_, vector_, item));
                out.purchase[first + k] += share * sigmoid(purchase);
            }
        }
        for (std::size_t k = 0; k < slots.size(); ++k) {
            out.click[first + k] +=
                share * (model_.facts.single_click ? chances_[k] / total : chances_[k]);
        }
    }

    void finish(
        const Member& member, std::size_t d, double share, std::vector<float>& state, double& leave
    ) {
        const auto& world = model_.facts;
        shown_.clear();
        for (const auto& slot : table_.slots_of(d)) {
            if (slot.clicked || !world.feedback.is_clicks_only) {
                const bool is_known =
                    slot.clicked && std::isfinite(slot.value) && world.value_sd > 0;
                const double value =
                    is_known ? (static_cast<double>(slot.value) - world.value_mean) / world.value_sd
                             : 0;
                shown_.push_back(
                    {items_.row(slot.item), slot.clicked, slot.purchased, static_cast<float>(value)}
                );
            }
        }
        write_token(shape_, shown_, token_);
        auto clicks = token_;
        forget_values(shape_, clicks);
        input_.insert(input_.end(), clicks.begin(), clicks.end());
        std::array<float, 1> logit{};
        member.leave.apply(input_, logit);
        leave += share * sigmoid(static_cast<double>(logit[0]));
        counters_.add(token_);
        if (!state.empty()) {
            member.gru.step(token_, state, work_);
        }
    }

    const WorldModel& model_;
    const FeedbackTable& table_;
    const MemberShape& shape_;
    Matrix<float> items_;  // scaled
    SessionCounters counters_;
    std::vector<float> token_;
    std::vector<float> session_;
    std::vector<float> scaled_;
    std::vector<float> vector_;
    std::vector<float> input_;
    std::vector<float> work_;
    std::vector<double> chances_;
    std::vector<ShownItem> shown_;
};

}  // namespace

Replayed replay(
    const WorldModel& model,
    const FeedbackTable& table,
    std::span<const std::uint32_t> sequences,
    std::span<const std::size_t> members
) {
    Replayed replayed;
    std::size_t n_slots = 0;
    for (const auto s : sequences) {
        for (const auto d : table.decisions(s)) {
            replayed.decisions.push_back(d);
            n_slots += table.slots_of(d).size();
        }
    }
    replayed.leave.resize(replayed.decisions.size());
    replayed.click.resize(n_slots);
    replayed.purchase.resize(model.facts.shape.has_purchases ? n_slots : 0);
    replayed.value.resize(n_slots);
    Replayer replayer{model, table};
    for (const auto m : members) {
        replayer.add(m, sequences, 1 / static_cast<double>(members.size()), replayed);
    }
    return replayed;
}

}  // namespace hg::simulate

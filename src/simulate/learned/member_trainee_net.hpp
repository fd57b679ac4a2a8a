// SPDX-License-Identifier: Apache-2.0
// MemberTrainee: what a member learns from a FeedbackTable, for train::train: clicks (a softmax with
// "nothing" over the slate, or one logistic loss a slot), which clicks were purchases, values of
// clicks, moves of the user's numbers. Private to this room.
#pragma once

#include "encode/tensor_io.hpp"
#include "simulate/learned/feedback_tensors_net.hpp"
#include "simulate/learned/hazard.hpp"
#include "simulate/learned/member_net.hpp"
#include "train/adam.hpp"
#include "train/trainer.hpp"

#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace hg::simulate {

using train::Batch;

constexpr double value_weight = 0.5;    // of the loss terms beside the clicks
constexpr double change_weight = 0.25;  // per number of the user
constexpr double least_log_sd = -5;     // of a change, in standard deviations of the number
constexpr double most_log_sd = 1;
constexpr std::size_t n_residuals = 65;

/// SequenceRows of decisions of some sequences, one after the other, and where each sequence starts.
struct SequenceRows {
    std::vector<std::int64_t> decisions;
    std::vector<std::int64_t> padded;  // [sequences, longest]; 0 where there is none
    std::vector<std::int64_t> places;  // of each decision in `padded`
    std::int64_t longest = 0;
};

inline SequenceRows rows_of(const FeedbackTable& table, std::span<const std::uint32_t> sequences) {
    SequenceRows rows;
    for (const auto s : sequences) {
        const auto n = table.sequence_offsets[s + 1] - table.sequence_offsets[s];
        rows.longest = std::max(rows.longest, static_cast<std::int64_t>(n));
    }
    rows.padded.assign(sequences.size() * static_cast<std::size_t>(rows.longest), 0);
    for (std::size_t i = 0; i < sequences.size(); ++i) {
        auto place = static_cast<std::int64_t>(i) * rows.longest;
        for (const auto d : table.decisions(sequences[i])) {
            rows.decisions.push_back(static_cast<std::int64_t>(d));
            rows.padded[static_cast<std::size_t>(place)] = static_cast<std::int64_t>(d);
            rows.places.push_back(place++);
        }
    }
    return rows;
}

struct Predicted {
    at::Tensor user;       // [rows, user_input]
    at::Tensor logits;     // [rows, k]
    at::Tensor values;     // [rows, k]
    at::Tensor purchases;  // [rows, k] logits; undefined where the data tell none
    at::Tensor change;     // [rows, change_size]; undefined without dynamics
};

class MemberTrainee final : public train::Trainee {
  public:
    MemberTrainee(
        MemberNet& net,
        const FeedbackTensors& data,
        const FeedbackTable& table,
        const FitPlan& plan,
        std::vector<std::uint32_t> sequences,
        const std::vector<std::uint32_t>& validation
    )
        : net_(net),
          data_(data),
          table_(table),
          plan_(plan),
          sequences_(std::move(sequences)),
          validation_(validation) {}

    [[nodiscard]] std::vector<std::pair<std::string, at::Tensor>> parameters() override {
        return train::named_of(net_);
    }

    [[nodiscard]] std::size_t n_examples() const override { return sequences_.size(); }

    /// Sequences are packed until a batch has its decisions.
    [[nodiscard]] std::vector<Batch> plan_epoch(std::size_t batch_decisions, Rng rng) override {
        auto order = train::shuffled_batches(sequences_.size(), sequences_.size(), rng).front();
        return pack(order, batch_decisions, [this](std::uint32_t i) { return sequences_[i]; });
    }

    [[nodiscard]] at::Tensor loss(const Batch& batch, Rng& /*rng*/) override {
        std::vector<std::uint32_t> chosen;
        for (const auto i : batch) {
            chosen.push_back(sequences_[i]);
        }
        return loss_of(chosen);
    }

    [[nodiscard]] std::optional<double> validate() override {
        const at::NoGradGuard no_grad;
        double sum = 0;
        std::size_t n = 0;
        std::vector<std::uint32_t> order(validation_.size());
        std::iota(order.begin(), order.end(), 0U);
        constexpr std::size_t chunk = 4096;
        for (const auto& part :
             pack(order, chunk, [this](std::uint32_t i) { return validation_[i]; })) {
            std::vector<std::uint32_t> chosen;
            std::size_t decisions = 0;
            for (const auto i : part) {
                chosen.push_back(validation_[i]);
                decisions += length(validation_[i]);
            }
            sum += loss_of(chosen).item<double>() * static_cast<double>(decisions);
            n += decisions;
        }
        validations_.push_back(-sum / static_cast<double>(std::max<std::size_t>(1, n)));
        return validations_.back();
    }

    [[nodiscard]] std::string_view validation_name() const override { return "minus loss"; }

    [[nodiscard]] const std::vector<std::uint32_t>& sequences() const { return sequences_; }

    [[nodiscard]] const std::vector<double>& validations() const { return validations_; }

    /// What is known after the decisions of some sequences, and who left then.
    [[nodiscard]] HazardRows hazard_rows(std::vector<std::uint32_t> sequences, Rng rng) {
        const at::NoGradGuard no_grad;
        constexpr std::size_t most_rows = 30000;
        rng.shuffle(std::span{sequences});
        std::size_t n = 0;
        std::size_t n_used = 0;
        while (n_used < sequences.size() && n < most_rows) {
            n += length(sequences[n_used++]);
        }
        const auto rows = rows_of(table_, std::span{sequences}.first(n_used));
        std::vector<std::int64_t> known;  // rows
        HazardRows hazard;
        for (std::size_t i = 0; i < rows.decisions.size(); ++i) {
            const auto d = static_cast<std::size_t>(rows.decisions[i]);
            if (table_.leaving[d] != Leaving::unknown) {
                known.push_back(static_cast<std::int64_t>(i));
                hazard.left.push_back(table_.leaving[d] == Leaving::leaves ? 1 : 0);
            }
        }
        const auto at_rows = encode::index_tensor(rows.decisions);
        const auto inputs =
            at::cat({predict(rows, at_rows).user, data_.clicks.index_select(0, at_rows)}, 1);
        hazard.inputs = Matrix<float>(known.size(), static_cast<std::size_t>(inputs.size(1)));
        encode::to_matrix(
            inputs.index_select(0, encode::index_tensor(known)), hazard.inputs.view()
        );
        return hazard;
    }

    /// What the values were off by, as quantiles: known - predicted, of clicks before which the user
    /// stays (`left` = 0) or leaves (1); of all where there are too few.
    [[nodiscard]] std::vector<float> value_residuals(
        std::span<const std::uint32_t> sequences, double left
    ) {
        const at::NoGradGuard no_grad;
        constexpr std::int64_t fewest = 20;
        const auto rows = rows_of(table_, sequences);
        const auto at_rows = encode::index_tensor(rows.decisions);
        const auto known = data_.value_mask.index_select(0, at_rows) > 0;
        const auto off = data_.values.index_select(0, at_rows) - predict(rows, at_rows).values;
        const auto same = (data_.left.index_select(0, at_rows) == left).unsqueeze(1);
        auto chosen = off.masked_select(known & same);
        if (chosen.numel() < fewest) {
            chosen = off.masked_select(known);
        }
        if (chosen.numel() == 0) {
            return {0.0F};
        }
        const auto sorted = std::get<0>(chosen.sort());
        std::vector<float> quantiles;
        for (std::size_t i = 0; i < n_residuals; ++i) {
            const auto at = (static_cast<std::int64_t>(i) * (sorted.numel() - 1)) /
                            static_cast<std::int64_t>(n_residuals - 1);
            quantiles.push_back(sorted[at].item<float>());
        }
        return quantiles;
    }

  private:
    [[nodiscard]] std::size_t length(std::uint32_t s) const {
        return table_.sequence_offsets[s + 1] - table_.sequence_offsets[s];
    }

    template <typename Sequence>
    [[nodiscard]] std::vector<Batch> pack(
        const Batch& order, std::size_t wanted, const Sequence& sequence
    ) const {
        std::vector<Batch> batches(1);
        std::size_t filled = 0;
        for (const auto i : order) {
            if (filled >= wanted) {
                batches.emplace_back();
                filled = 0;
            }
            batches.back().push_back(i);
            filled += length(sequence(i));
        }
        return batches;
    }

    [[nodiscard]] at::Tensor item_vectors(const at::Tensor& rows) {
        const auto flat = rows.flatten();
        const auto vectors = data_.items.size(0) <= flat.size(0)
                                 ? net_.item->forward(data_.items).index_select(0, flat)
                                 : net_.item->forward(data_.items.index_select(0, flat));
        return vectors.view({rows.size(0), rows.size(1), -1});
    }

    [[nodiscard]] Predicted predict(const SequenceRows& rows, const at::Tensor& at_rows) {
        const auto numbers = data_.users.index_select(0, at_rows);
        auto user = at::cat({numbers, data_.counters.index_select(0, at_rows)}, 1);
        if (net_.family == Family::sequence) {
            const auto padded = data_.tokens.index_select(0, encode::index_tensor(rows.padded))
                                    .view({-1, rows.longest, data_.tokens.size(1)});
            const auto states = net_.gru->states_before(padded).flatten(0, 1);
            user = at::cat({user, states.index_select(0, encode::index_tensor(rows.places))}, 1);
        }
        const auto a = net_.user->forward(user).unsqueeze(1);                    // [rows, 1, tower]
        const auto b = item_vectors(data_.slot_items.index_select(0, at_rows));  // [rows, k, tower]
        const auto& shape = net_.shape;
        const auto dot = [&](std::size_t from, std::size_t size) {
            const auto first = static_cast<std::int64_t>(from);
            const auto n = static_cast<std::int64_t>(size);
            return (a.narrow(2, first, n) * b.narrow(2, first, n)).sum(2) /
                       std::sqrt(static_cast<double>(n)) +
                   a.select(2, first + n) + b.select(2, first + n);
        };
        auto logits = dot(0, shape.rank);
        if (table_.facts.has_positions) {
            logits = logits + net_.position;
        }
        at::Tensor purchases;
        if (shape.has_purchases) {
            purchases = dot(shape.purchase_start(), MemberShape::purchase_rank);
        }
        at::Tensor change;
        if (net_.change) {
            change = net_.change->forward(at::cat(
                {numbers,
                 data_.tokens.index_select(0, at_rows),
                 data_.products.index_select(0, at_rows)},
                1
            ));
        }
        return {user, logits, dot(shape.value_start(), MemberShape::value_rank), purchases, change};
    }

    [[nodiscard]] at::Tensor loss_of(std::span<const std::uint32_t> sequences) {
        const auto rows = rows_of(table_, sequences);
        const auto at_rows = encode::index_tensor(rows.decisions);
        const auto predicted = predict(rows, at_rows);
        const auto weight = data_.weight.index_select(0, at_rows);
        const auto total = weight.sum();
        auto loss = (click_loss(predicted.logits, at_rows) * weight).sum() / total;
        if (plan_.value_sd > 0) {
            // A value cut short by leaving says nothing of the item; residuals_leaving has it.
            const auto stays = 1 - data_.left.index_select(0, at_rows).unsqueeze(1);
            const auto mask = data_.value_mask.index_select(0, at_rows) * stays;
            const auto off = predicted.values - data_.values.index_select(0, at_rows);
            loss = loss + value_weight * ((off.square() * mask).sum(1) * weight).sum() /
                              (mask.sum(1) * weight).sum().clamp_min(1);
        }
        if (predicted.purchases.defined()) {
            loss = loss + (purchase_loss(predicted.purchases, at_rows) * weight).sum() / total;
        }
        if (predicted.change.defined()) {
            loss = loss + change_weight * change_loss(predicted.change, at_rows);
        }
        return loss;
    }

    /// [rows]
    [[nodiscard]] at::Tensor click_loss(const at::Tensor& logits, const at::Tensor& at_rows) const {
        const auto mask = data_.slot_mask.index_select(0, at_rows);
        if (plan_.single_click) {
            const auto open = logits.masked_fill(mask == 0, -1e9);
            const auto all = at::cat({open, at::zeros({open.size(0), 1})}, 1);
            const auto choice = data_.choice.index_select(0, at_rows).unsqueeze(1);
            return -at::log_softmax(all, 1).gather(1, choice).squeeze(1);
        }
        const auto clicked = data_.clicked.index_select(0, at_rows);
        const auto each = at::binary_cross_entropy_with_logits(
            logits, clicked, /*weight=*/{}, /*pos_weight=*/{}, at::Reduction::None
        );
        return (each * mask).sum(1);
    }

    /// [rows]: of clicked slots
    [[nodiscard]] at::Tensor purchase_loss(const at::Tensor& logits, const at::Tensor& at_rows)
        const {
        const auto each = at::binary_cross_entropy_with_logits(
            logits,
            data_.purchased.index_select(0, at_rows),
            /*weight=*/{},
            /*pos_weight=*/{},
            at::Reduction::None
        );
        return (each * data_.clicked.index_select(0, at_rows)).sum(1);
    }

    [[nodiscard]] at::Tensor change_loss(const at::Tensor& change, const at::Tensor& at_rows)
        const {
        const auto n = static_cast<std::int64_t>(net_.shape.user_size);
        const auto log_sd = change.narrow(1, n, n).clamp(least_log_sd, most_log_sd);
        const auto off = data_.change.index_select(0, at_rows) - change.narrow(1, 0, n);
        const auto nll = 0.5 * (off / log_sd.exp()).square() + log_sd;
        const auto moved = data_.change_mask.index_select(0, at_rows);
        return (nll.mean(1) * moved).sum() / moved.sum().clamp_min(1);
    }

    MemberNet& net_;
    const FeedbackTensors& data_;
    const FeedbackTable& table_;
    const FitPlan& plan_;
    std::vector<std::uint32_t> sequences_;  // the bootstrap
    const std::vector<std::uint32_t>& validation_;
    std::vector<double> validations_;
};

}  // namespace hg::simulate

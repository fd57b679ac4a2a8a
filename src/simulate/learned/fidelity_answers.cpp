// SPDX-License-Identifier: Apache-2.0
// Held-out answers: the world beside its families and beside rows that know nothing, the item or
// the user.
#include "simulate/learned/fidelity_parts.hpp"
#include "simulate/learned/replayed.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <string_view>

namespace hg::simulate {
namespace {

/// A mean that starts at the overall one and moves with what is seen.
class Mean {
  public:
    void add(double x) {
        sum_ += x;
        n_ += 1;
    }

    [[nodiscard]] double get(double prior) const {
        constexpr double pseudo = 2;
        return (sum_ + pseudo * prior) / (n_ + pseudo);
    }

  private:
    double sum_ = 0;
    double n_ = 0;
};

/// Means of the training sequences.
struct TrainMeans {
    double click = 0;
    double purchase = 0;          // per slot
    double purchase_clicked = 0;  // per click
    double leave = 0;
    double value = 0;
    std::map<std::uint32_t, Mean> item_clicks;
    std::map<std::uint32_t, Mean> item_purchases;          // per slot
    std::map<std::uint32_t, Mean> item_purchases_clicked;  // per click
    std::map<std::uint32_t, Mean> item_values;
};

TrainMeans train_means(const FidelityInput& in) {
    TrainMeans means;
    double n_slots = 0;
    double n_clicks = 0;
    double n_known = 0;
    double n_values = 0;
    for (const auto s : in.split.train) {
        for (const auto d : in.table.decisions(s)) {
            for (const auto& slot : in.table.slots_of(d)) {
                const auto id = in.table.item_ids[slot.item];
                means.click += slot.clicked ? 1 : 0;
                means.item_clicks[id].add(slot.clicked ? 1 : 0);
                means.purchase += slot.purchased ? 1 : 0;
                means.item_purchases[id].add(slot.purchased ? 1 : 0);
                if (slot.clicked) {
                    means.item_purchases_clicked[id].add(slot.purchased ? 1 : 0);
                    n_clicks += 1;
                }
                n_slots += 1;
                if (slot.clicked && std::isfinite(slot.value)) {
                    means.value += static_cast<double>(slot.value);
                    means.item_values[id].add(static_cast<double>(slot.value));
                    n_values += 1;
                }
            }
            if (in.table.leaving[d] != Leaving::unknown) {
                means.leave += in.table.leaving[d] == Leaving::leaves ? 1 : 0;
                n_known += 1;
            }
        }
    }
    means.click /= std::max(1.0, n_slots);
    means.purchase_clicked = means.purchase / std::max(1.0, n_clicks);
    means.purchase /= std::max(1.0, n_slots);
    means.leave /= std::max(1.0, n_known);
    means.value /= std::max(1.0, n_values);
    return means;
}

/// Answers of the held-out sequences, and what the simple rows say of them.
struct HeldOut {
    std::vector<std::uint8_t> clicked;
    std::vector<double> item_click;
    std::vector<double> user_click;
    std::vector<std::uint8_t> purchased;
    std::vector<double> item_purchase;
    std::vector<double> user_purchase;
    std::vector<std::size_t> clicks;              // slots
    std::vector<std::uint8_t> purchased_clicked;  // of `clicks`
    std::vector<double> item_purchase_clicked;
    std::vector<double> user_purchase_clicked;
    std::vector<std::size_t> known_values;  // slots
    std::vector<double> values;
    std::vector<double> item_value;
    std::vector<double> user_value;
    std::vector<std::size_t> known_leaving;  // decisions, in order
    std::vector<std::uint8_t> left;
};

HeldOut held_out(const FidelityInput& in, TrainMeans& means) {
    HeldOut h;
    std::size_t index = 0;
    for (const auto s : in.split.test) {
        Mean clicks;
        Mean values;
        Mean purchases;
        Mean purchases_clicked;
        for (const auto d : in.table.decisions(s)) {
            for (const auto& slot : in.table.slots_of(d)) {
                const auto id = in.table.item_ids[slot.item];
                h.item_click.push_back(means.item_clicks[id].get(means.click));
                h.user_click.push_back(clicks.get(means.click));
                h.item_purchase.push_back(means.item_purchases[id].get(means.purchase));
                h.user_purchase.push_back(purchases.get(means.purchase));
                if (slot.clicked) {
                    h.clicks.push_back(h.clicked.size());
                    h.purchased_clicked.push_back(slot.purchased ? 1 : 0);
                    h.item_purchase_clicked.push_back(
                        means.item_purchases_clicked[id].get(means.purchase_clicked)
                    );
                    h.user_purchase_clicked.push_back(purchases_clicked.get(means.purchase_clicked)
                    );
                }
                if (slot.clicked && std::isfinite(slot.value)) {
                    h.known_values.push_back(h.clicked.size());
                    h.values.push_back(static_cast<double>(slot.value));
                    h.item_value.push_back(means.item_values[id].get(means.value));
                    h.user_value.push_back(values.get(means.value));
                }
                h.clicked.push_back(slot.clicked ? 1 : 0);
                h.purchased.push_back(slot.purchased ? 1 : 0);
            }
            for (const auto& slot : in.table.slots_of(d)) {
                clicks.add(slot.clicked ? 1 : 0);
                purchases.add(slot.purchased ? 1 : 0);
                if (slot.clicked) {
                    purchases_clicked.add(slot.purchased ? 1 : 0);
                }
                if (slot.clicked && std::isfinite(slot.value)) {
                    values.add(static_cast<double>(slot.value));
                }
            }
            if (in.table.leaving[d] != Leaving::unknown) {
                h.known_leaving.push_back(index);
                h.left.push_back(in.table.leaving[d] == Leaving::leaves ? 1 : 0);
            }
            ++index;
        }
    }
    return h;
}

ChanceRow chance_row(
    std::string response,
    std::string predictor,
    std::span<const double> chances,
    std::span<const std::uint8_t> outcomes
) {
    const auto bins = evaluate::calibration_bins(chances, outcomes);
    return {
        .response = std::move(response),
        .predictor = std::move(predictor),
        .log_loss = evaluate::log_loss(chances, outcomes),
        .auc = evaluate::area_under_curve(chances, outcomes),
        .calibration_error = evaluate::expected_calibration_error(bins),
        .n = outcomes.size(),
    };
}

NumberRow number_row(
    std::string response,
    std::string predictor,
    std::span<const double> guesses,
    std::span<const double> truth
) {
    NumberRow row{
        .response = std::move(response), .predictor = std::move(predictor), .n = truth.size()
    };
    for (std::size_t i = 0; i < truth.size(); ++i) {
        const double off = guesses[i] - truth[i];
        row.rmse += off * off / static_cast<double>(truth.size());
        row.mean_error += std::abs(off) / static_cast<double>(truth.size());
    }
    row.rmse = std::sqrt(row.rmse);
    return row;
}

std::vector<double> pick(std::span<const double> values, std::span<const std::size_t> which) {
    std::vector<double> picked;
    for (const auto i : which) {
        picked.push_back(values[i]);
    }
    return picked;
}

void add_world_rows(
    const FidelityInput& in,
    const HeldOut& h,
    const std::string& name,
    const std::vector<std::size_t>& members,
    Fidelity& out
) {
    if (members.empty()) {
        return;
    }
    const auto seen = replay(*in.model, in.table, in.split.test, members);
    out.chances.push_back(chance_row("click", name, seen.click, h.clicked));
    if (name == "world") {
        out.click_bins = evaluate::calibration_bins(seen.click, h.clicked);
    }
    if (in.table.facts.has_purchases && in.model->facts.shape.has_purchases) {
        std::vector<double> both;
        for (std::size_t i = 0; i < seen.click.size(); ++i) {
            both.push_back(seen.click[i] * seen.purchase[i]);
        }
        out.chances.push_back(chance_row("purchase", name, both, h.purchased));
        out.chances.push_back(chance_row(
            "purchase if clicked", name, pick(seen.purchase, h.clicks), h.purchased_clicked
        ));
    }
    if (in.table.facts.has_sessions && !h.left.empty()) {
        out.chances.push_back(chance_row("leave", name, pick(seen.leave, h.known_leaving), h.left));
    }
    if (in.model->facts.value_sd > 0 && !h.values.empty()) {
        out.numbers.push_back(
            number_row(in.table.facts.value_name, name, pick(seen.value, h.known_values), h.values)
        );
    }
}

/// What knows nothing but means, of clicks and purchases.
void add_mean_rows(
    const FidelityInput& in, const HeldOut& h, const TrainMeans& means, Fidelity& out
) {
    const std::vector<double> click(h.clicked.size(), means.click);
    out.chances.push_back(chance_row("click", "base rate", click, h.clicked));
    out.chances.push_back(chance_row("click", "item mean", h.item_click, h.clicked));
    out.chances.push_back(chance_row("click", "user mean", h.user_click, h.clicked));
    if (!in.table.facts.has_purchases) {
        return;
    }
    const std::vector<double> any(h.purchased.size(), means.purchase);
    out.chances.push_back(chance_row("purchase", "base rate", any, h.purchased));
    out.chances.push_back(chance_row("purchase", "item mean", h.item_purchase, h.purchased));
    out.chances.push_back(chance_row("purchase", "user mean", h.user_purchase, h.purchased));
    const std::string if_clicked = "purchase if clicked";
    const auto& truth = h.purchased_clicked;
    const std::vector<double> rate(truth.size(), means.purchase_clicked);
    out.chances.push_back(chance_row(if_clicked, "base rate", rate, truth));
    out.chances.push_back(chance_row(if_clicked, "item mean", h.item_purchase_clicked, truth));
    out.chances.push_back(chance_row(if_clicked, "user mean", h.user_purchase_clicked, truth));
}

void add_return_rows(const FidelityInput& in, Fidelity& out) {
    const auto& returns = in.model->returns;
    if (returns.weights.empty()) {
        return;
    }
    std::vector<double> truth;
    std::vector<double> guesses;
    std::vector<float> scaled(in.table.users.cols());
    for (const auto s : in.split.test) {
        for (const auto d : in.table.decisions(s)) {
            if (!std::isfinite(in.table.gap_hours[d])) {
                continue;
            }
            in.model->users.apply(in.table.users.row(d), scaled);
            auto guess = static_cast<double>(returns.weights.back());
            for (std::size_t j = 0; j < scaled.size(); ++j) {
                guess += static_cast<double>(returns.weights[j] * scaled[j]);
            }
            guesses.push_back(guess);
            truth.push_back(std::log(std::max(1e-3, static_cast<double>(in.table.gap_hours[d]))));
        }
    }
    if (truth.empty()) {
        return;
    }
    const std::vector<double> mean(truth.size(), static_cast<double>(returns.weights.back()));
    out.numbers.push_back(number_row("log hours until return", "world", guesses, truth));
    out.numbers.push_back(number_row("log hours until return", "base rate", mean, truth));
}

}  // namespace

void measure_answers(const FidelityInput& in, Fidelity& out) {
    auto means = train_means(in);
    const auto h = held_out(in, means);
    std::vector<std::size_t> all;
    std::vector<std::size_t> features;
    std::vector<std::size_t> sequences;
    for (std::size_t i = 0; i < in.model->members.size(); ++i) {
        const bool is_sequence = in.model->members[i].family == Family::sequence;
        all.push_back(i);
        (is_sequence ? sequences : features).push_back(i);
    }
    add_world_rows(in, h, "world", all, out);
    add_world_rows(in, h, "family feature", features, out);
    add_world_rows(in, h, "family sequence", sequences, out);
    add_mean_rows(in, h, means, out);
    if (in.table.facts.has_sessions && !h.left.empty()) {
        const std::vector<double> leave(h.left.size(), means.leave);
        out.chances.push_back(chance_row("leave", "base rate", leave, h.left));
    }
    if (in.model->facts.value_sd > 0 && !h.values.empty()) {
        const auto& name = in.table.facts.value_name;
        const std::vector<double> value(h.values.size(), means.value);
        out.numbers.push_back(number_row(name, "base rate", value, h.values));
        out.numbers.push_back(number_row(name, "item mean", h.item_value, h.values));
        out.numbers.push_back(number_row(name, "user mean", h.user_value, h.values));
    }
    add_return_rows(in, out);
    constexpr std::array<std::string_view, 4> order{
        "click", "purchase", "purchase if clicked", "leave"
    };
    std::ranges::stable_sort(out.chances, {}, [&](const ChanceRow& row) {
        return std::ranges::find(order, row.response) - order.begin();
    });
    std::ranges::stable_sort(out.numbers, std::greater<>{}, &NumberRow::response);
}

}  // namespace hg::simulate

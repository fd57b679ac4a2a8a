// SPDX-License-Identifier: Apache-2.0
#include "simulate/learned/world_pools.hpp"

#include "simulate/learned/return_model.hpp"

#include <Eigen/Dense>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <set>

namespace hg::simulate {
namespace {

constexpr std::size_t most_sets = 3000;
constexpr std::size_t most_starts = 2000;
constexpr float bound_slack = 0.25F;  // of the range seen, for numbers that go on growing

std::vector<std::size_t> decisions_of(
    const FeedbackTable& table, const std::vector<std::uint32_t>& sequences
) {
    std::vector<std::size_t> all;
    for (const auto s : sequences) {
        for (const auto d : table.decisions(s)) {
            all.push_back(d);
        }
    }
    return all;
}

template <typename T>
void keep_some(std::vector<T>& values, std::size_t most, Rng rng) {
    if (values.size() > most) {
        rng.shuffle(std::span{values});
        values.resize(most);
        std::ranges::sort(values);
    }
}

class Pools {
  public:
    Pools(
        const FeedbackTable& table,
        const FeedbackSplit& split,
        const WorldFitOptions& options,
        const Rng& rng
    )
        : table_(table), options_(options), rng_(rng), train_(decisions_of(table, split.train)) {
        for (const auto s : split.train) {
            for (const auto d : table.decisions(s)) {
                begin_of_[d] = table.sequence_offsets[s];
            }
        }
    }

    WorldModel make() {
        set_shape();
        set_scaling();
        set_values();
        set_lengths();
        set_reward();
        set_movement();
        if (table_.facts.is_clicks_only) {
            use_catalogue();
            use_histories();
        } else {
            use_logged_sets();
        }
        set_popularity();
        model_.returns = fit_returns(table_, model_.users, train_);
        return std::move(model_);
    }

  private:
    WorldFacts& facts() { return model_.facts; }

    void set_shape() {
        const auto& m = options_.members;
        facts().feedback = table_.facts;
        facts().shape = {
            .user_size = table_.users.cols(),
            .item_size = table_.item_rows.cols(),
            .slate_size = table_.facts.slate_size,
            .rank = static_cast<std::size_t>(m.rank),
            .hidden = static_cast<std::size_t>(m.hidden),
            .gru = static_cast<std::size_t>(m.gru),
            .has_dynamics = table_.facts.has_dynamics,
            .has_purchases = table_.facts.has_purchases,
        };
        facts().n_members = m.feature_members + m.sequence_members;
        facts().single_click = has_single_clicks(table_);
        facts().decay = options_.decay;
    }

    void set_scaling() {
        model_.items = scale_columns(table_.item_rows.view());
        model_.users = scale_columns(table_.users.view());
        const float slack = table_.facts.is_clicks_only ? bound_slack : 0.0F;
        for (std::size_t j = 0; j < table_.users.cols(); ++j) {
            float low = table_.users(0, j);
            float high = low;
            for (std::size_t d = 0; d < table_.n_decisions(); ++d) {
                low = std::min(low, table_.users(d, j));
                high = std::max(high, table_.users(d, j));
            }
            model_.user_low.push_back(low - slack * (high - low));
            model_.user_high.push_back(high + slack * (high - low));
        }
    }

    void set_values() {
        double sum = 0;
        double squares = 0;
        double low = 0;
        double high = 0;
        std::size_t n = 0;
        bool is_whole = true;
        for (const auto d : train_) {
            for (const auto& slot : table_.slots_of(d)) {
                if (!slot.clicked || !std::isfinite(slot.value)) {
                    continue;
                }
                const auto value = static_cast<double>(slot.value);
                low = n == 0 ? value : std::min(low, value);
                high = n == 0 ? value : std::max(high, value);
                is_whole = is_whole && value == std::round(value);
                sum += value;
                squares += value * value;
                ++n;
            }
        }
        facts().has_values = n > 0;
        if (n == 0) {
            return;
        }
        constexpr double least_sd = 1e-5;
        const double mean = sum / static_cast<double>(n);
        const double sd = std::sqrt(std::max(0.0, squares / static_cast<double>(n) - mean * mean));
        facts().value_mean = mean;
        facts().value_sd = sd > least_sd ? sd : 0;
        facts().value_low = low;
        facts().value_high = high;
        facts().has_whole_values = is_whole;
    }

    void set_lengths() {
        std::size_t n_sessions = 0;
        std::uint32_t longest = 0;
        for (const auto d : train_) {
            n_sessions += table_.session_step[d] == 0 ? 1 : 0;
            longest = std::max(longest, table_.session_step[d] + 1);
        }
        constexpr std::int64_t without_sessions = 20;
        const bool knows = table_.facts.has_sessions || !table_.facts.is_clicks_only;
        facts().step_limit = knows ? step_limit_of(longest) : without_sessions;
        facts().mean_steps = knows ? static_cast<double>(train_.size()) /
                                         static_cast<double>(std::max<std::size_t>(1, n_sessions))
                                   : static_cast<double>(without_sessions);
    }

    /// Users of whom nobody was seen leaving stay as long as the longest; those who can leave may be
    /// held twice as long by a better policy.
    [[nodiscard]] std::int64_t step_limit_of(std::uint32_t longest) const {
        return static_cast<std::int64_t>(longest) * (table_.facts.has_sessions ? 2 : 1);
    }

    /// A log: least squares, reward = base + click * clicks + value * sum of values + purchase *
    /// purchases. A dataset where clicks are told from purchases: what dataset.toml says they weigh.
    void set_reward() {
        if (!table_.facts.has_rewards) {
            facts().reward_click = table_.facts.click_weight;
            facts().reward_purchase = table_.facts.purchase_weight - table_.facts.click_weight;
            return;
        }
        Eigen::Matrix4d a = 1e-6 * Eigen::Matrix4d::Identity();
        Eigen::Vector4d b = Eigen::Vector4d::Zero();
        double sum = 0;
        double squares = 0;
        for (const auto d : train_) {
            const auto x = answers(d);
            const auto y = static_cast<double>(table_.reward[d]);
            a += x * x.transpose();
            b += x * y;
            sum += y;
            squares += y * y;
        }
        const Eigen::Vector4d w = a.ldlt().solve(b);
        double off = 0;
        for (const auto d : train_) {
            off += std::pow(static_cast<double>(table_.reward[d]) - answers(d).dot(w), 2);
        }
        const double spread = squares - sum * sum / static_cast<double>(train_.size());
        facts().reward_base = tidy(w(0));
        facts().reward_click = tidy(w(1));
        facts().reward_value = tidy(w(2));
        facts().reward_purchase = tidy(w(3));
        facts().reward_r2 = spread > 1e-9 ? 1 - off / spread : 1;
    }

    static double tidy(double weight) {
        return std::abs(weight) < 1e-5 ? 0 : weight;  // of the ridge
    }

    /// 1, clicks, sum of values, purchases
    [[nodiscard]] Eigen::Vector4d answers(std::size_t d) const {
        Eigen::Vector4d x{1, 0, 0, 0};
        for (const auto& slot : table_.slots_of(d)) {
            if (slot.clicked) {
                x(1) += 1;
                x(2) += std::isfinite(slot.value) ? static_cast<double>(slot.value) : 0;
                x(3) += slot.purchased ? 1 : 0;
            }
        }
        return x;
    }

    /// Do the numbers of users rest while nothing is clicked?
    void set_movement() {
        constexpr float least = 1e-6F;
        facts().moves_only_by_clicks = true;
        for (const auto d : train_) {
            const bool clicked = std::ranges::any_of(table_.slots_of(d), &FeedbackSlot::clicked);
            if (clicked || table_.leaving[d] != Leaving::stays) {
                continue;
            }
            for (std::size_t j = 0; j < table_.users.cols(); ++j) {
                if (std::abs(table_.users(d + 1, j) - table_.users(d, j)) > least) {
                    facts().moves_only_by_clicks = false;
                    return;
                }
            }
        }
    }

    void use_catalogue() {
        model_.item_rows = table_.item_rows;
        model_.item_ids = table_.item_ids;
        model_.item_texts = table_.item_texts;
        model_.item_sampling = table_.item_sampling;
        facts().n_items = static_cast<std::int64_t>(table_.item_ids.size());
    }

    void use_histories() {
        std::vector<std::size_t> begins;
        for (const auto d : train_) {
            const bool begins_session = !table_.facts.has_sessions || table_.session_step[d] == 0;
            if (begins_session && d > begin_of_.at(d)) {
                begins.push_back(d);
            }
        }
        if (begins.empty()) {
            begins = train_;
        }
        keep_some(begins, most_starts, rng_.split("starts"));
        auto& starts = model_.starts;
        starts.users = Matrix<float>(begins.size(), table_.users.cols());
        starts.history_offsets = {0};
        for (std::size_t i = 0; i < begins.size(); ++i) {
            std::ranges::copy(table_.users.row(begins[i]), starts.users.row(i).begin());
            for (auto d = begin_of_.at(begins[i]); d < begins[i]; ++d) {
                add_history(d);
            }
            starts.history_offsets.push_back(starts.history_items.size());
        }
    }

    void add_history(std::size_t d) {
        for (const auto& slot : table_.slots_of(d)) {
            if (slot.clicked) {
                const bool is_known = std::isfinite(slot.value) && facts().value_sd > 0;
                const auto mean = static_cast<float>(facts().value_mean);
                const auto sd = static_cast<float>(facts().value_sd);
                model_.starts.history_items.push_back(slot.item);
                model_.starts.history_values.push_back(is_known ? (slot.value - mean) / sd : 0);
                model_.starts.history_purchased.push_back(slot.purchased ? 1 : 0);
            }
        }
    }

    [[nodiscard]] std::size_t usual_set_size() const {
        std::map<std::size_t, std::size_t> counts;
        for (const auto d : train_) {
            ++counts[table_.candidates_of(d).size()];
        }
        return std::ranges::max_element(counts, {}, [](const auto& c) { return c.second; })->first;
    }

    void use_logged_sets() {
        const auto size = usual_set_size();
        facts().n_candidates = static_cast<std::int64_t>(size);
        std::vector<std::size_t> begins;
        std::vector<std::size_t> others;
        for (const auto d : train_) {
            if (table_.candidates_of(d).size() == size) {
                (table_.session_step[d] == 0 ? begins : others).push_back(d);
            }
        }
        if (begins.empty()) {
            begins = others;
        }
        keep_some(begins, most_starts, rng_.split("starts"));
        keep_some(others, most_sets, rng_.split("candidates"));
        model_.candidate_sets = Matrix<std::uint32_t>(begins.size() + others.size(), size);
        model_.starts.users = Matrix<float>(begins.size(), table_.users.cols());
        for (std::size_t i = 0; i < begins.size(); ++i) {
            std::ranges::copy(table_.users.row(begins[i]), model_.starts.users.row(i).begin());
            model_.starts.candidate_set.push_back(static_cast<std::uint32_t>(i));
        }
        begins.insert(begins.end(), others.begin(), others.end());
        keep_rows(begins);
        keep_slates(begins);
    }

    /// What was shown, as places among the candidates; short slates are filled up.
    void keep_slates(const std::vector<std::size_t>& decisions) {
        const auto k = table_.facts.slate_size;
        model_.logged_slates = Matrix<std::uint32_t>(decisions.size(), k);
        for (std::size_t i = 0; i < decisions.size(); ++i) {
            auto places = shown_places(table_, decisions[i]);
            for (std::uint32_t c = 0; places.size() < k; ++c) {
                if (std::ranges::find(places, c) == places.end()) {
                    places.push_back(c);
                }
            }
            std::ranges::copy(places, model_.logged_slates.row(i).begin());
        }
    }

    /// Only item rows of kept candidate sets stay.
    void keep_rows(const std::vector<std::size_t>& decisions) {
        std::map<std::uint32_t, std::uint32_t> new_row;
        for (std::size_t i = 0; i < decisions.size(); ++i) {
            const auto rows = table_.candidates_of(decisions[i]);
            for (std::size_t c = 0; c < rows.size(); ++c) {
                const auto next = static_cast<std::uint32_t>(new_row.size());
                const auto row = new_row.try_emplace(rows[c], next).first->second;
                model_.candidate_sets(i, c) = row;
            }
        }
        model_.item_rows = Matrix<float>(new_row.size(), table_.item_rows.cols());
        model_.item_ids.resize(new_row.size());
        for (const auto& [old, row] : new_row) {
            std::ranges::copy(table_.item_rows.row(old), model_.item_rows.row(row).begin());
            model_.item_ids[row] = table_.item_ids[old];
        }
        const std::set<std::uint32_t> ids{model_.item_ids.begin(), model_.item_ids.end()};
        const bool is_fixed = ids.size() == model_.item_ids.size() && !table_.facts.has_fresh_items;
        facts().n_items = is_fixed ? static_cast<std::int64_t>(*ids.rbegin()) + 1 : 0;
    }

    void set_popularity() {
        std::map<std::uint32_t, double> clicks;
        double total = 0;
        for (const auto d : train_) {
            for (const auto& slot : table_.slots_of(d)) {
                if (slot.clicked) {
                    clicks[table_.item_ids[slot.item]] += 1;
                    total += 1;
                }
            }
        }
        for (const auto id : model_.item_ids) {
            const auto found = clicks.find(id);
            const double n = found == clicks.end() ? 0 : found->second;
            const double share = (n + 1) / (total + static_cast<double>(model_.item_ids.size()));
            model_.item_bits.push_back(static_cast<float>(-std::log2(share)));
        }
    }

    const FeedbackTable& table_;
    const WorldFitOptions& options_;
    Rng rng_;
    std::vector<std::size_t> train_;               // decisions
    std::map<std::size_t, std::size_t> begin_of_;  // decision -> first of its sequence
    WorldModel model_;
};

}  // namespace

WorldModel make_world_pools(
    const FeedbackTable& table,
    const FeedbackSplit& split,
    const WorldFitOptions& options,
    const Rng& rng
) {
    return Pools{table, split, options, rng}.make();
}

}  // namespace hg::simulate

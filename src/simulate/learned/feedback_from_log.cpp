// SPDX-License-Identifier: Apache-2.0
#include "simulate/learned/feedback_from_log.hpp"

#include "data/item_numbers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace hg::simulate {
namespace {

[[noreturn]] void refuse(const std::string& name, std::string_view what, std::string hint) {
    throw Error{ErrorCode::invalid_argument, fmt::format("{}: {}", name, what), std::move(hint)};
}

/// Distinct (item, features) pairs become rows.
class ItemRows {
  public:
    explicit ItemRows(std::size_t item_size) : item_size_(item_size) {}

    std::uint32_t row(std::uint32_t item, std::span<const float> features) {
        std::string key(reinterpret_cast<const char*>(features.data()), features.size_bytes());
        key.append(reinterpret_cast<const char*>(&item), sizeof item);
        const auto [found, is_new] =
            rows_.try_emplace(std::move(key), static_cast<std::uint32_t>(rows_.size()));
        if (is_new) {
            values_.insert(values_.end(), features.begin(), features.end());
            ids_.push_back(item);
        }
        return found->second;
    }

    void move_to(FeedbackTable& table) {
        table.item_rows = Matrix<float>(ids_.size(), item_size_, std::move(values_));
        table.item_ids = std::move(ids_);
    }

  private:
    std::size_t item_size_;
    std::unordered_map<std::string, std::uint32_t> rows_;
    std::vector<float> values_;
    std::vector<std::uint32_t> ids_;
};

/// Rows of the log by session, in the order in which sessions begin.
std::vector<std::vector<std::size_t>> sessions_of(const data::ImpressionLog& log) {
    std::vector<std::vector<std::size_t>> sessions;
    std::map<std::uint32_t, std::size_t> open;  // user -> session
    for (std::size_t i = 0; i < log.size(); ++i) {
        const auto user = log.user[i];
        auto found = open.find(user);
        if (found != open.end()) {
            const auto last = sessions[found->second].back();
            const bool starts_over =
                log.timestamp[i] != data::no_timestamp && log.timestamp[i] <= log.timestamp[last];
            if (log.ended[last] == 1 || starts_over) {
                open.erase(found);
                found = open.end();
            }
        }
        if (found == open.end()) {
            found = open.emplace(user, sessions.size()).first;
            sessions.emplace_back();
        }
        sessions[found->second].push_back(i);
    }
    return sessions;
}

class Builder {
  public:
    Builder(const data::ImpressionLog& log, const std::string& name)
        : log_(log), name_(name), user_size_(log.state.row(0).size()), rows_(item_size()) {
        table_.facts.source = "impression log";
        table_.facts.data_name = name;
        table_.facts.has_positions = true;
        table_.facts.has_fresh_items = numbers_.are_kinds;
        table_.facts.has_rewards = true;
        table_.facts.has_propensities = true;
    }

    void add_session(std::span<const std::size_t> session) {
        for (std::size_t step = 0; step < session.size(); ++step) {
            add_decision(session[step]);
            table_.session_step.push_back(static_cast<std::uint32_t>(step));
            const bool is_last = step + 1 == session.size();
            const bool ended = log_.ended[session[step]] == 1;
            table_.leaving.push_back(
                ended     ? Leaving::leaves
                : is_last ? Leaving::unknown
                          : Leaving::stays
            );
            table_.facts.has_sessions = table_.facts.has_sessions || ended;
        }
        if (table_.facts.has_sessions) {
            table_.facts.session_rule = "what the log calls ended";
        }
        table_.sequence_offsets.push_back(table_.leaving.size());
    }

    [[nodiscard]] std::size_t n_decisions() const { return table_.leaving.size(); }

    FeedbackTable finish(double exposure_clip) {
        table_.users = Matrix<float>(n_decisions(), user_size_, std::move(users_));
        rows_.move_to(table_);
        weigh(exposure_clip);
        find_dynamics();
        find_purchases();
        return std::move(table_);
    }

  private:
    [[nodiscard]] std::size_t item_size() const {
        const auto candidates = log_.candidates.row(0).size();
        const auto features = log_.candidate_features.row(0).size();
        if (candidates == 0 || features == 0) {
            refuse(
                name_,
                "a log without candidate_features does not say what items are like",
                "log candidates and candidate_features with every decision"
            );
        }
        return features / candidates;
    }

    void add_decision(std::size_t i) {
        const auto state = log_.state.row(i);
        if (state.size() != user_size_) {
            refuse(
                name_,
                fmt::format(
                    "decision {} has {} state numbers, the first has {}",
                    i + 1,
                    state.size(),
                    user_size_
                ),
                "log the same numbers of the user with every decision"
            );
        }
        users_.insert(users_.end(), state.begin(), state.end());
        const auto candidates = log_.candidates.row(i);
        const auto features = log_.candidate_features.row(i);
        const auto width = rows_size();
        if (candidates.empty() || features.size() != candidates.size() * width) {
            refuse(
                name_,
                fmt::format(
                    "decision {} has {} candidate_features for {} candidates of {} numbers",
                    i + 1,
                    features.size(),
                    candidates.size(),
                    width
                ),
                "log candidates and candidate_features with every decision"
            );
        }
        std::map<std::uint32_t, std::uint32_t> row_of;
        for (std::size_t c = 0; c < candidates.size(); ++c) {
            const auto number = numbers_.numbers[candidates[c]];
            const auto row = rows_.row(number, features.subspan(c * width, width));
            row_of[candidates[c]] = row;
            table_.candidates.push_back(row);
        }
        table_.candidate_offsets.push_back(table_.candidates.size());
        add_slots(i, row_of);
        table_.reward.push_back(static_cast<float>(log_.reward[i]));
        table_.propensity.push_back(log_.propensity[i]);
        table_.gap_hours.push_back(unknown_value);
        table_.facts.has_rewards = table_.facts.has_rewards && std::isfinite(log_.reward[i]);
        table_.facts.has_propensities = table_.facts.has_propensities &&
                                        std::isfinite(log_.propensity[i]) &&
                                        log_.deterministic[i] == 0;
    }

    void add_slots(std::size_t i, const std::map<std::uint32_t, std::uint32_t>& row_of) {
        const auto items = log_.slots.row(i);
        const auto first = log_.slots.offsets[i];
        for (std::size_t k = 0; k < items.size(); ++k) {
            const auto clicked = log_.slot.clicked[first + k];
            if (clicked < 0) {
                refuse(
                    name_,
                    fmt::format(
                        "decision {} does not say whether slot {} was clicked", i + 1, k + 1
                    ),
                    "log \"clicked\" for every slot"
                );
            }
            const auto purchased = log_.slot.purchased[first + k];
            (purchased < 0 ? n_untold_ : n_told_) += static_cast<std::size_t>(clicked);
            table_.slots.push_back({
                .item = row_of.at(items[k]),
                .clicked = clicked == 1,
                .purchased = purchased == 1,
                .value =
                    clicked == 1 ? static_cast<float>(log_.slot.value[first + k]) : unknown_value,
            });
        }
        table_.slot_offsets.push_back(table_.slots.size());
        table_.facts.slate_size = std::max(table_.facts.slate_size, items.size());
    }

    [[nodiscard]] std::size_t rows_size() const { return item_size_; }

    void weigh(double clip) {
        table_.weight.assign(n_decisions(), 1.0F);
        if (!table_.facts.has_propensities || clip <= 0) {
            return;
        }
        double sum = 0;
        for (const double p : table_.propensity) {
            sum += 1 / p;
        }
        const double mean = sum / static_cast<double>(n_decisions());
        for (std::size_t d = 0; d < n_decisions(); ++d) {
            table_.weight[d] =
                static_cast<float>(std::min(clip, 1 / (table_.propensity[d] * mean)));
        }
    }

    /// Worlds learn P(purchase | click): the log must say it of every click, or of none.
    void find_purchases() {
        if (n_told_ > 0 && n_untold_ > 0) {
            refuse(
                name_,
                fmt::format(
                    "{} of {} clicks do not say whether they were purchases",
                    n_untold_,
                    n_untold_ + n_told_
                ),
                "log \"purchased\" for every clicked slot, or for none"
            );
        }
        const auto n_purchases = std::ranges::count_if(table_.slots, &FeedbackSlot::purchased);
        table_.facts.has_purchases = n_purchases > 0 && std::cmp_less(n_purchases, n_told_);
    }

    void find_dynamics() {
        constexpr float least = 1e-6F;
        for (std::size_t d = 0; d + 1 < n_decisions(); ++d) {
            if (table_.session_step[d + 1] == 0) {
                continue;
            }
            for (std::size_t j = 0; j < user_size_; ++j) {
                if (std::abs(table_.users(d + 1, j) - table_.users(d, j)) > least) {
                    table_.facts.has_dynamics = true;
                    return;
                }
            }
        }
    }

    const data::ImpressionLog& log_;
    const std::string& name_;
    std::size_t user_size_;
    std::size_t item_size_ = item_size();
    data::ItemNumbers numbers_ = data::item_numbers(log_.items);
    ItemRows rows_;
    std::vector<float> users_;
    std::size_t n_told_ = 0;  // clicks of which the log says whether they were purchases
    std::size_t n_untold_ = 0;
    FeedbackTable table_;
};

}  // namespace

FeedbackTable feedback_from_log(
    const data::ImpressionLog& log, const std::string& name, const LogFeedbackOptions& options
) {
    if (log.size() == 0) {
        refuse(name, "no decisions to learn a world from", "give a log of what users did");
    }
    Builder builder{log, name};
    for (const auto& session : sessions_of(log)) {
        if (options.max_decisions > 0 && builder.n_decisions() >= options.max_decisions) {
            break;
        }
        builder.add_session(session);
    }
    return builder.finish(options.exposure_clip);
}

}  // namespace hg::simulate

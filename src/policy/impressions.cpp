// SPDX-License-Identifier: Apache-2.0
#include "policy/impressions.hpp"

#include "data/item_numbers.hpp"
#include "policy/session_tokens.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace hg::policy {
namespace {

[[noreturn]] void refuse(std::string what, std::string next) {
    throw Error{ErrorCode::invalid_argument, std::move(what), std::move(next)};
}

simulate::EnvironmentFacts shape_of(const data::ImpressionLog& log) {
    simulate::EnvironmentFacts shape{
        .n_candidates = log.candidates.row(0).size(),
        .slate_size = log.slots.row(0).size(),
        .user_size = log.state.row(0).size(),
    };
    const auto n_features = log.candidate_features.row(0).size();
    if (shape.n_candidates == 0 || n_features == 0 || shape.user_size == 0) {
        refuse(
            "the log does not say what the policy saw: state, candidates or candidate_features are "
            "missing",
            "judge it with --policy probabilities.jsonl instead of a run"
        );
    }
    shape.item_size = n_features / shape.n_candidates;
    for (std::size_t i = 0; i < log.size(); ++i) {
        if (log.candidates.row(i).size() != shape.n_candidates ||
            log.slots.row(i).size() != shape.slate_size ||
            log.state.row(i).size() != shape.user_size ||
            log.candidate_features.row(i).size() != n_features) {
            refuse(
                fmt::format(
                    "decision {} has another shape than the first: {} candidates, {} slots, {} "
                    "numbers of state",
                    log.recommendation_id[i],
                    log.candidates.row(i).size(),
                    log.slots.row(i).size(),
                    log.state.row(i).size()
                ),
                "agents judge logs of one shape: split the log"
            );
        }
    }
    return shape;
}

void fill(
    LoggedDecisions& out,
    const data::ImpressionLog& log,
    const std::vector<std::uint32_t>& numbers,
    std::size_t i
) {
    const auto state = log.state.row(i);
    std::ranges::copy(state, out.users.row(i).begin());
    out.states[i] = static_cast<std::uint32_t>(std::ranges::max_element(state) - state.begin());
    const auto features = log.candidate_features.row(i);
    std::ranges::copy(features, out.items.row(i * out.shape.n_candidates).data());
    const auto candidates = log.candidates.row(i);
    for (std::size_t c = 0; c < candidates.size(); ++c) {
        out.item_ids(i, c) = numbers[candidates[c]];
    }
    const auto shown = log.slots.row(i);
    for (std::size_t slot = 0; slot < shown.size(); ++slot) {
        const auto place = static_cast<std::size_t>(
            std::ranges::find(candidates, shown[slot]) - candidates.begin()
        );
        HG_CHECK(place < candidates.size(), "check_impression saw every shown item offered");
        out.slates(i, slot) = static_cast<std::uint32_t>(place);
    }
}

}  // namespace

ImpressionRecorder::ImpressionRecorder(
    std::ostream& out, std::string policy, const simulate::EnvironmentFacts& world
)
    : writer_(out),
      policy_(std::move(policy)),
      items_persist_(world.n_items > 0),
      has_purchases_(world.has_purchases) {}

void ImpressionRecorder::begin_play(std::uint64_t seed) {
    play_ = fmt::format("s{}-", seed);
}

void ImpressionRecorder::operator()(
    const TransitionBatch& step, std::span<const std::uint64_t> episodes
) {
    const auto n = step.before.item_ids.cols();
    const auto ids = [&](std::size_t u, std::size_t c) {
        // Fresh candidates have the number of their kind only: their place tells them apart.
        const auto number = step.before.item_ids(u, c);
        return items_persist_ ? fmt::format("{}", number) : fmt::format("{}:{}", c, number);
    };
    for (std::size_t u = 0; u < step.before.size(); ++u) {
        row_.recommendation_id = fmt::format("u{}-t{}", u, step_);
        row_.user_id = fmt::format("{}u{}-e{}", play_, u, episodes[u]);
        row_.timestamp = static_cast<TimeMs>(step_);
        row_.policy = policy_;
        const auto user = step.before.users.row(u);
        row_.state.assign(user.begin(), user.end());
        const auto items = step.before.items.rows_slice(u * n, n);
        row_.candidate_features.assign(items.data(), items.data() + n * items.cols());
        row_.candidates.resize(n);
        for (std::size_t c = 0; c < n; ++c) {
            row_.candidates[c] = ids(u, c);
        }
        const auto slate = step.decisions.slates.row(u);
        row_.slots.resize(slate.size());
        row_.propensity = 1;
        for (std::size_t slot = 0; slot < slate.size(); ++slot) {
            auto& shown = row_.slots[slot];
            const auto& response = step.responses(u, slot);
            shown.item_id = row_.candidates[slate[slot]];
            shown.propensity = step.decisions.propensities(u, slot);
            shown.clicked = response.clicked;
            if (has_purchases_) {
                shown.purchased = response.purchased;
            }
            shown.value = static_cast<double>(response.value);
            shown.rating =
                response.rating != 0 ? static_cast<double>(response.rating) : data::no_number;
            row_.propensity *= shown.propensity;
        }
        // All probability on one slate: nothing else would ever have been shown.
        row_.deterministic = row_.propensity >= 1 && n > slate.size();
        row_.reward = step.rewards[u];
        row_.ended = step.ended[u] != 0;
        writer_.write(row_);
    }
    ++step_;
}

ObservationBatch LoggedDecisions::batch(
    std::size_t first, std::size_t count, MatrixView<const float> sessions
) const {
    return {
        .users = users.view().rows_slice(first, count),
        .items = items.view().rows_slice(first * shape.n_candidates, count * shape.n_candidates),
        .item_ids = item_ids.view().rows_slice(first, count),
        .states = std::span{states}.subspan(first, count),
        .sessions = sessions.empty() ? MatrixView<const float>{nullptr, count, 0}
                                     : sessions.rows_slice(first, count),
    };
}

LoggedDecisions decisions_of(const data::ImpressionLog& log) {
    const auto shape = shape_of(log);
    LoggedDecisions out{
        .shape = shape,
        .users = {log.size(), shape.user_size},
        .items = {log.size() * shape.n_candidates, shape.item_size},
        .item_ids = {log.size(), shape.n_candidates},
        .states = std::vector<std::uint32_t>(log.size()),
        .slates = {log.size(), shape.slate_size},
        .reward = log.reward,
        .propensity = log.propensity,
        .units = log.user,
    };
    const auto numbers = data::item_numbers(log.items).numbers;
    for (std::size_t i = 0; i < log.size(); ++i) {
        fill(out, log, numbers, i);
    }
    return out;
}

namespace {

/// The decision of the same session before each one; itself = none. `order` is that of time; a
/// session ends where the user left.
std::vector<std::size_t> earlier_decisions(
    const data::ImpressionLog& log, const std::vector<std::size_t>& order
) {
    std::vector<std::size_t> earlier(log.size());
    std::map<std::uint32_t, std::size_t> last;  // by user
    for (const auto i : order) {
        const auto known = last.find(log.user[i]);
        const bool goes_on = known != last.end() && log.ended[known->second] != 1;
        earlier[i] = goes_on ? known->second : i;
        last[log.user[i]] = i;
    }
    return earlier;
}

}  // namespace

simulate::Response response_of(
    const data::ImpressionLog& log, std::size_t decision, std::size_t slot
) {
    const auto at = log.slots.offsets[decision] + slot;
    if (log.slot.clicked[at] < 0) {
        refuse(
            fmt::format(
                "decision {} does not say whether slot {} was clicked, which a policy that reads "
                "the session must know",
                log.recommendation_id[decision],
                slot + 1
            ),
            "log \"clicked\" for every slot, or judge a policy with encoder=mlp"
        );
    }
    const auto number = [](double given) {
        return std::isnan(given) ? 0.0F : static_cast<float>(given);
    };
    return {
        .clicked = log.slot.clicked[at] == 1,
        .value = number(log.slot.value[at]),
        .rating = number(log.slot.rating[at]),
    };
}

Matrix<float> sessions_of(
    const data::ImpressionLog& log, const LoggedDecisions& decisions, std::size_t n_tokens
) {
    const auto& shape = decisions.shape;
    const auto token = SessionTokens::token_size(shape);
    Matrix<float> sessions(log.size(), n_tokens * token);
    if (n_tokens == 0) {
        return sessions;
    }
    std::vector<std::size_t> order(log.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {}, [&](auto i) { return log.timestamp[i]; });
    const auto earlier = earlier_decisions(log, order);
    for (const auto i : order) {
        const auto before = earlier[i];
        if (before == i) {
            continue;  // the first of its session
        }
        const auto row = sessions.row(i);
        std::ranges::copy(sessions.row(before), row.begin());
        const auto slate = decisions.slates.row(before);
        const auto n_new = std::min(slate.size(), n_tokens);
        std::shift_left(row.begin(), row.end(), static_cast<std::ptrdiff_t>(n_new * token));
        for (std::size_t slot = 0; slot < n_new; ++slot) {
            write_token(
                row.subspan((n_tokens - n_new + slot) * token, token),
                decisions.items.row(before * shape.n_candidates + slate[slot]),
                decisions.item_ids(before, slate[slot]),
                response_of(log, before, slot)
            );
        }
    }
    return sessions;
}

std::vector<double> slate_probabilities(
    const LoggedAgent& policy, Mode mode, const LoggedDecisions& log
) {
    constexpr std::size_t at_once = 1024;
    std::vector<double> probabilities(log.size());
    for (std::size_t first = 0; first < log.size(); first += at_once) {
        const auto n = std::min(at_once, log.size() - first);
        Matrix<double> factors(n, log.shape.slate_size);
        policy.agent->propensities(
            log.batch(first, n, policy.sessions.view()),
            mode,
            log.slates.view().rows_slice(first, n),
            factors.view()
        );
        for (std::size_t i = 0; i < n; ++i) {
            double product = 1;
            for (const double factor : factors.row(i)) {
                product *= factor;
            }
            probabilities[first + i] = product;
        }
    }
    return probabilities;
}

}  // namespace hg::policy

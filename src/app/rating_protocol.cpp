// SPDX-License-Identifier: Apache-2.0
#include "app/rating_protocol.hpp"

#include "core/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace hg::app {
namespace {

using policy::Rating;
using policy::RatingItems;
using policy::TaskEvents;

constexpr std::size_t cross_fits = 5;
constexpr double validation_share = 0.5;  // of the fold after the tested one

enum class Role : std::uint8_t { train, asked, left_out };

/// The ratings of one user in log order; events without a value are none.
std::vector<Rating> ratings_of(const data::Dataset& dataset, std::uint32_t user) {
    std::vector<Rating> ratings;
    const auto history = dataset.log.history(UserId{user});
    for (std::size_t i = 0; i < history.values.size(); ++i) {
        if (!std::isnan(history.values[i])) {
            ratings.push_back(
                {.user = user, .item = history.items[i].value, .value = history.values[i]}
            );
        }
    }
    return ratings;
}

/// The tested fold is asked, half of the next one is for validation; the rest trains.
std::vector<Role> roles_of(std::size_t n_users, const RatingProtocol& protocol, std::size_t fold) {
    std::vector<std::size_t> order(n_users);
    std::iota(order.begin(), order.end(), std::size_t{0});
    auto rng = Rng{protocol.seed}.split("rating users");
    rng.shuffle(std::span{order});
    std::vector<Role> roles(n_users, Role::train);
    const auto next = (fold + 1) % protocol.folds;
    const auto stop = static_cast<std::size_t>(std::lround(1 / validation_share)) * protocol.folds;
    for (std::size_t rank = 0; rank < n_users; ++rank) {
        if (rank % protocol.folds == fold) {
            roles[order[rank]] = protocol.part == Part::test ? Role::asked : Role::left_out;
        } else if (rank % protocol.folds == next && rank % stop < protocol.folds) {
            roles[order[rank]] = protocol.part == Part::test ? Role::left_out : Role::asked;
        }
    }
    return roles;
}

std::vector<std::uint8_t> draw_items(std::size_t n_items, double share, Rng rng) {
    std::vector<std::uint8_t> drawn(n_items);
    for (auto& is_drawn : drawn) {
        is_drawn = rng.uniform() < share ? 1 : 0;
    }
    return drawn;
}

void add(TaskEvents& to, const RatingItems& items, const Rating& rating, TaskEvents::Use use) {
    to.add(items.inputs.row(rating.item), items.offsets[rating.item], rating.value, use);
}

class TrialMaker {
  public:
    TrialMaker(
        const data::Dataset& dataset,
        MatrixView<const float> content,
        const RatingProtocol& protocol,
        std::size_t fold
    )
        : content_(content),
          protocol_(protocol),
          rng_(Rng{protocol.seed}.split(fold)),
          roles_(roles_of(dataset.log.n_users(), protocol, fold)),
          is_new_(draw_items(dataset.items.size(), protocol.new_item_share, rng_.split("new items"))
          ) {
        for (std::uint32_t user = 0; user < roles_.size(); ++user) {
            users_.push_back(ratings_of(dataset, user));
        }
    }

    [[nodiscard]] RatingTrial make() {
        RatingTrial trial;
        trial.seed = rng_.split("seed")();
        const auto training = training_ratings();
        if (training.empty()) {
            throw Error{
                ErrorCode::invalid_argument,
                "no ratings to learn from: no event of the training users has a value",
                "the rating task needs a value column (rating, stars, ...) in the interactions",
            };
        }
        trial.n_train_ratings = training.size();
        const auto [low, high] = std::ranges::minmax(training, {}, &Rating::value);
        trial.lowest = low.value;
        trial.highest = high.value;
        const auto items = describe(training, rng_.split("items"));
        trial.n_inputs = items.inputs.cols();
        add_tasks(training, items, trial);
        add_users(items, trial);
        return trial;
    }

  private:
    [[nodiscard]] std::vector<Rating> training_ratings() const {
        std::vector<Rating> training;
        for (std::size_t user = 0; user < users_.size(); ++user) {
            if (roles_[user] == Role::train) {
                std::ranges::copy_if(
                    users_[user],
                    std::back_inserter(training),
                    [this](const Rating& r) { return is_new_[r.item] == 0; }
                );
            }
        }
        return training;
    }

    [[nodiscard]] RatingItems describe(std::span<const Rating> ratings, Rng rng) const {
        return policy::describe_rating_items(ratings, content_, protocol_.items, rng);
    }

    /// Tasks of training users, each with items described by the other groups' ratings.
    void add_tasks(
        std::span<const Rating> training, const RatingItems& reference, RatingTrial& trial
    ) const {
        const auto n_factors = static_cast<std::size_t>(protocol_.items.factors);
        for (std::size_t group = 0; group < cross_fits; ++group) {
            const auto rng = rng_.split("cross-fit").split(group);
            const auto unseen =
                draw_items(is_new_.size(), protocol_.new_item_share, rng.split("unseen"));
            std::vector<Rating> others;
            std::ranges::copy_if(training, std::back_inserter(others), [&](const Rating& r) {
                return r.user % cross_fits != group && unseen[r.item] == 0;
            });
            if (others.empty()) {
                throw Error{
                    ErrorCode::invalid_argument,
                    "too few rated items or users to cross-fit the item vectors",
                    "the rating task needs some ten users and items at the least",
                };
            }
            auto items = describe(others, rng_.split("items"));
            policy::align_factors(items, reference, n_factors);
            for (std::size_t user = group; user < users_.size(); user += cross_fits) {
                if (roles_[user] != Role::train) {
                    continue;
                }
                TaskEvents task{items.inputs.cols()};
                for (const auto& r : users_[user]) {
                    if (is_new_[r.item] == 0) {
                        const bool is_unseen = unseen[r.item] != 0;
                        add(task,
                            items,
                            r,
                            is_unseen ? TaskEvents::Use::query_only : TaskEvents::Use::any);
                    }
                }
                if (task.size() > 0) {
                    trial.tasks.push_back(std::move(task));
                }
            }
        }
    }

    void add_users(const RatingItems& items, RatingTrial& trial) const {
        const auto most = protocol_.contexts.back();
        for (std::uint32_t user = 0; user < users_.size(); ++user) {
            if (roles_[user] != Role::asked) {
                continue;
            }
            const auto d = items.inputs.cols();
            RatingUser asked{
                .user = UserId{user},
                .support = TaskEvents{d},
                .old_items = TaskEvents{d},
                .new_items = TaskEvents{d},
            };
            for (const auto& r : users_[user]) {
                const bool is_known = asked.support.size() == most;
                if (is_new_[r.item] == 0) {
                    add(is_known ? asked.old_items : asked.support, items, r, TaskEvents::Use::any);
                } else if (is_known) {
                    add(asked.new_items, items, r, TaskEvents::Use::any);
                }
            }
            if (asked.old_items.size() > 0) {
                trial.users.push_back(std::move(asked));
            } else {
                ++trial.n_too_short;
            }
        }
        auto rng = rng_.split("asked");
        rng.shuffle(std::span{trial.users});
        if (protocol_.max_users > 0 && trial.users.size() > protocol_.max_users) {
            trial.users.erase(
                trial.users.begin() + static_cast<std::ptrdiff_t>(protocol_.max_users),
                trial.users.end()
            );
        }
    }

    MatrixView<const float> content_;
    const RatingProtocol& protocol_;
    Rng rng_;
    std::vector<Role> roles_;
    std::vector<std::uint8_t> is_new_;
    std::vector<std::vector<Rating>> users_;
};

void check(const RatingProtocol& protocol) {
    const bool is_ascending =
        !protocol.contexts.empty() && std::ranges::is_sorted(protocol.contexts);
    if (protocol.folds < 2 || !is_ascending) {
        throw Error{
            ErrorCode::invalid_argument,
            "the rating task needs at least 2 folds and context lengths in ascending order",
            "e.g. --folds 5 --contexts 1,5,10,20",
        };
    }
}

}  // namespace

RatingTrial make_rating_trial(
    const data::Dataset& dataset,
    MatrixView<const float> content,
    const RatingProtocol& protocol,
    std::size_t fold
) {
    check(protocol);
    HG_CHECK(content.rows() == dataset.items.size(), "a row of content per item");
    return TrialMaker{dataset, content, protocol, fold}.make();
}

}  // namespace hg::app

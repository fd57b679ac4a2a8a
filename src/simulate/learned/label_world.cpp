// SPDX-License-Identifier: Apache-2.0
#include "simulate/learned/label_world.hpp"

#include "core/error.hpp"
#include "core/rng.hpp"
#include "train/truncated_svd.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

namespace hg::simulate {
namespace {

constexpr std::uint32_t not_kept = std::numeric_limits<std::uint32_t>::max();

/// Which users have enough likes, and which of them are judged.
struct Parts {
    std::vector<std::uint8_t> is_judged;  // by user
    std::vector<std::uint8_t> is_learner;
};

Parts part_users(
    const std::vector<std::vector<std::uint32_t>>& liked, const LabelWorldOptions& options
) {
    Parts parts{std::vector<std::uint8_t>(liked.size()), std::vector<std::uint8_t>(liked.size())};
    Rng random = Rng{static_cast<std::uint64_t>(options.split_seed)}.split("label users");
    for (std::size_t u = 0; u < liked.size(); ++u) {
        const bool judged = random.uniform() < options.judged_share;
        const bool enough = std::cmp_greater_equal(liked[u].size(), options.min_liked);
        parts.is_judged[u] = judged && enough ? 1 : 0;
        parts.is_learner[u] = judged ? 0 : 1;
    }
    return parts;
}

/// The items most learners like, most liked first.
std::vector<std::uint32_t> most_liked(
    const std::vector<std::vector<std::uint32_t>>& liked,
    const Parts& parts,
    std::size_t n_items,
    std::size_t count
) {
    std::vector<std::size_t> likes(n_items);
    for (std::size_t u = 0; u < liked.size(); ++u) {
        for (const auto item : liked[u]) {
            likes[item] += parts.is_learner[u];
        }
    }
    std::vector<std::uint32_t> order(n_items);
    std::iota(order.begin(), order.end(), 0U);
    std::ranges::stable_sort(order, std::greater{}, [&](auto i) { return likes[i]; });
    order.resize(std::min(order.size(), count));
    std::erase_if(order, [&](auto i) { return likes[i] == 0; });
    return order;
}

class LabelWorld final : public Environment {
  public:
    LabelWorld(std::shared_ptr<const Labels> labels, const LabelWorldOptions& options)
        : labels_(std::move(labels)),
          responses_(static_cast<std::size_t>(options.slate_size)),
          shown_(labels_->item_names.size()) {
        const auto n_shown = static_cast<std::size_t>(options.slate_size * options.step_limit);
        const auto n_items = labels_->item_names.size();
        if (n_shown + static_cast<std::size_t>(options.slate_size) > n_items) {
            throw Error{
                ErrorCode::invalid_argument,
                fmt::format("{} items are too few for {} slots", n_items, n_shown),
                "raise items, or lower step_limit or slate_size"
            };
        }
        float widest = 0;
        for (const float x : labels_->vectors.values()) {
            widest = std::max(widest, std::abs(x));
        }
        facts_ = {
            .n_candidates = n_items - n_shown,
            .slate_size = static_cast<std::size_t>(options.slate_size),
            .user_size = 1,
            .item_size = labels_->vectors.cols(),
            .n_items = n_items,
            .step_limit = static_cast<std::size_t>(options.step_limit),
            .item_low = -widest,
            .item_high = widest,
            .reward_high = static_cast<double>(options.slate_size),
        };
        items_ = Matrix<float>(facts_.n_candidates, facts_.item_size);
        item_ids_.resize(facts_.n_candidates);
        reset(0);
    }

    const EnvironmentFacts& facts() const noexcept override { return facts_; }

    void reset(std::uint64_t seed) override {
        user_number_ = Rng{seed}.below(labels_->liked.size());
        n_steps_ = 0;
        std::ranges::fill(shown_, std::uint8_t{0});
        offer();
    }

    Observation observe() const override {
        return {.user = user_, .items = items_.view(), .item_ids = item_ids_};
    }

    Transition step(std::span<const std::uint32_t> slate) override {
        check_slate(facts_, slate);
        double clicks = 0;
        for (std::size_t slot = 0; slot < slate.size(); ++slot) {
            const auto item = item_ids_[slate[slot]];
            const bool clicked = is_liked(item);
            responses_[slot] = {.clicked = clicked, .value = clicked ? 1.0F : 0.0F};
            clicks += clicked ? 1 : 0;
            shown_[item] = 1;
        }
        ++n_steps_;
        const bool is_over = n_steps_ == facts_.step_limit;
        if (!is_over) {
            offer();
        }
        return {.responses = responses_, .reward = clicks, .truncated = is_over};
    }

    std::unique_ptr<Environment> clone() const override {
        return std::make_unique<LabelWorld>(*this);
    }

    std::optional<double> expected_reward(std::span<const std::uint32_t> slate) const override {
        double clicks = 0;
        for (const auto place : slate) {
            clicks += is_liked(item_ids_[place]) ? 1 : 0;
        }
        return clicks;
    }

    std::string describe_state() const override {
        return fmt::format(
            "user={} liked={}", labels_->users[user_number_], labels_->liked[user_number_].size()
        );
    }

  private:
    [[nodiscard]] bool is_liked(std::uint32_t item) const {
        return std::ranges::binary_search(labels_->liked[user_number_], item);
    }

    /// The most liked items not shown yet.
    void offer() {
        std::size_t place = 0;
        for (std::uint32_t item = 0; place < item_ids_.size(); ++item) {
            if (shown_[item] == 0) {
                item_ids_[place] = item;
                std::ranges::copy(labels_->vectors.row(item), items_.row(place).begin());
                ++place;
            }
        }
    }

    std::shared_ptr<const Labels> labels_;
    EnvironmentFacts facts_;
    std::size_t user_number_ = 0;
    std::size_t n_steps_ = 0;
    std::array<float, 1> user_{1.0F};
    std::vector<Response> responses_;
    std::vector<std::uint8_t> shown_;
    Matrix<float> items_;
    std::vector<std::uint32_t> item_ids_;
};

}  // namespace

void LabelWorldOptions::describe(OptionBinder& bind, LabelWorldOptions& o) {
    bind(
        "users",
        o.users,
        "those to learn from, or those to be judged on",
        {.choices = {"learn", "judge"}}
    );
    bind("items", o.items, "the most liked ones on offer", {.min = 2, .max = 1e6});
    bind("dim", o.dim, "numbers per item: singular vectors", {.min = 1, .max = 256});
    bind("slate_size", o.slate_size, "items shown at a time", {.min = 1, .max = 100});
    bind("step_limit", o.step_limit, "steps of an episode", {.min = 1, .max = 1e6});
    bind("min_liked", o.min_liked, "users who liked fewer are left out", {.min = 1, .max = 1e6});
    bind("judged_share", o.judged_share, "of the users", {.min = 0.01, .max = 0.99});
    bind("split_seed", o.split_seed, "of the parting of users", {.min = 0, .max = 1e15});
}

Labels make_labels(
    const data::Dataset& dataset,
    const LabelWorldOptions& options,
    ProgressSink& progress,
    const std::stop_token& stop
) {
    const auto liked = train::liked_items(dataset.log);
    const auto parts = part_users(liked, options);
    const auto kept =
        most_liked(liked, parts, dataset.items.size(), static_cast<std::size_t>(options.items));
    const auto learners = dataset.log.filter([&](UserId user, std::size_t /*event*/) {
        return parts.is_learner[user.index()] != 0;
    });
    const auto rank = std::min<std::size_t>(static_cast<std::size_t>(options.dim), kept.size());
    const auto svd = train::truncated_svd(
        learners,
        {.rank = rank},
        Rng{static_cast<std::uint64_t>(options.split_seed)}.split("label vectors"),
        progress,
        stop
    );
    Labels labels{
        .vectors = Matrix<float>(kept.size(), rank), .item_names = {}, .users = {}, .liked = {}
    };
    std::vector<std::uint32_t> place(dataset.items.size(), not_kept);
    for (std::uint32_t i = 0; i < kept.size(); ++i) {
        place[kept[i]] = i;
        labels.item_names.emplace_back(dataset.items.name(kept[i]));
        for (std::size_t c = 0; c < rank; ++c) {
            labels.vectors(i, c) = svd.right(kept[i], c) * std::sqrt(svd.singular[c]);
        }
    }
    const auto& wanted = options.users == "judge" ? parts.is_judged : parts.is_learner;
    for (std::size_t u = 0; u < liked.size(); ++u) {
        std::vector<std::uint32_t> own;
        for (const auto item : liked[u]) {
            if (place[item] != not_kept) {
                own.push_back(place[item]);
            }
        }
        if (wanted[u] != 0 && std::cmp_greater_equal(own.size(), options.min_liked)) {
            std::ranges::sort(own);
            labels.users.push_back(static_cast<std::uint32_t>(u));
            labels.liked.push_back(std::move(own));
        }
    }
    if (labels.liked.empty()) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("no user liked {} of the {} items", options.min_liked, kept.size()),
            "lower world.min_liked or raise world.items"
        };
    }
    return labels;
}

std::unique_ptr<Environment> make_label_world(
    std::shared_ptr<const Labels> labels, const LabelWorldOptions& options
) {
    return std::make_unique<LabelWorld>(std::move(labels), options);
}

}  // namespace hg::simulate

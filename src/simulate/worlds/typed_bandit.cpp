// SPDX-License-Identifier: Apache-2.0
#include "simulate/worlds/typed_bandit.hpp"

#include "core/rng.hpp"
#include "simulate/world_entry.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <numeric>

namespace hg::simulate {
namespace {

/// Rows that point anywhere alike, of length 1.
Matrix<float> directions(std::size_t n, std::size_t dim, Rng random) {
    Matrix<float> rows(n, dim);
    for (std::size_t r = 0; r < n; ++r) {
        double squares = 0;
        for (float& x : rows.row(r)) {
            x = static_cast<float>(random.normal());
            squares += static_cast<double>(x) * static_cast<double>(x);
        }
        for (float& x : rows.row(r)) {
            x /= static_cast<float>(std::sqrt(squares));
        }
    }
    return rows;
}

class TypedBandit final : public Environment {
  public:
    explicit TypedBandit(const TypedBanditOptions& options)
        : truth_(typed_bandit_truth(options)), item_ids_(truth_.items.rows()) {
        std::iota(item_ids_.begin(), item_ids_.end(), 0U);
        facts_ = {
            .n_candidates = truth_.items.rows(),
            .slate_size = 1,
            .user_size = 1,
            .item_size = truth_.items.cols(),
            .n_items = truth_.items.rows(),
            .n_states = 1,
            .step_limit = static_cast<std::size_t>(options.step_limit),
            .item_low = -1,
            .item_high = 1,
        };
        reset(0);
    }

    const EnvironmentFacts& facts() const noexcept override { return facts_; }

    void reset(std::uint64_t seed) override {
        random_ = Rng{seed};
        n_steps_ = 0;
        double left = random_.uniform();
        type_ = 0;
        while (type_ + 1 < truth_.type_share.size() && left >= truth_.type_share[type_]) {
            left -= truth_.type_share[type_];
            ++type_;
        }
    }

    Observation observe() const override {
        return {.user = user_, .items = truth_.items.view(), .item_ids = item_ids_};
    }

    Transition step(std::span<const std::uint32_t> slate) override {
        check_slate(facts_, slate);
        const bool clicked = random_.uniform() < truth_.click(type_, slate.front());
        responses_[0] = {.clicked = clicked, .value = clicked ? 1.0F : 0.0F};
        ++n_steps_;
        return {
            .responses = responses_,
            .reward = clicked ? 1.0 : 0.0,
            .truncated = n_steps_ == facts_.step_limit,
        };
    }

    std::unique_ptr<Environment> clone() const override {
        return std::make_unique<TypedBandit>(*this);
    }

    std::optional<double> expected_reward(std::span<const std::uint32_t> slate) const override {
        return truth_.click(type_, slate.front());
    }

    std::string describe_state() const override { return fmt::format("type={}", type_); }

  private:
    TypedBanditTruth truth_;
    EnvironmentFacts facts_;
    Rng random_{0};
    std::size_t type_ = 0;
    std::size_t n_steps_ = 0;
    std::array<float, 1> user_{1.0F};
    std::array<Response, 1> responses_{};
    std::vector<std::uint32_t> item_ids_;
};

std::unique_ptr<Environment> typed_bandit_environment(const Settings& settings) {
    return std::make_unique<TypedBandit>(settings.read<TypedBanditOptions>());
}

}  // namespace

void TypedBanditOptions::describe(OptionBinder& bind, TypedBanditOptions& o) {
    bind("arms", o.arms, "items", {.min = 2, .max = 10000});
    bind("types", o.types, "kinds of users", {.min = 1, .max = 10000});
    bind("dim", o.dim, "numbers per item", {.min = 1, .max = 1000});
    bind("scale", o.scale, "how far types differ, in logits", {.min = 0, .max = 100});
    bind("bias", o.bias, "logit of an average item", {.min = -20, .max = 20});
    bind("skew", o.skew, "0 = types alike often; more = the first ones", {.min = -10, .max = 10});
    bind("noise", o.noise, "share of answers that are coin tosses", {.min = 0, .max = 1});
    bind("task_seed", o.task_seed, "of items and types", {.min = 0, .max = 1e15});
    bind("step_limit", o.step_limit, "steps of an episode", {.min = 1, .max = 1e9});
}

TypedBanditTruth typed_bandit_truth(const TypedBanditOptions& options) {
    const Rng random{static_cast<std::uint64_t>(options.task_seed)};
    const auto n_arms = static_cast<std::size_t>(options.arms);
    const auto n_types = static_cast<std::size_t>(options.types);
    const auto dim = static_cast<std::size_t>(options.dim);
    TypedBanditTruth truth{
        .items = directions(n_arms, dim, random.split("items")),
        .click = Matrix<double>(n_types, n_arms),
        .type_share = std::vector<double>(n_types),
    };
    const auto theta = directions(n_types, dim, random.split("types"));
    double total = 0;
    for (std::size_t k = 0; k < n_types; ++k) {
        for (std::size_t i = 0; i < n_arms; ++i) {
            const auto x = truth.items.row(i);
            const double fit = std::inner_product(x.begin(), x.end(), theta.row(k).begin(), 0.0);
            const double click = 1 / (1 + std::exp(-options.bias - options.scale * fit));
            truth.click(k, i) = (1 - options.noise) * click + options.noise / 2;
        }
        truth.type_share[k] = std::exp(-options.skew * static_cast<double>(k));
        total += truth.type_share[k];
    }
    for (double& share : truth.type_share) {
        share /= total;
    }
    return truth;
}

extern const WorldEntry typed_bandit{
    .name = "typed_bandit",
    .summary = "users of a few hidden types; the Bayes-optimal policy is known",
    .options = &describe_options<TypedBanditOptions>,
    .make = &typed_bandit_environment,
};

}  // namespace hg::simulate

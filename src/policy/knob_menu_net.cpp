// SPDX-License-Identifier: Apache-2.0
#include "policy/knob_menu_net.hpp"

#include "policy/served_items.hpp"
#include "policy/session_tokens.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <vector>

namespace hg::policy {
namespace {

/// Deviations added to the mean.
constexpr std::array alphas{0.0F, 0.25F, 0.5F, 1.0F, 1.5F, 2.0F, 3.0F};

/// What a server's knobs may be, every one with every other; greed first. Also below 0: in short visits doubt
/// and rarity are to be avoided rather than sought (bench/results/served_policy.md).
struct Levels {
    std::vector<float> explorations{0.0F, -0.3F, 0.5F, 1.0F};
    std::vector<float> novelties{0.0F, -0.4F, -0.8F, 0.25F};
    std::vector<float> contents{0.0F, 0.3F};
    std::vector<float> diversities{0.0F};
};

/// Where diversity matters, too: its slates are found one slot after the other, so there are fewer others.
const Levels diverse_levels{
    .explorations = {0.0F, -0.3F, 0.5F},
    .novelties = {0.0F, -0.4F, -0.8F},
    .contents = {0.0F, 0.3F},
    .diversities = {0.0F, 0.3F, 1.0F},
};
constexpr float preferred = 0.01F;  // above values that are not learned yet

at::Tensor belief_menu() {
    return at::tensor(at::ArrayRef<float>{alphas.data(), alphas.size()}).unsqueeze(1);
}

/// Rows of exploration, novelty, content, diversity.
at::Tensor served_menu(const Levels& of) {
    std::vector<float> levels;
    for (const float exploration : of.explorations) {
        for (const float novelty : of.novelties) {
            for (const float content : of.contents) {
                for (const float diversity : of.diversities) {
                    levels.insert(levels.end(), {exploration, novelty, content, diversity});
                }
            }
        }
    }
    return at::tensor(levels).view({-1, signed_size(n_signals) + 1});
}

}  // namespace

KnobMenuNet::KnobMenuNet(const AgentContext& context, const NetworkOptions& options) {
    auto summary_size = static_cast<std::int64_t>(context.world.user_size);
    if (options.head == "knobs") {
        check_served_world(context.world);
        among_ = diverse_among(context.world);
        const auto menu = served_menu(shows_directions(context.world) ? diverse_levels : Levels{});
        levels_ = menu.narrow(1, 0, signed_size(n_signals));
        diversities_ = menu.select(1, signed_size(n_signals)).contiguous();
    } else {
        length_ = static_cast<std::int64_t>(
            context.session_size / SessionTokens::token_size(context.world)
        );
        levels_ = belief_menu();
        belief_ = register_module(
            "belief",
            std::make_shared<BeliefFilterNet>(
                static_cast<std::int64_t>(context.world.item_size), Answer::value
            )
        );
        summary_size = 1 + BeliefFilterNet::Readout::summary_size;
    }
    hidden_ = register_module("knob_hidden", torch::nn::Linear(summary_size, options.hidden));
    out_ = register_module("knob_out", torch::nn::Linear(options.hidden, size()));
    const at::NoGradGuard no_grad;
    out_->weight.mul_(0.1);
    out_->bias.zero_();
}

KnobMenuNet::Seen KnobMenuNet::look(const NetInput& in) const {
    const at::NoGradGuard no_grad;
    if (belief_ == nullptr) {
        const auto signals = in.items.narrow(2, 1, levels_.size(1));  // [B, n, signals]
        return {
            .summary = in.users,
            .scores =
                in.items.select(2, 0).unsqueeze(1) + at::matmul(levels_, signals.transpose(1, 2)),
            .directions = in.items.size(2) > signed_size(plain_item_size)
                              ? in.items.slice(2, signed_size(plain_item_size))
                              : at::Tensor{},
        };
    }
    const auto tokens = answers_of(in.sessions, length_);
    const auto read = belief_->read(belief_->posterior(tokens), in.items);
    const auto answered = present_of(tokens).sum(1, true) / static_cast<double>(length_);
    return {
        .summary = at::cat({answered, read.summary()}, 1),
        .scores = read.mean.unsqueeze(1) + at::matmul(levels_, read.deviation.unsqueeze(1)),
        .directions = {},
    };
}

at::Tensor KnobMenuNet::scores_of(const Seen& seen, const at::Tensor& entries, std::int64_t k)
    const {
    const auto n = seen.scores.size(2);
    auto scores = seen.scores.gather(1, entries.view({-1, 1, 1}).expand({-1, 1, n})).squeeze(1);
    if (!seen.directions.defined()) {
        return scores;
    }
    return diverse_scores(
        scores,
        seen.directions,
        diversities_.index_select(0, entries),
        {.considered = among_.considered, .chosen = k}
    );
}

at::Tensor KnobMenuNet::slates(const Seen& seen, std::int64_t k) const {
    if (!seen.directions.defined()) {
        return std::get<1>(seen.scores.topk(k, 2));
    }
    std::vector<at::Tensor> slates;
    for (std::int64_t entry = 0; entry < size(); ++entry) {
        const auto everyone = at::full({seen.scores.size(0)}, entry, at::kLong);
        const bool is_plain = diversities_[entry].item<float>() == 0;
        const auto scores = is_plain ? seen.scores.select(1, entry) : scores_of(seen, everyone, k);
        slates.push_back(std::get<1>(scores.topk(k, 1)));
    }
    return at::stack(slates, 1);
}

at::Tensor KnobMenuNet::values(const at::Tensor& summary) {
    return out_->forward(hidden_->forward(summary).tanh());
}

at::Tensor KnobMenuNet::next_answer_loss(const at::Tensor& sessions) const {
    return belief_ == nullptr ? at::Tensor{}
                              : belief_->next_answer_loss(answers_of(sessions, length_));
}

bool KnobMenuNet::begin_with(
    std::string_view agent, const nlohmann::json& options, const SafetensorsFile& weights
) {
    if (agent != "belief" || belief_ == nullptr || options.at("answer") != "value") {
        return false;
    }
    copy_tensors(weights, "belief.", named_of(*belief_));
    const at::NoGradGuard no_grad;
    out_->weight.zero_();
    out_->bias.zero_();
    const auto nearest = (levels_.select(1, 0) - options.at("alpha").get<double>()).abs().argmin();
    out_->bias[nearest.item<std::int64_t>()].fill_(preferred);
    return true;
}

}  // namespace hg::policy

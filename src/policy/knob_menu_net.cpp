// SPDX-License-Identifier: Apache-2.0
#include "policy/knob_menu_net.hpp"

#include "policy/knob_actor.hpp"
#include "policy/knob_net.hpp"
#include "policy/session_tokens.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <vector>

namespace hg::policy {
namespace {

/// Deviations added to the mean.
constexpr std::array alphas{0.0F, 0.25F, 0.5F, 1.0F, 1.5F, 2.0F, 3.0F};
/// Every exploration with every novelty and content; greed first. Also below 0: in short visits doubt and rarity
/// are to be avoided rather than sought (bench/results/served_policy.md).
constexpr std::array explorations{0.0F, -0.3F, 0.5F, 1.0F};
constexpr std::array novelties{0.0F, -0.4F, -0.8F, 0.25F};
constexpr std::array contents{0.0F, 0.3F};
constexpr float preferred = 0.01F;  // above values that are not learned yet

at::Tensor belief_menu() {
    return at::tensor(at::ArrayRef<float>{alphas.data(), alphas.size()}).unsqueeze(1);
}

at::Tensor served_menu() {
    static_assert(n_chosen == 3, "exploration, novelty, content");
    std::vector<float> levels;
    for (const float exploration : explorations) {
        for (const float novelty : novelties) {
            for (const float content : contents) {
                levels.insert(levels.end(), {exploration, novelty, content});
            }
        }
    }
    return at::tensor(levels).view({-1, 3});
}

}  // namespace

KnobMenuNet::KnobMenuNet(const AgentContext& context, const NetworkOptions& options) {
    auto summary_size = static_cast<std::int64_t>(context.world.user_size);
    if (options.head == "knobs") {
        check_served_world(context.world);
        levels_ = served_menu();
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
        };
    }
    const auto tokens = answers_of(in.sessions, length_);
    const auto read = belief_->read(belief_->posterior(tokens), in.items);
    const auto answered = present_of(tokens).sum(1, true) / static_cast<double>(length_);
    return {
        .summary = at::cat({answered, read.summary()}, 1),
        .scores = read.mean.unsqueeze(1) + at::matmul(levels_, read.deviation.unsqueeze(1)),
    };
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
    train::Adam::NamedTensors prior;
    for (const auto& parameter : belief_->named_parameters()) {
        prior.emplace_back(parameter.key(), parameter.value());
    }
    copy_tensors(weights, "belief.", prior);
    const at::NoGradGuard no_grad;
    out_->weight.zero_();
    out_->bias.zero_();
    const auto nearest = (levels_.select(1, 0) - options.at("alpha").get<double>()).abs().argmin();
    out_->bias[nearest.item<std::int64_t>()].fill_(preferred);
    return true;
}

}  // namespace hg::policy

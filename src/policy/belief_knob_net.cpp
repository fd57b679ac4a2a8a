// SPDX-License-Identifier: Apache-2.0
#include "policy/belief_knob_net.hpp"

#include "policy/session_tokens.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <string>
#include <utility>

namespace hg::policy {
namespace {

constexpr std::array channels{Answer::value, Answer::rating};
constexpr auto n_channels = static_cast<std::int64_t>(channels.size());
constexpr double sharpness = 4;  // scores of answers near 1 as logits

}  // namespace

BeliefKnobNet::BeliefKnobNet(const AgentContext& context, std::int64_t hidden)
    : length_(
          static_cast<std::int64_t>(context.session_size / SessionTokens::token_size(context.world))
      ) {
    for (std::size_t c = 0; c < channels.size(); ++c) {
        filters_.push_back(register_module(
            "belief" + std::to_string(c),
            std::make_shared<BeliefFilterNet>(
                static_cast<std::int64_t>(context.world.item_size), channels[c]
            )
        ));
    }
    constexpr auto summary_size = 1 + n_channels * BeliefFilterNet::Readout::summary_size;
    knob_hidden = register_module("knob_hidden", torch::nn::Linear(summary_size, hidden));
    knob_out = register_module("knob_out", torch::nn::Linear(hidden, 2 * n_channels));
    const at::NoGradGuard no_grad;
    knob_out->weight.mul_(0.1);
    knob_out->bias.zero_();
}

BeliefKnobNet::Seen BeliefKnobNet::look(const NetInput& in) const {
    const at::NoGradGuard no_grad;
    const auto tokens = answers_of(in.sessions, length_);
    Seen seen;
    std::vector<at::Tensor> parts{present_of(tokens).sum(1, true) / static_cast<double>(length_)};
    for (const auto& filter : filters_) {
        auto read = filter->read(filter->posterior(tokens), in.items);
        parts.push_back(read.summary());
        seen.channels.push_back(std::move(read));
    }
    seen.summary = at::cat(parts, 1);
    return seen;
}

at::Tensor BeliefKnobNet::hidden(const at::Tensor& summary) {
    return knob_hidden->forward(summary).tanh();
}

BeliefKnobNet::Knobs BeliefKnobNet::knobs(const at::Tensor& hidden) {
    const auto out = knob_out->forward(hidden);
    return {
        .weight = sharpness * (1 + out.narrow(1, 0, n_channels)),
        .alpha = sharpness * out.narrow(1, n_channels, n_channels),
    };
}

bool BeliefKnobNet::begin_with(
    std::string_view agent, const nlohmann::json& options, const SafetensorsFile& weights
) {
    if (agent != "belief") {
        return false;
    }
    const std::size_t channel = options.at("answer") == "value" ? 0 : 1;
    copy_tensors(weights, "belief.", named_of(*filters_[channel]));
    const at::NoGradGuard no_grad;
    knob_out->weight.zero_();
    const auto weight = knob_out->bias.narrow(0, 0, n_channels);
    const auto alpha = knob_out->bias.narrow(0, n_channels, n_channels);
    const auto place = static_cast<std::int64_t>(channel);
    weight.fill_(-1);  // w = 0
    weight[place].fill_(0);
    alpha.zero_();
    alpha[place].fill_(options.at("alpha").get<double>());
    return true;
}

at::Tensor BeliefKnobNet::scores(const Seen& seen, const Knobs& knobs) {
    at::Tensor sum;
    for (std::int64_t c = 0; c < n_channels; ++c) {
        const auto& channel = seen.channels[static_cast<std::size_t>(c)];
        const auto part = knobs.weight.narrow(1, c, 1) * channel.mean +
                          knobs.alpha.narrow(1, c, 1) * channel.deviation;
        sum = sum.defined() ? sum + part : part;
    }
    return sum;
}

at::Tensor BeliefKnobNet::next_answer_loss(const at::Tensor& sessions) const {
    const auto tokens = answers_of(sessions, length_);
    at::Tensor sum;
    for (const auto& filter : filters_) {
        const auto loss = filter->next_answer_loss(tokens);
        sum = sum.defined() ? sum + loss : loss;
    }
    return sum;
}

}  // namespace hg::policy

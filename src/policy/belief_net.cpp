// SPDX-License-Identifier: Apache-2.0
#include "policy/belief_net.hpp"

#include "policy/knob_net.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace hg::policy {
namespace {

constexpr std::array channels{Answer::value, Answer::rating};
constexpr std::int64_t features_per_channel = 5;
constexpr double sharpness = 4;          // scores of answers near 1 as logits
constexpr std::int64_t most_rows = 512;  // about so many of a minibatch teach the filters

std::int64_t summary_size() {
    return 1 + static_cast<std::int64_t>(channels.size()) * features_per_channel;
}

}  // namespace

BeliefNet::BeliefNet(const AgentContext& context, const NetworkOptions& options)
    : AgentNet(context, options),
      length_(
          static_cast<std::int64_t>(context.session_size / SessionTokens::token_size(context.world))
      ),
      token_(static_cast<std::int64_t>(SessionTokens::token_size(context.world))) {
    for (std::size_t c = 0; c < channels.size(); ++c) {
        filters_.push_back(register_module(
            "belief" + std::to_string(c),
            std::make_shared<BeliefFilterNet>(
                static_cast<std::int64_t>(context.world.item_size), channels[c]
            )
        ));
    }
    const auto n_channels = static_cast<std::int64_t>(channels.size());
    knob_hidden = register_module("knob_hidden", torch::nn::Linear(summary_size(), options.hidden));
    knob_out = register_module("knob_out", torch::nn::Linear(options.hidden, 2 * n_channels));
    belief_value = register_module("belief_value", torch::nn::Linear(options.hidden, 1));
    const at::NoGradGuard no_grad;
    knob_out->weight.mul_(0.1);
    knob_out->bias.zero_();
    belief_value->weight.mul_(0.1);
}

at::Tensor BeliefNet::tokens_of(const NetInput& in) const {
    return in.sessions.view({in.sessions.size(0), length_, token_});
}

BeliefNet::Seen BeliefNet::look(const NetInput& in) const {
    const at::NoGradGuard no_grad;
    const auto tokens = tokens_of(in);
    Seen seen;
    std::vector<at::Tensor> parts{
        tokens.select(2, token_ - 1).sum(1, true) / static_cast<double>(length_)
    };
    for (const auto& filter : filters_) {
        auto read = filter->read(filter->posterior(tokens), in.items);
        const auto [best, place] = read.mean.max(1, true);
        parts.insert(
            parts.end(),
            {best,
             read.mean.mean(1, true),
             read.mean.std(1, /*unbiased=*/false, /*keepdim=*/true),
             read.deviation.mean(1, true),
             read.deviation.gather(1, place)}
        );
        seen.channels.push_back(std::move(read));
    }
    seen.summary = at::cat(parts, 1);
    return seen;
}

BeliefNet::Knobs BeliefNet::knobs(const at::Tensor& summary) {
    const auto out = knob_out->forward(knob_hidden->forward(summary).tanh());
    const auto n = static_cast<std::int64_t>(channels.size());
    return {
        .weight = sharpness * (1 + out.narrow(1, 0, n)),
        .alpha = sharpness * out.narrow(1, n, n),
    };
}

AgentNet::Output BeliefNet::forward(const NetInput& in) {
    auto out = AgentNet::forward(in);
    const auto seen = look(in);
    const auto knob = knobs(seen.summary);
    for (std::size_t c = 0; c < seen.channels.size(); ++c) {
        const auto at = static_cast<std::int64_t>(c);
        out.scores = out.scores + knob.weight.narrow(1, at, 1) * seen.channels[c].mean +
                     knob.alpha.narrow(1, at, 1) * seen.channels[c].deviation;
    }
    out.value =
        out.value + belief_value->forward(knob_hidden->forward(seen.summary).tanh()).squeeze(1);
    auxiliary_ = AgentNet::auxiliary_loss();
    if (at::GradMode::is_enabled()) {
        const auto n = in.sessions.size(0);
        const auto tokens = tokens_of(in).slice(0, 0, n, std::max<std::int64_t>(1, n / most_rows));
        for (const auto& filter : filters_) {
            const auto loss = filter->next_answer_loss(tokens);
            auxiliary_ = auxiliary_.defined() ? auxiliary_ + loss : loss;
        }
    }
    return out;
}

std::shared_ptr<AgentNet> make_agent_net(
    const AgentContext& context, const NetworkOptions& options
) {
    if (options.head == "belief") {
        return std::make_shared<BeliefNet>(context, options);
    }
    if (options.head == "knobs") {
        return std::make_shared<KnobNet>(context, options);
    }
    return std::make_shared<AgentNet>(context, options);
}

}  // namespace hg::policy

// SPDX-License-Identifier: Apache-2.0
#include "policy/meta/inner_loop_net.hpp"

#include <torch/autograd.h>

namespace hg::policy {
namespace {

std::size_t first_adapted(const Weights& weights, Adapted adapted) {
    return adapted == Adapted::head ? weights.size() - head_size : 0;
}

}  // namespace

Weights repeat(const Weights& weights, std::int64_t n_tasks) {
    Weights repeated;
    for (const auto& w : weights) {
        auto shape = w.sizes().vec();
        shape.insert(shape.begin(), n_tasks);
        repeated.push_back(w.unsqueeze(0).expand(shape));
    }
    return repeated;
}

at::Tensor support_loss(const Weights& weights, const EventTensors& support, SupportLoss loss) {
    const auto predicted = forward(weights, support.inputs).squeeze(-1);
    const auto error = (predicted - support.targets) * support.mask;
    const auto sum = error.square().sum(1) / 2;
    return loss == SupportLoss::sum ? sum : sum / support.mask.sum(1).clamp_min(1);
}

Weights adapt_weights(
    const Weights& theta, const EventTensors& support, const InnerLoop& inner, const Weights& rates
) {
    const auto first = first_adapted(theta, inner.adapted);
    const auto n_tasks = support.inputs.size(0);
    const auto begin = theta.begin() + static_cast<std::ptrdiff_t>(first);
    auto moving = repeat({begin, theta.end()}, n_tasks);
    Weights all{theta.begin(), begin};
    all.insert(all.end(), moving.begin(), moving.end());
    const bool keeps_graph = inner.order == Order::second;
    for (std::int64_t step = 0; step < inner.steps; ++step) {
        const auto loss = support_loss(all, support, inner.loss).sum();
        // Tasks do not share weights here, so the gradient of the sum is each task's own.
        const auto gradients = torch::autograd::grad({loss}, moving, {}, keeps_graph, keeps_graph);
        for (std::size_t i = 0; i < moving.size(); ++i) {
            moving[i] = rates.empty() ? moving[i] - inner.rate * gradients[i]
                                      : moving[i] - rates[i] * gradients[i];
            all[first + i] = moving[i];
        }
    }
    return all;
}

void move_towards(const Weights& theta, const Weights& adapted, double rate) {
    const at::NoGradGuard no_grad;
    for (std::size_t i = 0; i < theta.size(); ++i) {
        auto target = theta[i];
        target.add_(adapted[i].mean(0) - theta[i], rate);
    }
}

}  // namespace hg::policy

// SPDX-License-Identifier: Apache-2.0
#include "train/adam.hpp"

#include <torch/nn/module.h>
#include <torch/types.h>

#include <algorithm>

namespace hg::train {

Adam::Adam(const NamedTensors& parameters, AdamOptions options)
    : options_(options), parameters_(parameters) {
    for (const auto& [name, tensor] : parameters_) {
        first_.emplace_back(name, at::zeros_like(tensor));
        second_.emplace_back(name, at::zeros_like(tensor));
    }
}

Adam::~Adam() = default;

void Adam::zero_gradients() {
    for (auto& [name, tensor] : parameters_) {
        tensor.mutable_grad().reset();
    }
}

void Adam::descend(const at::Tensor& loss, std::int64_t step) {
    zero_gradients();
    loss.backward();
    this->step(step);
}

void Adam::step(std::int64_t step) {
    const at::NoGradGuard no_grad;
    clip();
    double rate = rate_share_ * options_.learning_rate;
    if (step < options_.warmup_steps) {
        rate *= static_cast<double>(step) / static_cast<double>(options_.warmup_steps);
    }
    const auto count = at::scalar_tensor(static_cast<double>(step), at::kFloat);
    for (const bool is_matrix : {true, false}) {
        std::vector<at::Tensor> values;
        std::vector<at::Tensor> gradients;
        std::vector<at::Tensor> first;
        std::vector<at::Tensor> second;
        std::vector<at::Tensor> steps;
        for (std::size_t i = 0; i < parameters_.size(); ++i) {
            const auto& value = parameters_[i].second;
            if ((value.dim() >= 2) != is_matrix || !value.grad().defined()) {
                continue;
            }
            values.push_back(value);
            gradients.push_back(value.grad());
            first.push_back(first_[i].second);
            second.push_back(second_[i].second);
            steps.push_back(count.to(value.device()));
        }
        if (values.empty()) {
            continue;
        }
        at::_fused_adamw_(
            values,
            gradients,
            first,
            second,
            {},
            steps,
            rate,
            options_.beta1,
            options_.beta2,
            is_matrix ? options_.weight_decay : 0.0,
            options_.epsilon,
            /*amsgrad=*/false,
            /*maximize=*/false
        );
    }
}

void Adam::clip() {
    if (options_.clip_norm <= 0) {
        return;
    }
    double squares = 0;
    for (const auto& [name, tensor] : parameters_) {
        if (tensor.grad().defined()) {
            squares += tensor.grad().square().sum().item<double>();
        }
    }
    const double scale = options_.clip_norm / (std::sqrt(squares) + 1e-12);
    if (scale >= 1) {
        return;
    }
    for (auto& [name, tensor] : parameters_) {
        if (tensor.grad().defined()) {
            tensor.mutable_grad().mul_(scale);
        }
    }
}

Adam::NamedTensors named_of(const torch::nn::Module& module, std::string_view prefix) {
    Adam::NamedTensors all;
    for (const auto& parameter : module.named_parameters()) {
        if (parameter.key().starts_with(prefix)) {
            all.emplace_back(parameter.key(), parameter.value());
        }
    }
    return all;
}

}  // namespace hg::train

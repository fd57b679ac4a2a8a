// SPDX-License-Identifier: Apache-2.0
#include "train/models/sequence_tokens.hpp"

#include "train/tensor_io.hpp"

#include <torch/types.h>
#include <torch/utils.h>

namespace hg::train {

Tokens tokens_of(const data::History& history) {
    Tokens tokens;
    for (std::size_t i = 0; i < history.size(); ++i) {
        if (history.weight(i) > 0) {
            tokens.push_back(1 + static_cast<std::int64_t>(history.items[i].value));
        }
    }
    return tokens;
}

Tokens with_start(Tokens items, std::int64_t max_length) {
    const auto most = static_cast<std::size_t>(max_length);
    if (items.size() < most) {
        items.insert(items.begin(), 0);
    } else {
        items.erase(items.begin(), items.end() - static_cast<std::ptrdiff_t>(most));
    }
    return items;
}

at::Tensor unit_rows(MatrixView<const float> content) {
    const auto rows = to_tensor(content);
    return rows / rows.norm(2, {1}, true).clamp_min(1e-12);
}

at::Tensor for_logits(const at::Tensor& rows, double temperature) {
    return temperature > 0 ? rows / rows.norm(2, {1}, true).clamp_min(1e-6) : rows;
}

at::Tensor state_for_logits(const at::Tensor& states, double temperature) {
    return temperature > 0 ? for_logits(states, temperature) / temperature : states;
}

at::Tensor last_states(
    SequenceNet& net, const at::Tensor& tokens, std::span<const Tokens> sequences
) {
    const TokenBatch batch{sequences};
    const auto states = net.states(tokens, batch);
    std::vector<std::int64_t> last;
    for (const auto& s : sequences) {
        last.push_back(static_cast<std::int64_t>(s.size()) - 1);
    }
    const auto rows = at::arange(static_cast<std::int64_t>(sequences.size()), at::kLong);
    const auto flat =
        rows * batch.longest + torch::tensor(at::ArrayRef<std::int64_t>{last}, at::kLong);
    return states.flatten(0, 1).index_select(0, flat.to(states.device()));
}

}  // namespace hg::train

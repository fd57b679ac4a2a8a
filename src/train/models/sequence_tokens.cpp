// SPDX-License-Identifier: Apache-2.0
#include "train/models/sequence_tokens.hpp"

#include "encode/tensor_io.hpp"

#include <torch/types.h>

#include <algorithm>
#include <numeric>

namespace hg::train {
namespace {

/// Whether a pass of so many shorter sequences takes in `next` as well. What a pass works on should
/// stay in a core's cache (docs/decisions/0012-no-micro-batches.md).
bool fits(std::size_t shorter, const Tokens& next, const at::Tensor& tokens) {
    const std::size_t most = tokens.device().is_cpu() ? 512 : 65'536;
    return shorter == 0 || (shorter + 1) * next.size() <= most;
}

at::Tensor one_pass(SequenceNet& net, const at::Tensor& tokens, std::span<const Tokens> sequences) {
    const TokenBatch batch{sequences};
    std::vector<std::int64_t> last;
    for (std::size_t row = 0; row < sequences.size(); ++row) {
        last.push_back(
            static_cast<std::int64_t>(row) * batch.longest +
            static_cast<std::int64_t>(sequences[row].size()) - 1
        );
    }
    const auto states = net.states(tokens, batch).flatten(0, 1);
    return states.index_select(0, encode::index_tensor(last).to(states.device()));
}

}  // namespace

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
    const auto rows = encode::to_tensor(content);
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
    std::vector<std::size_t> order(sequences.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {}, [&](std::size_t i) { return sequences[i].size(); });
    const auto n = static_cast<std::int64_t>(order.size());
    auto out = at::empty({n, tokens.size(1)}, tokens.options());
    for (std::size_t first = 0; first < order.size();) {
        std::vector<Tokens> part;
        std::vector<std::int64_t> rows;
        for (auto i = first; i < order.size() && fits(part.size(), sequences[order[i]], tokens);
             ++i) {
            part.push_back(sequences[order[i]]);
            rows.push_back(static_cast<std::int64_t>(order[i]));
        }
        first += part.size();
        out.index_copy_(
            0, encode::index_tensor(rows).to(out.device()), one_pass(net, tokens, part)
        );
    }
    return out;
}

}  // namespace hg::train

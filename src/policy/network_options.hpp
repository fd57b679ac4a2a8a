// SPDX-License-Identifier: Apache-2.0
// NetworkOptions: what all agents with a network share.
#pragma once

#include "core/options.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace hg::policy {

/// Of encoder = bert.
struct BertStateOptions {
    std::string model = ".cache/models/all-MiniLM-L6-v2";
    std::int64_t tuned_layers = 0;
    std::int64_t max_tokens = 64;
    std::int64_t memory_mb = 256;

    static void describe(OptionBinder& bind, BertStateOptions& o);
};

/// Of encoder = transformer.
struct TransformerStateOptions {
    std::int64_t layers = 1;
    std::int64_t heads = 1;

    static void describe(OptionBinder& bind, TransformerStateOptions& o);
};

struct NetworkOptions {
    std::string encoder = "mlp";
    std::string head = "dot";
    std::int64_t session_length = 16;
    BertStateOptions bert;
    TransformerStateOptions transformer;
    std::int64_t hidden = 64;
    bool products = false;
    std::int64_t item_embedding = 0;
    double learning_rate = 1e-3;
    double final_rate_share = 0.05;
    double discount = 0.99;
    double clip_norm = 1;

    static void describe(OptionBinder& bind, NetworkOptions& o);
    /// Those of the optimiser and of the return alone.
    static void describe_learning(OptionBinder& bind, NetworkOptions& o);

    /// Of the learning rate, when this share of the steps is done: falls linearly.
    [[nodiscard]] double rate_share(double progress) const noexcept {
        return 1 - (1 - final_rate_share) * progress;
    }

    /// Tokens of the session the encoder or the head reads; 0 where neither reads any.
    [[nodiscard]] std::size_t tokens() const;
};

/// For AgentEntry::session_length.
template <typename Options>
[[nodiscard]] std::size_t session_tokens_of(const Settings& settings) {
    return settings.read<Options>().network.tokens();
}

/// For AgentEntry::outlives_items: knobs weigh numbers that mean the same in every catalogue.
template <typename Options>
[[nodiscard]] bool outlives_items(const Settings& settings) {
    return settings.read<Options>().network.head == "knobs";
}

}  // namespace hg::policy

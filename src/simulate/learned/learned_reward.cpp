// SPDX-License-Identifier: Apache-2.0
#include "simulate/learned/learned_reward.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace hg::simulate {

std::string_view to_string(RewardKind kind) noexcept {
    constexpr std::array<std::string_view, 3> names{"features", "rnn", "vae"};
    return names[static_cast<std::size_t>(kind)];
}

RewardKind parse_reward_kind(std::string_view word) {
    for (const auto kind : {RewardKind::features, RewardKind::rnn, RewardKind::vae}) {
        if (to_string(kind) == word) {
            return kind;
        }
    }
    throw Error{
        ErrorCode::invalid_argument,
        fmt::format("unknown learned reward \"{}\"", word),
        "choose features, rnn or vae"
    };
}

double LearnedReward::step(std::span<const float> row, std::span<float> state) const {
    std::vector<float> work;
    std::array<float, 1> scaled{};
    if (kind == RewardKind::rnn) {
        gru.step(row, state, work);
        head.apply(state, scaled);
    } else if (kind == RewardKind::vae) {
        std::vector<float> hidden(encoder.bias.size());
        std::vector<float> mean_code(code.bias.size());
        encoder.apply(row, hidden);
        for (float& v : hidden) {
            v = std::tanh(v);
        }
        code.apply(hidden, mean_code);
        head.apply(mean_code, scaled);
    } else {
        head.apply(row, scaled);
    }
    return static_cast<double>(mean + sd * scaled[0]);
}

LearnedReward load_learned_reward(
    const SafetensorsFile& file, RewardKind kind, std::size_t row_size
) {
    const auto prefix = fmt::format("reward.{}.", to_string(kind));
    if (!file.contains(prefix + "head.weight")) {
        throw Error{
            ErrorCode::not_found,
            fmt::format("the world has no learned reward \"{}\"", to_string(kind)),
            fmt::format(
                "fit it from a log with rewards: simulate fit --set reward_models=[\"{}\"]",
                to_string(kind)
            )
        };
    }
    LearnedReward reward;
    reward.kind = kind;
    const auto head = value_or_throw(file.matrix<float>(prefix + "head.weight")).cols();
    reward.head = load_dense(file, prefix + "head", head, 1);
    const auto scale = value_or_throw(file.values<float>(prefix + "scale"));
    if (scale.size() != 2 || (kind == RewardKind::features && head != row_size)) {
        throw Error{ErrorCode::corrupt, prefix + "scale: sizes do not fit", "fit the world again"};
    }
    reward.mean = scale[0];
    reward.sd = scale[1];
    if (kind == RewardKind::rnn) {
        reward.gru.input = load_dense(file, prefix + "gru.input", row_size, 3 * head);
        reward.gru.state = load_dense(file, prefix + "gru.state", head, 3 * head);
    }
    if (kind == RewardKind::vae) {
        const auto hidden = value_or_throw(file.values<float>(prefix + "encoder.bias")).size();
        reward.encoder = load_dense(file, prefix + "encoder", row_size, hidden);
        reward.code = load_dense(file, prefix + "code", hidden, head);
    }
    return reward;
}

}  // namespace hg::simulate

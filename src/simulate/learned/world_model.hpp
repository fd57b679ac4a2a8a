// SPDX-License-Identifier: Apache-2.0
// WorldModel: a fitted world at rest: the ensemble, and where episodes may start. What a run of
// `honeyguide simulate fit` holds. Immutable once loaded; shared by all worlds opened from it.
//
//   const auto model = load_world("runs/world").model;  // throws Error
#pragma once

#include "core/matrix.hpp"
#include "simulate/item_texts.hpp"
#include "simulate/learned/feedback_table.hpp"
#include "simulate/learned/learned_reward.hpp"
#include "simulate/learned/member.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace hg::simulate {

/// What the manifest says under "world".
struct WorldFacts {
    FeedbackFacts feedback;
    MemberShape shape;
    std::int64_t n_members = 0;
    bool single_click = false;
    bool moves_only_by_clicks = false;  // user numbers rest while nothing is clicked
    double mean_steps = 1;              // of a session, or of an episode where there are none
    std::int64_t step_limit = 20;       // the longest session
    std::int64_t n_candidates = 10;     // offered in the log; the default for a dataset
    std::int64_t n_items = 0;           // 0 = items are fresh every time
    double decay = 0.9;                 // of HistoryProfile; dataset only
    double value_mean = 0;
    double value_sd = 0;  // 0 = clicks have no value, or always the same
    double value_low = 0;
    double value_high = 1;
    bool has_values = false;
    bool has_whole_values = false;  // 1, 2, 3, ...: answers are rounded
    double reward_base = 0;         // reward = base + click * clicks + value * sum of values
    double reward_click = 1;
    double reward_value = 0;
    double reward_purchase = 0;       // + purchase * purchases
    std::optional<double> reward_r2;  // how well that explains the logged rewards
};

[[nodiscard]] nlohmann::json to_json(const WorldFacts& facts);
/// Throws Error{corrupt}.
[[nodiscard]] WorldFacts parse_world_facts(const nlohmann::json& json);

/// Where an episode may start.
struct WorldStarts {
    Matrix<float> users;                       // [n_starts, user_size], raw
    std::vector<std::uint32_t> candidate_set;  // of each start; log only
    std::vector<std::size_t> history_offsets;  // dataset only: consumed before the start,
    std::vector<std::uint32_t> history_items;  // oldest first
    std::vector<float> history_values;         // scaled
    std::vector<std::uint8_t> history_purchased;
};

/// Hours until a user comes back: exp(weights . scaled numbers + residual).
struct ReturnModel {
    std::vector<float> weights;    // [user_size + 1], the last is the constant; empty = unknown
    std::vector<float> residuals;  // sorted
};

struct WorldModel {
    WorldFacts facts;
    Scaling items;
    Scaling users;
    std::vector<float> user_low;  // of the numbers seen, by column
    std::vector<float> user_high;
    Matrix<float> item_rows;  // raw
    std::vector<std::uint32_t> item_ids;
    std::vector<std::string> item_texts;   // names; empty = none
    std::vector<float> item_bits;          // self-information: -log2 of the share of clicks
    std::vector<float> item_sampling;      // dataset: chance of being drawn as a candidate
    Matrix<std::uint32_t> candidate_sets;  // [n_sets, n_candidates] rows of items; log only
    Matrix<std::uint32_t> logged_slates;   // [n_sets, slate_size] what was shown of each set
    WorldStarts starts;
    ReturnModel returns;
    std::vector<Member> members;
    std::vector<LearnedReward> rewards;  // those it was fitted with

    // Made by prepare():
    Matrix<float> scaled_items;
    std::vector<Matrix<float>> item_vectors;  // by member
    std::vector<Matrix<float>> start_states;  // by member, [n_starts, gru]; empty for features
    std::vector<double> sampling_sums;        // cumulative item_sampling
    std::shared_ptr<const ItemTexts> texts;   // of item_texts, by the items' numbers; null = none
    std::vector<std::uint8_t> is_tail;        // 1 = not among the fifth that is clicked most
};

/// Everything but the members' tensors, which fit_members has added.
void save_world_model(const WorldModel& model, SafetensorsWriter& weights);

struct LoadedWorld {
    std::string name;  // of the folder
    nlohmann::json manifest;
    std::shared_ptr<const WorldModel> model;
};

/// Throws Error: what is missing, damaged, or a run but no world.
[[nodiscard]] LoadedWorld load_world(const std::filesystem::path& folder);

}  // namespace hg::simulate

// SPDX-License-Identifier: Apache-2.0
#include "simulate/learned/world_model.hpp"

#include "core/file.hpp"
#include "core/folder_name.hpp"
#include "core/run_files.hpp"
#include "core/sealed_json.hpp"
#include "simulate/learned/session_features.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace hg::simulate {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t warm_up_events = 64;  // a GRU has forgotten what is older

/// Calls visit(key, field) for every field of the facts, to write and to read them alike.
template <typename Facts, typename Visit>
void each_field(Facts& f, const Visit& visit) {
    visit("source", f.feedback.source);
    visit("data_name", f.feedback.data_name);
    visit("data_hash", f.feedback.data_hash);
    visit("feedback_slots", f.feedback.slate_size);
    visit("has_positions", f.feedback.has_positions);
    visit("has_fresh_items", f.feedback.has_fresh_items);
    visit("has_propensities", f.feedback.has_propensities);
    visit("has_sessions", f.feedback.has_sessions);
    visit("has_gaps", f.feedback.has_gaps);
    visit("has_repeats", f.feedback.has_repeats);
    visit("has_session_repeats", f.feedback.has_session_repeats);
    visit("has_rewards", f.feedback.has_rewards);
    visit("has_dynamics", f.feedback.has_dynamics);
    visit("is_clicks_only", f.feedback.is_clicks_only);
    visit("negatives_per_event", f.feedback.negatives_per_event);
    visit("value_centre", f.feedback.value_centre);
    visit("value_name", f.feedback.value_name);
    visit("user_size", f.shape.user_size);
    visit("item_size", f.shape.item_size);
    visit("slate_size", f.shape.slate_size);
    visit("rank", f.shape.rank);
    visit("hidden", f.shape.hidden);
    visit("gru", f.shape.gru);
    visit("n_members", f.n_members);
    visit("single_click", f.single_click);
    visit("moves_only_by_clicks", f.moves_only_by_clicks);
    visit("mean_steps", f.mean_steps);
    visit("step_limit", f.step_limit);
    visit("n_candidates", f.n_candidates);
    visit("n_items", f.n_items);
    visit("decay", f.decay);
    visit("has_values", f.has_values);
    visit("has_whole_values", f.has_whole_values);
    visit("value_mean", f.value_mean);
    visit("value_sd", f.value_sd);
    visit("value_low", f.value_low);
    visit("value_high", f.value_high);
    visit("reward_base", f.reward_base);
    visit("reward_click", f.reward_click);
    visit("reward_value", f.reward_value);
}

/// Fields that worlds fitted by an earlier version do not have; absent = the default.
template <typename Facts, typename Visit>
void each_later_field(Facts& f, const Visit& visit) {
    visit("session_rule", f.feedback.session_rule);
    visit("has_purchases", f.feedback.has_purchases);
    visit("click_weight", f.feedback.click_weight);
    visit("purchase_weight", f.feedback.purchase_weight);
    visit("reward_purchase", f.reward_purchase);
}

[[noreturn]] void corrupt(const fs::path& path, std::string_view what) {
    throw Error{
        ErrorCode::corrupt,
        fmt::format("{}: {}", path.string(), what),
        "the world is damaged: fit it again, or restore the folder from a copy"
    };
}

nlohmann::json read_manifest(const fs::path& folder) {
    std::error_code ignored;
    const auto path = folder / "manifest.json";
    if (!fs::exists(path, ignored)) {
        throw Error{
            ErrorCode::not_found,
            fmt::format(
                "{}: no world of that name and no folder with a manifest.json", folder.string()
            ),
            "make one: honeyguide simulate fit --data DIR --out RUN"
        };
    }
    auto manifest = nlohmann::json::parse(value_or_throw(read_file(path)), nullptr, false);
    if (!manifest.is_object()) {
        corrupt(path, "not a JSON object");
    }
    if (manifest.value("kind", "") != "world") {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("{}: a run, but not one of a world", folder.string()),
            "give a folder written by honeyguide simulate fit"
        };
    }
    if (manifest.value("format_version", 0) != 1 || !manifest.contains("world") ||
        !manifest.contains("files")) {
        corrupt(path, "format_version, world or files is missing or of another version");
    }
    if (has_broken_seal(manifest)) {
        corrupt(path, "its content differs from its seal");
    }
    return manifest;
}

template <typename T>
std::vector<T> vector_of(const SafetensorsFile& file, const std::string& name) {
    const auto values = value_or_throw(file.values<T>(name));
    return {values.begin(), values.end()};
}

template <typename T>
Matrix<T> matrix_of(const SafetensorsFile& file, const std::string& name) {
    const auto view = value_or_throw(file.matrix<T>(name));
    return {view.rows(), view.cols(), {view.data(), view.data() + view.rows() * view.cols()}};
}

template <typename T>
void add_vector(SafetensorsWriter& writer, const std::string& name, const std::vector<T>& values) {
    writer.add(name, std::span<const T>{values});
}

std::vector<std::uint64_t> widened(const std::vector<std::size_t>& values) {
    return {values.begin(), values.end()};
}

/// The GRU's state after each start's history.
Matrix<float> warm_states(const WorldModel& model, const Member& member) {
    const auto& starts = model.starts;
    const auto& shape = model.facts.shape;
    Matrix<float> states(starts.users.rows(), shape.gru);
    if (starts.history_offsets.empty()) {
        return states;
    }
    std::vector<float> token(shape.token_size());
    std::vector<float> work;
    for (std::size_t s = 0; s < states.rows(); ++s) {
        const auto end = starts.history_offsets[s + 1];
        const auto begin =
            std::max(starts.history_offsets[s], end > warm_up_events ? end - warm_up_events : 0);
        for (auto i = begin; i < end; ++i) {
            const ShownItem event{
                model.scaled_items.row(starts.history_items[i]),
                true,
                starts.history_purchased[i] != 0,
                starts.history_values[i]
            };
            write_token(shape, {&event, 1}, token);
            member.gru.step(token, states.row(s), work);
        }
    }
    return states;
}

void check_model(const WorldModel& m) {
    const auto check = [](bool is_fine, std::string_view what) {
        if (!is_fine) {
            corrupt("weights.safetensors", what);
        }
    };
    const auto& shape = m.facts.shape;
    check(m.starts.users.cols() == shape.user_size && m.starts.users.rows() > 0, "no starts");
    check(m.item_rows.cols() == shape.item_size && m.item_rows.rows() > 0, "no items");
    check(
        m.item_ids.size() == m.item_rows.rows() && m.item_bits.size() == m.item_rows.rows(),
        "items without ids"
    );
    check(m.item_texts.empty() || m.item_texts.size() == m.item_rows.rows(), "texts without items");
    check(
        m.users.mean.size() == shape.user_size && m.items.mean.size() == shape.item_size,
        "scaling does not fit"
    );
    check(
        m.user_low.size() == shape.user_size && m.user_high.size() == shape.user_size,
        "bounds do not fit"
    );
    const auto in_rows = [&](std::uint32_t row) { return row < m.item_rows.rows(); };
    check(std::ranges::all_of(m.candidate_sets.values(), in_rows), "candidates out of range");
    check(std::ranges::all_of(m.starts.history_items, in_rows), "histories out of range");
    if (m.facts.feedback.is_clicks_only) {
        check(m.item_sampling.size() == m.item_rows.rows(), "no chances of items");
        check(
            m.starts.history_offsets.size() == m.starts.users.rows() + 1 &&
                m.starts.history_offsets.back() <= m.starts.history_items.size() &&
                m.starts.history_items.size() == m.starts.history_purchased.size() &&
                m.starts.history_items.size() == m.starts.history_values.size(),
            "histories do not fit"
        );
    } else {
        check(
            m.logged_slates.rows() == m.candidate_sets.rows() && m.candidate_sets.rows() > 0 &&
                m.starts.candidate_set.size() == m.starts.users.rows(),
            "no candidates"
        );
    }
}

void prepare(WorldModel& model) {
    const auto& shape = model.facts.shape;
    model.scaled_items = Matrix<float>(model.item_rows.rows(), shape.item_size);
    for (std::size_t i = 0; i < model.item_rows.rows(); ++i) {
        model.items.apply(model.item_rows.row(i), model.scaled_items.row(i));
    }
    for (const auto& member : model.members) {
        model.item_vectors.push_back(item_vectors(member, shape, model.scaled_items.view()));
        model.start_states.push_back(
            member.family == Family::sequence ? warm_states(model, member) : Matrix<float>{}
        );
    }
    if (!model.item_texts.empty()) {
        model.texts = std::make_shared<const ItemTexts>(model.item_rows.view(), model.item_texts);
    }
    auto sorted = model.item_bits;
    std::ranges::sort(sorted);
    const float head = sorted.at(sorted.size() / 5);
    for (const float bits : model.item_bits) {
        model.is_tail.push_back(bits > head ? 1 : 0);
    }
    double sum = 0;
    for (const float chance : model.item_sampling) {
        sum += static_cast<double>(chance);
        model.sampling_sums.push_back(sum);
    }
}

}  // namespace

nlohmann::json to_json(const WorldFacts& facts) {
    nlohmann::json json;
    const auto write = [&](const char* key, const auto& field) { json[key] = field; };
    each_field(facts, write);
    each_later_field(facts, write);
    json["reward_r2"] = facts.reward_r2 ? nlohmann::json(*facts.reward_r2) : nlohmann::json{};
    return json;
}

WorldFacts parse_world_facts(const nlohmann::json& json) {
    WorldFacts facts;
    try {
        each_field(facts, [&](const char* key, auto& field) { json.at(key).get_to(field); });
        each_later_field(facts, [&](const char* key, auto& field) {
            field = json.value(key, field);
        });
        if (json.contains("reward_r2") && json["reward_r2"].is_number()) {
            facts.reward_r2 = json["reward_r2"].get<double>();
        }
    } catch (const nlohmann::json::exception& error) {
        corrupt("manifest.json", fmt::format("world: {}", error.what()));
    }
    constexpr std::size_t most = 1U << 20U;
    const auto& s = facts.shape;
    if (std::max({s.user_size, s.item_size, s.slate_size, s.rank, s.hidden, s.gru}) > most ||
        s.slate_size == 0 || facts.n_members < 1 || facts.step_limit < 1 ||
        facts.n_candidates < 1) {
        corrupt("manifest.json", "world: sizes out of range");
    }
    facts.shape.has_dynamics = facts.feedback.has_dynamics;
    facts.shape.has_purchases = facts.feedback.has_purchases;
    return facts;
}

void save_world_model(const WorldModel& m, SafetensorsWriter& w) {
    add_vector(w, "items.mean", m.items.mean);
    add_vector(w, "items.inverse_sd", m.items.inverse_sd);
    add_vector(w, "users.mean", m.users.mean);
    add_vector(w, "users.inverse_sd", m.users.inverse_sd);
    add_vector(w, "users.low", m.user_low);
    add_vector(w, "users.high", m.user_high);
    w.add("item_rows", m.item_rows.view());
    add_vector(w, "item_ids", std::vector<std::int64_t>(m.item_ids.begin(), m.item_ids.end()));
    if (!m.item_texts.empty()) {
        w.add_strings("item_texts", m.item_texts);
    }
    add_vector(w, "item_bits", m.item_bits);
    add_vector(w, "item_sampling", m.item_sampling);
    w.add("candidate_sets", m.candidate_sets.view());
    w.add("logged_slates", m.logged_slates.view());
    w.add("starts.users", m.starts.users.view());
    add_vector(w, "starts.candidate_set", m.starts.candidate_set);
    add_vector(w, "starts.history_offsets", widened(m.starts.history_offsets));
    add_vector(w, "starts.history_items", m.starts.history_items);
    add_vector(w, "starts.history_values", m.starts.history_values);
    add_vector(w, "starts.history_purchased", m.starts.history_purchased);
    add_vector(w, "returns.weights", m.returns.weights);
    add_vector(w, "returns.residuals", m.returns.residuals);
}

namespace {

/// Reads members and pools and computes what stepping needs.
WorldModel make_world_model(const SafetensorsFile& file, const WorldFacts& facts) {
    WorldModel m;
    m.facts = facts;
    m.items = {vector_of<float>(file, "items.mean"), vector_of<float>(file, "items.inverse_sd")};
    m.users = {vector_of<float>(file, "users.mean"), vector_of<float>(file, "users.inverse_sd")};
    m.user_low = vector_of<float>(file, "users.low");
    m.user_high = vector_of<float>(file, "users.high");
    m.item_rows = matrix_of<float>(file, "item_rows");
    for (const auto id : vector_of<std::int64_t>(file, "item_ids")) {
        m.item_ids.push_back(static_cast<std::uint32_t>(id));
    }
    if (file.contains("item_texts.offsets")) {
        const auto texts = value_or_throw(file.strings("item_texts"));
        m.item_texts.assign(texts.begin(), texts.end());
    }
    m.item_bits = vector_of<float>(file, "item_bits");
    m.item_sampling = vector_of<float>(file, "item_sampling");
    m.candidate_sets = matrix_of<std::uint32_t>(file, "candidate_sets");
    m.logged_slates = matrix_of<std::uint32_t>(file, "logged_slates");
    m.starts.users = matrix_of<float>(file, "starts.users");
    m.starts.candidate_set = vector_of<std::uint32_t>(file, "starts.candidate_set");
    for (const auto offset : vector_of<std::uint64_t>(file, "starts.history_offsets")) {
        m.starts.history_offsets.push_back(offset);
    }
    m.starts.history_items = vector_of<std::uint32_t>(file, "starts.history_items");
    m.starts.history_values = vector_of<float>(file, "starts.history_values");
    m.starts.history_purchased = file.contains("starts.history_purchased")
                                     ? vector_of<std::uint8_t>(file, "starts.history_purchased")
                                     : std::vector<std::uint8_t>(m.starts.history_items.size());
    m.returns = {
        vector_of<float>(file, "returns.weights"), vector_of<float>(file, "returns.residuals")
    };
    check_model(m);
    for (std::int64_t i = 0; i < facts.n_members; ++i) {
        m.members.push_back(load_member(file, fmt::format("member{}", i), facts.shape));
    }
    const auto row_size = facts.shape.user_size + facts.shape.token_size();
    for (const auto kind : {RewardKind::features, RewardKind::rnn, RewardKind::vae}) {
        if (file.contains(fmt::format("reward.{}.head.weight", to_string(kind)))) {
            m.rewards.push_back(load_learned_reward(file, kind, row_size));
        }
    }
    prepare(m);
    return m;
}

}  // namespace

LoadedWorld load_world(const fs::path& folder) {
    auto manifest = read_manifest(folder);
    const auto file = open_run_file(folder, manifest, "weights.safetensors");
    auto model = make_world_model(file, parse_world_facts(manifest["world"]));
    return {
        .name = folder_name(folder),
        .manifest = std::move(manifest),
        .model = std::make_shared<const WorldModel>(std::move(model)),
    };
}

}  // namespace hg::simulate

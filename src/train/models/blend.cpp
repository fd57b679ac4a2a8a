// SPDX-License-Identifier: Apache-2.0
// blend: the deployed model: several rankers and the belief, weighted by how much we know of the
// user.
//
// Fit: hold out a fifth of the users, fit the parts on the others, choose weights per history
// length on the held-out (train/fit_blend.hpp), then fit the parts again on everyone. Where
// min_held_out asks for more users, other fifths follow, each with parts of its own. Parts that
// train by gradient keep their own checkpoints, so an interrupted blend is resumed. Where the log
// has no order (time = "none"), parts that know nothing else are left out, unless no other is named.
#include "train/blend.hpp"

#include "core/clock.hpp"
#include "core/log.hpp"
#include "train/fit_blend.hpp"
#include "train/model_entry.hpp"
#include "train/run.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <optional>

namespace hg::train {
namespace {

struct BlendOptions {
    std::vector<std::string> rankers{
        "popularity",
        "item_knn",
        "naive_bayes_lift",
        "sequential_rules",
        "wide_rules",
        "ease",
        "linear_dae",
        "dae",
        "wide_dae",
        "gaussian"
    };
    double held_out_share = 0.2;
    std::int64_t min_held_out = 0;
    std::int64_t max_held_out = 2000;
    std::int64_t targets_after = 10;

    static void describe(OptionBinder& bind, BlendOptions& o) {
        bind("rankers", o.rankers, "models to blend; their options are set as NAME.option");
        bind(
            "held_out_share",
            o.held_out_share,
            "share of users the weights are chosen on",
            {.min = 0.01, .max = 0.5}
        );
        bind(
            "min_held_out",
            o.min_held_out,
            "where the share is fewer users, more shares are held out in turn (up to five fits of "
            "the parts; catalogues of up to 5,000 items); it did not help on MovieLens 100k",
            {.min = 0, .max = 100000}
        );
        bind(
            "max_held_out", o.max_held_out, "at most this many of them", {.min = 20, .max = 100000}
        );
        bind(
            "targets_after",
            o.targets_after,
            "weights are chosen on ten events after the first so many, whatever is known of a "
            "user; "
            "0 = on what comes right after the known ones",
            {.min = 0, .max = 1000}
        );
    }
};

/// The stage of the n-th share of users held out.
std::string trial_stage(std::size_t number) {
    return number == 0 ? "choose_weights" : fmt::format("choose_weights_{}", number + 1);
}

constexpr std::string_view final_stage = "fit_on_all_users";

/// Where a part leaves its traces: of one that trains by gradient the curves stay, and its checkpoint until the blend is
/// whole; of another nothing stays but its notes.
std::filesystem::path part_folder(
    const RunWriter& run, std::string_view stage, std::string_view model
) {
    return run.folder() / "parts" / stage / model;
}

std::vector<const ModelEntry*> entries_of(const BlendOptions& options) {
    std::vector<const ModelEntry*> entries;
    for (const auto& name : options.rankers) {
        const auto& entry = find_model(name);
        if (name == "blend" || std::ranges::find(entries, &entry) != entries.end()) {
            throw Error{
                ErrorCode::invalid_argument,
                fmt::format("rankers: \"{}\" cannot be part of a blend (again)", name),
                "name each model once, and not blend itself",
            };
        }
        entries.push_back(&entry);
    }
    if (entries.empty()) {
        throw Error{ErrorCode::invalid_argument, "rankers is empty", "name at least one model"};
    }
    return entries;
}

/// Leaves out what has nothing to learn from a log without order.
std::vector<const ModelEntry*> entries_for(const BlendOptions& options, data::TimeKind time_kind) {
    const auto all = entries_of(options);
    if (time_kind != data::TimeKind::none) {
        return all;
    }
    std::vector<const ModelEntry*> entries;
    std::ranges::copy_if(all, std::back_inserter(entries), [](const ModelEntry* entry) {
        return !has(entry->facts, Fact::only_order);
    });
    return entries.empty() ? all : entries;
}

/// Those a fit kept: a part that knows only order and has no weights was left out.
std::vector<const ModelEntry*> entries_in(
    const BlendOptions& options, const SafetensorsFile& weights
) {
    auto entries = entries_of(options);
    std::erase_if(entries, [&](const ModelEntry* entry) {
        return has(entry->facts, Fact::only_order) &&
               weights.section(fmt::format("{}/", entry->name)).tensors().empty();
    });
    return entries;
}

/// A part's refusal, its options named as a blend takes them.
[[noreturn]] void refuse(
    const MemoryRefusal& refusal,
    const ModelEntry& part,
    const std::vector<const ModelEntry*>& entries
) {
    const std::string bare = "--set ";
    auto hint = refusal.hint();
    for (auto at = hint.find(bare); at != std::string::npos; at = hint.find(bare, at + 1)) {
        hint.insert(at + bare.size(), fmt::format("{}.", part.name));
    }
    std::vector<std::string> others;
    for (const auto* entry : entries) {
        if (entry != &part) {
            others.emplace_back(entry->name);
        }
    }
    throw MemoryRefusal{
        refusal.code(),
        fmt::format("blend: {}", refusal.message()),
        fmt::format("{}; or leave it out, --set 'rankers={}'", hint, nlohmann::json(others).dump())
    };
}

std::vector<Blend::Part> fit_parts(
    const FitContext& context,
    const data::InteractionLog& log,
    const std::vector<const ModelEntry*>& entries,
    const Settings& settings,
    std::string_view stage
) {
    std::vector<Blend::Part> parts;
    auto notes = nlohmann::json::object();
    for (const auto* entry : entries) {
        const Stopwatch watch;
        std::optional<RunWriter> run;
        if (context.run != nullptr) {
            run.emplace(part_folder(*context.run, stage, entry->name));
        }
        const FitContext own{
            .dataset = context.dataset,
            .log = log,
            .content = context.content,
            .rng = context.rng.split(entry->name),
            .progress = context.progress,
            .stop = context.stop,
            .run = run ? &*run : nullptr,
            .memory_limit = context.memory_limit,
        };
        log::debug("blend part", {{"stage", stage}, {"model", entry->name}});
        try {
            parts.push_back(
                {std::string{entry->name}, entry->fit(own, settings.section(entry->name))}
            );
        } catch (const MemoryRefusal& refusal) {
            refuse(refusal, *entry, entries);
        }
        auto& note = notes[parts.back().name];
        note = run ? run->notes() : nlohmann::json::object();
        if (run && !has(entry->facts, Fact::uses_gradient)) {
            std::error_code ignored;
            std::filesystem::remove_all(run->folder(), ignored);
        }
        note["seconds"] = watch.seconds();
    }
    if (context.run != nullptr) {
        context.run->note(stage, std::move(notes));
    }
    return parts;
}

/// A whole blend is not resumed.
void remove_checkpoints(
    const RunWriter& run, const std::vector<const ModelEntry*>& entries, std::size_t n_trials
) {
    std::vector<std::string> stages{std::string{final_stage}};
    for (std::size_t t = 0; t < n_trials; ++t) {
        stages.push_back(trial_stage(t));
    }
    for (const auto& stage : stages) {
        for (const auto* entry : entries) {
            if (has(entry->facts, Fact::uses_gradient)) {
                std::error_code ignored;
                const auto folder = part_folder(run, stage, entry->name);
                std::filesystem::remove(folder / RunWriter::checkpoint_name, ignored);
            }
        }
    }
}

nlohmann::json report(const BlendWeights& fitted, const std::vector<Blend::Part>& parts) {
    auto rows = nlohmann::json::array();
    for (std::size_t knot = 0; knot < Blend::knots.size(); ++knot) {
        nlohmann::json row{
            {"events", Blend::knots[knot]},
            {"users", fitted.n_users[knot]},
            {"ndcg@10", fitted.ndcg[knot]},
        };
        for (std::size_t p = 0; p < parts.size(); ++p) {
            row["weights"][parts[p].name] = fitted.weights(knot, p);
            row["alone"][parts[p].name] = fitted.single_ndcg(knot, p);
        }
        rows.push_back(row);
    }
    return rows;
}

/// Disjoint shares of the users, as many as it takes to hold out min_held_out.
std::vector<std::vector<std::uint32_t>> shares_of(
    std::span<const std::uint32_t> users, const BlendOptions& options, std::size_t n_items
) {
    constexpr std::size_t most_shares = 5;
    constexpr std::size_t most_items = 5000;  // the parts of all shares are held at once
    const auto share = std::min(
        static_cast<std::size_t>(options.held_out_share * static_cast<double>(users.size())),
        static_cast<std::size_t>(options.max_held_out)
    );
    const auto wanted = static_cast<std::size_t>(options.min_held_out);
    std::vector<std::vector<std::uint32_t>> shares;
    std::size_t first = 0;
    do {
        const auto part = users.subspan(first, share);
        shares.emplace_back(part.begin(), part.end());
        first += share;
    } while (first < wanted && share > 0 && n_items <= most_items &&
             first + share <= users.size() && shares.size() < most_shares);
    return shares;
}

std::unique_ptr<Recommender> fit_blend(const FitContext& context, const Settings& settings) {
    const auto options = without_parts(settings).read<BlendOptions>();
    const auto entries = entries_for(options, context.dataset.time_kind);

    std::vector<std::uint32_t> users;
    for (std::uint32_t u = 0; u < context.log.n_users(); ++u) {
        if (context.log.history(UserId{u}).size() > 1) {
            users.push_back(u);
        }
    }
    auto rng = context.rng.split("held out users");
    rng.shuffle(std::span{users});
    std::vector<BlendTrial> trials;
    for (const auto& held_out : shares_of(users, options, context.log.n_items())) {
        std::vector<bool> is_held_out(context.log.n_users(), false);
        BlendTrial trial;
        for (const auto u : held_out) {
            is_held_out[u] = true;
            trial.held_out.push_back(context.log.history(UserId{u}));
        }
        const auto rest = context.log.filter([&](UserId user, std::size_t /*index*/) {
            return !is_held_out[user.index()];
        });
        trial.parts = fit_parts(context, rest, entries, settings, trial_stage(trials.size()));
        trials.push_back(std::move(trial));
    }
    auto fitted = fit_blend_weights(
        trials,
        {.order = context.dataset.time_kind == data::TimeKind::none ? EventOrder::means_nothing
                                                                    : EventOrder::matters,
         .after = static_cast<std::size_t>(options.targets_after)},
        context.rng.split("orders"),
        context.progress
    );
    if (context.run != nullptr) {
        context.run->note("blend", report(fitted, trials.front().parts));
    }
    auto parts = fit_parts(context, context.log, entries, settings, final_stage);
    if (context.run != nullptr) {
        remove_checkpoints(*context.run, entries, trials.size());
    }
    return std::make_unique<Blend>(std::move(parts), std::move(fitted.weights));
}

std::unique_ptr<Recommender> load_blend(const SafetensorsFile& weights, const Settings& settings) {
    const auto options = without_parts(settings).read<BlendOptions>();
    const auto stored = value_or_throw(weights.matrix<float>("blend_weights"));
    std::vector<Blend::Part> parts;
    for (const auto* entry : entries_in(options, weights)) {
        const auto own = weights.section(std::string{entry->name} + "/");
        parts.push_back({std::string{entry->name}, entry->load(own, settings.section(entry->name))}
        );
    }
    if (stored.rows() != Blend::knots.size() || stored.cols() != parts.size()) {
        throw Error{
            ErrorCode::corrupt, "blend_weights do not fit the rankers of the run", "train it again"
        };
    }
    Matrix<float> copy(stored.rows(), stored.cols());
    std::copy_n(stored.data(), stored.rows() * stored.cols(), copy.values().begin());
    return std::make_unique<Blend>(std::move(parts), std::move(copy));
}

}  // namespace

extern const ModelEntry blend{
    .name = "blend",
    .summary = "several rankers and the belief, weighted by history length: the model to deploy",
    .facts = Fact::uses_content | Fact::uses_gradient | Fact::has_parts,
    .options = &describe_options<BlendOptions>,
    .fit = &fit_blend,
    .load = &load_blend,
};

}  // namespace hg::train

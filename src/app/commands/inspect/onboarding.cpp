// SPDX-License-Identifier: Apache-2.0
// honeyguide inspect onboarding: what to ask newcomers for, and by which reasoning.
#include "app/command.hpp"
#include "data/dataset.hpp"
#include "train/first_screen.hpp"
#include "train/run.hpp"
#include "train/sparse.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace hg::app::inspecting {
namespace {

struct InspectOnboardingArguments {
    std::string run;
    std::string data;
    std::string by = "evidence";
    std::size_t k = 10;
    bool as_json = false;
};

/// Share of the dataset's users who have each item of the run; [n_items of the prior].
std::vector<float> shares_of(
    const train::LoadedRun& run, std::size_t n_items, const data::Dataset& dataset
) {
    const auto users = train::positive_pairs(dataset.log);
    const auto counts = train::column_counts(users);
    std::vector<float> shares(n_items);
    for (std::uint32_t item = 0; item < n_items; ++item) {
        if (const auto row = dataset.items.find(run.items.name(item))) {
            shares[item] = counts[*row] / static_cast<float>(users.n_rows());
        }
    }
    return shares;
}

train::Asking asking_of(const std::string& name) {
    const auto found = std::ranges::find(train::asking_names, name);
    return static_cast<train::Asking>(found - train::asking_names.begin());
}

int run_inspect_onboarding(const InspectOnboardingArguments& arguments) {
    const auto loaded = train::load_run(arguments.run);
    const auto* const prior = loaded.model->belief_prior();
    if (prior == nullptr) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("{} has no belief to be taught", arguments.run),
            "name a run of gaussian, or of a blend with it"
        };
    }
    const auto dataset = value_or_throw(data::open_dataset(arguments.data));
    const auto shares = shares_of(loaded, prior->n_items(), dataset);
    const auto screen = train::first_screen(*prior, shares, asking_of(arguments.by), arguments.k);
    const auto title_of = [&](std::uint32_t item) -> std::string {
        const auto row = dataset.items.find(loaded.items.name(item));
        return row && *row < dataset.item_fields.n_rows() ? dataset.item_fields.title(*row) : "";
    };
    auto list = nlohmann::json::array();
    for (const auto item : screen) {
        const auto id = loaded.items.name(item);
        list.push_back({{"item_id", id}, {"title", title_of(item)}, {"share", shares[item]}});
        if (!arguments.as_json) {
            fmt::print("  {:5.1f} %  {:<10}  {}\n", 100 * shares[item], id, title_of(item));
        }
    }
    if (arguments.as_json) {
        const nlohmann::json answer{{"by", arguments.by}, {"items", std::move(list)}};
        constexpr int indent = -1;
        fmt::print(
            "{}\n", answer.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace)
        );
    }
    return 0;
}

Run declare_inspect_onboarding(CLI::App& verb) {
    auto arguments = std::make_shared<InspectOnboardingArguments>();
    verb.add_option("--run", arguments->run, "a run with a belief: gaussian or a blend")
        ->required();
    verb.add_option("--data", arguments->data, "dataset folder")->required();
    verb.add_option("--by", arguments->by, "popularity, entropy, evidence or information")
        ->check(CLI::IsMember(
            std::vector<std::string>{train::asking_names.begin(), train::asking_names.end()}
        ))
        ->capture_default_str();
    verb.add_option("--k", arguments->k, "how many")
        ->check(CLI::Range(std::size_t{1}, std::size_t{500}))
        ->capture_default_str();
    verb.add_flag("--json", arguments->as_json, "for machines");
    return [arguments](Session& /*session*/) { return run_inspect_onboarding(*arguments); };
}

}  // namespace

extern const CommandEntry onboarding{
    .name = "onboarding",
    .summary = "what to ask newcomers for: likely to be known, and telling",
    .example = "honeyguide inspect onboarding --run runs/blend --data datasets/movies --k 10",
    .declare = &declare_inspect_onboarding,
};

}  // namespace hg::app::inspecting

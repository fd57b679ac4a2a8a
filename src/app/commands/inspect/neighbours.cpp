// SPDX-License-Identifier: Apache-2.0
// honeyguide inspect neighbours: the items nearest to one, by name.
#include "encode/neighbours.hpp"

#include "app/command.hpp"
#include "data/dataset.hpp"
#include "encode/vector_store.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>
#include <string>

namespace hg::app::inspecting {
namespace {

struct InspectNeighboursArguments {
    std::string data;
    std::string item;
    std::string encoder = "auto";
    std::size_t k = 10;
    bool as_json = false;
};

std::string title_of(const data::Dataset& dataset, std::size_t row) {
    return row < dataset.item_fields.n_rows() ? dataset.item_fields.title(row) : std::string{};
}

void print_neighbours(
    const data::Dataset& dataset,
    const encode::ItemVectors& vectors,
    std::size_t row,
    const InspectNeighboursArguments& arguments
) {
    const auto near = encode::nearest_items(vectors, row, arguments.k);
    if (!arguments.as_json) {
        fmt::print("{}  {}  ({})\n", arguments.item, title_of(dataset, row), vectors.encoder);
        for (const auto& [other, cosine] : near) {
            fmt::print(
                "  {:.3f}  {:<10}  {}\n",
                cosine,
                dataset.items.name(other),
                title_of(dataset, other)
            );
        }
        return;
    }
    auto list = nlohmann::json::array();
    for (const auto& [other, cosine] : near) {
        list.push_back({
            {"item_id", dataset.items.name(other)},
            {"title", title_of(dataset, other)},
            {"cosine", cosine},
        });
    }
    const nlohmann::json answer{
        {"item_id", arguments.item}, {"encoder", vectors.encoder}, {"neighbours", list}
    };
    constexpr int indent = -1;
    fmt::print("{}\n", answer.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace));
}

int run_inspect_neighbours(const InspectNeighboursArguments& arguments, Session& session) {
    const auto dataset = value_or_throw(data::open_dataset(arguments.data));
    const auto item = dataset.items.find(arguments.item);
    if (!item) {
        throw Error{
            ErrorCode::not_found,
            fmt::format("{} has no item \"{}\"", arguments.data, arguments.item),
            "use an item_id of the dataset",
        };
    }
    const auto vectors = encode::content_for(
        dataset, arguments.data, arguments.encoder, session.progress, session.stop
    );
    if (!vectors) {
        throw Error{
            ErrorCode::not_found,
            fmt::format("{} has no item vectors and no fields to make them from", arguments.data),
            "add an items file, then run honeyguide encode",
        };
    }
    if (vectors->present[*item] == 0) {
        throw Error{
            ErrorCode::not_found,
            fmt::format("item \"{}\" has no vector", arguments.item),
            "it has no content, or came after the last honeyguide encode: run it again",
        };
    }
    print_neighbours(dataset, *vectors, *item, arguments);
    return 0;
}

Run declare_inspect_neighbours(CLI::App& verb) {
    auto arguments = std::make_shared<InspectNeighboursArguments>();
    verb.add_option("--data", arguments->data, "dataset folder")->required();
    verb.add_option("--item", arguments->item, "item_id")->required();
    verb.add_option("--encoder", arguments->encoder, "auto, text, fields or fused")
        ->capture_default_str();
    verb.add_option("--k", arguments->k, "how many")->capture_default_str();
    verb.add_flag("--json", arguments->as_json, "for machines");
    return [arguments](Session& session) { return run_inspect_neighbours(*arguments, session); };
}

}  // namespace

extern const CommandEntry neighbours{
    .name = "neighbours",
    .summary = "the items nearest to one, by name",
    .example = "honeyguide inspect neighbours --data datasets/movies --item 1 --k 10",
    .declare = &declare_inspect_neighbours,
};

}  // namespace hg::app::inspecting

// SPDX-License-Identifier: Apache-2.0
#include "app/protocol.hpp"
#include "core/error.hpp"
#include "data/text_file.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <unordered_set>

namespace hg::app {
namespace {

/// What read_protocol() owns: the contexts that queries borrow.
struct Contexts {
    std::vector<data::HistoryBuffer> buffers;
};

struct Line {
    std::vector<std::string> context;
    std::vector<std::string> targets;
};

std::vector<std::string> ids_of(const nlohmann::json& ids) {
    std::vector<std::string> result;
    for (const auto& id : ids) {
        result.push_back(id.is_string() ? id.get<std::string>() : id.dump());
    }
    return result;
}

Line parse(std::string_view text, const std::string& where) {
    const auto object = nlohmann::json::parse(text, nullptr, false);
    const bool is_query = object.is_object() && object.contains("context") &&
                          object.contains("targets") && object["context"].is_array() &&
                          object["targets"].is_array();
    if (!is_query) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("{}: not a query", where),
            R"(expected {"user_id": "u", "context": ["id", ...], "targets": ["id", ...]})",
        };
    }
    return {.context = ids_of(object["context"]), .targets = ids_of(object["targets"])};
}

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        lines.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

}  // namespace

Protocol read_protocol(
    const data::Dataset& dataset, const std::filesystem::path& file, const ProtocolOptions& options
) {
    const auto content = value_or_throw(data::TextFile::open(file));
    const auto lines = lines_of(content.text());
    const bool masks = options.repeats == Repeats::mask ||
                       (options.repeats == Repeats::as_dataset_says && !dataset.repeats_count);
    Protocol protocol{
        .kind = ProtocolKind::queries,
        .part = Part::test,
        .label = fmt::format(
            "queries of {}, {}",
            file.filename().string(),
            masks ? "history masked" : "repeats allowed"
        ),
        .masks_history = masks,
        .contexts = options.contexts,
        .trials = {},
        .notes = {},
    };
    auto owner = std::make_shared<Contexts>();
    owner->buffers.resize(lines.size());
    Trial trial{.train = dataset.log, .queries = {}, .storage = owner};
    std::size_t n_unknown = 0;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (lines[i].empty()) {
            continue;
        }
        const auto line = parse(lines[i], fmt::format("{}:{}", file.string(), i + 1));
        for (const auto& id : line.context) {
            if (const auto item = dataset.items.find(id)) {
                owner->buffers[i].add(ItemId{*item});
            }
        }
        std::vector<ItemId> targets;
        for (const auto& id : line.targets) {
            const auto item = dataset.items.find(id);
            n_unknown += item ? 0 : 1;
            const bool is_new = item && std::ranges::find(targets, ItemId{*item}) == targets.end();
            if (is_new) {
                targets.push_back(ItemId{*item});
            }
        }
        if (targets.empty()) {
            continue;
        }
        for (const auto k : options.contexts) {
            trial.queries.push_back({
                .user = UserId{static_cast<std::uint32_t>(i)},
                .history = owner->buffers[i].view().head(k),
                .targets = targets,
                .context = k,
            });
        }
    }
    if (trial.queries.empty()) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format(
                "{}: no query has a target that is in dataset {}", file.string(), dataset.name
            ),
            "check that both use the same item ids",
        };
    }
    if (n_unknown > 0) {
        protocol.notes.push_back(
            fmt::format("{} targets are not in the dataset: they are left out", n_unknown)
        );
    }
    protocol.trials.push_back(std::move(trial));
    return protocol;
}

}  // namespace hg::app

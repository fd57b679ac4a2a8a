// SPDX-License-Identifier: Apache-2.0
#include "serve/retrieval.hpp"

#include "core/clock.hpp"
#include "core/log.hpp"
#include "core/running_top_k.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace hg::serve {
namespace {

constexpr std::size_t recall_at = 100;
/// How many are proposed, the fewest first; a user's candidates are 512 of them.
constexpr std::array<std::size_t, 4> ladder{512, 1024, 2048, 4096};

double megabytes(std::size_t bytes) {
    return static_cast<double>(bytes) / 1e6;
}

double milliseconds_each(const Stopwatch& watch, std::size_t searches) {
    return 1e3 * watch.seconds() / static_cast<double>(searches);
}

/// Share of `found` that is as good as the last of `truth`: equal scores are equally good.
double recall_of(std::span<const Scored> truth, std::span<const Scored> found) {
    if (truth.empty()) {
        return 1;
    }
    const auto n = std::min(truth.size(), found.size());
    const auto good = std::ranges::count_if(found.first(n), [&](const Scored& one) {
        return one.score >= truth.back().score;
    });
    return static_cast<double>(good) / static_cast<double>(truth.size());
}

/// As kept beside the run, else built and kept. One that does not fit is never used.
VectorIndex load_or_build(
    MatrixView<const float> items,
    const std::filesystem::path& file,
    ProgressSink& progress,
    const std::stop_token& stop
) {
    const Stopwatch watch;
    auto kept = VectorIndex::load(file, items);
    if (kept) {
        log::info(
            "index loaded",
            {{"file", file.string()},
             {"seconds", watch.seconds()},
             {"megabytes", megabytes(kept->bytes())}}
        );
        return std::move(*kept);
    }
    log::info(
        "building the index",
        {{"items", items.rows()}, {"why", kept.error().message()}, {"file", file.string()}}
    );
    auto built = VectorIndex::build(items, progress, stop);
    log::info(
        "index built",
        {{"items", items.rows()},
         {"seconds", watch.seconds()},
         {"megabytes", megabytes(built.bytes())}}
    );
    try {
        built.save(file);
    } catch (const Error& error) {
        log::warn(
            "the index is not kept: the next start builds it again", {{"why", error.message()}}
        );
    }
    return built;
}

}  // namespace

Retrieval::Retrieval(MatrixView<const float> items, const RetrievalOptions& options)
    : options_(options), table_(items, options.precision) {
    facts_ = {
        {"search", "every item"},
        {"table", options.precision == ItemPrecision::int8 ? "int8" : "float"},
        {"table_bytes", table_.bytes()},
    };
}

std::unique_ptr<const Retrieval> Retrieval::make(
    MatrixView<const float> items,
    MatrixView<const float> users,
    const RetrievalOptions& options,
    const std::filesystem::path& file,
    ProgressSink& progress,
    const std::stop_token& stop
) {
    std::unique_ptr<Retrieval> made{new Retrieval{items, options}};
    const bool is_big =
        options.index == IndexChoice::automatic && items.rows() > options.index_above;
    if (is_big || options.index == IndexChoice::hnsw) {
        made->add_index(users, file, progress, stop);
    }
    return made;
}

void Retrieval::add_index(
    MatrixView<const float> users,
    const std::filesystem::path& file,
    ProgressSink& progress,
    const std::stop_token& stop
) {
    const auto half = users.rows() / 2;
    if (half == 0) {
        log::warn("no index: the dataset has no users to measure it by; every item is scored");
        facts_["why"] = "the dataset has no users to measure an index by";
        return;
    }
    auto index = load_or_build(table_.vectors(), file, progress, stop);
    std::vector<std::vector<Scored>> truths;
    const Stopwatch passes;
    for (std::size_t user = 0; user < users.rows(); ++user) {
        truths.push_back(table_.best(users.row(user), recall_at));
    }
    const double by_pass = milliseconds_each(passes, users.rows());
    double by_index = 0;
    const auto recall_over = [&](std::size_t first, std::size_t last, std::size_t proposals) {
        double sum = 0;
        for (auto user = first; user < last; ++user) {
            const auto found = proposed(index, users.row(user), recall_at, proposals);
            sum += recall_of(truths[user], found);
        }
        return sum / static_cast<double>(last - first);
    };
    double reached = 0;
    for (const auto proposals : ladder) {
        reached = recall_over(0, half, proposals);
        if (reached < options_.recall_wanted) {
            continue;
        }
        const Stopwatch searches;
        reached = recall_over(half, users.rows(), proposals);
        by_index = milliseconds_each(searches, users.rows() - half);
        if (reached >= options_.recall_wanted) {
            proposals_ = proposals;
            break;
        }
    }
    facts_["recall_at_100"] = reached;
    if (proposals_ == 0) {
        log::warn(
            "no index: it misses too much; every item is scored",
            {{"recall_at_100", reached},
             {"wanted", options_.recall_wanted},
             {"proposals", ladder.back()}}
        );
        facts_["why"] = "the index misses too much";
        return;
    }
    facts_["index_ms"] = by_index;
    facts_["every_item_ms"] = by_pass;
    if (options_.index == IndexChoice::automatic && by_index > options_.most_time_share * by_pass) {
        log::info(
            "no index: every item is scored sooner",
            {{"proposals", proposals_}, {"index_ms", by_index}, {"every_item_ms", by_pass}}
        );
        facts_["why"] = "every item is scored sooner than the index proposes enough";
        proposals_ = 0;
        return;
    }
    log::info(
        "index in use",
        {{"recall_at_100", reached},
         {"proposals", proposals_},
         {"checked_on_users", users.rows() - half}}
    );
    facts_["search"] = "hnsw";
    facts_["proposals"] = proposals_;
    facts_["index_bytes"] = index.bytes();
    index_ = std::move(index);
}

std::vector<Scored> Retrieval::proposed(
    const VectorIndex& index, std::span<const float> user, std::size_t k, std::size_t proposals
) const {
    RunningTopK best{k};
    for (const auto row : index.nearest(user, proposals)) {
        best.add({row, table_.score(user, row)});
    }
    return std::move(best).take();
}

std::vector<Scored> Retrieval::best(std::span<const float> user, std::size_t k) const {
    // Beyond the ladder nobody measured it, and the exact pass is not slower by then.
    if (!index_ || k > ladder.back()) {
        return table_.best(user, k);
    }
    return proposed(*index_, user, k, std::max(k, proposals_));
}

}  // namespace hg::serve

// SPDX-License-Identifier: Apache-2.0
#include "serve/vector_index.hpp"

#include "core/digest.hpp"
#include "core/dot.hpp"
#include "core/safetensors.hpp"
#include "train/threads.hpp"

#include <fmt/format.h>
// hnswlib 0.6 reads the link behind the last one to prefetch it: up to three bytes past a block of
// 68 n + 1 bytes, always within what malloc rounds that size up to. Its plain code does not.
#if defined(__SANITIZE_ADDRESS__)
#define NO_MANUAL_VECTORIZATION
#endif
#include <hnswlib/hnswlib.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <utility>

namespace hg::serve {
namespace {

constexpr std::size_t links = 16;          // of an item in the upper layers; twice as many below
constexpr std::size_t construction = 100;  // candidates weighed for the links of a new item
constexpr std::string_view format = "hnsw 1, shortest first";

using Hnsw = hnswlib::HierarchicalNSW<float>;
using Node = hnswlib::tableint;

/// A list of links as hnswlib holds it: their number, then the nodes.
constexpr std::size_t row_below = 1 + 2 * links;
constexpr std::size_t row_above = 1 + links;

std::string digest_of(MatrixView<const float> vectors) {
    Digest digest;
    digest.update(
        fmt::format("{} {} {} {} {}", format, links, construction, vectors.rows(), vectors.cols())
    );
    for (std::size_t row = 0; row < vectors.rows(); ++row) {
        digest.update(std::as_bytes(vectors.row(row)));
    }
    return digest.hex();
}

/// Long vectors have the largest products with everybody. Put in last, each is linked to the best of
/// its neighbours when all of them are there: on factors of 100,000 items the recall of the best 100
/// is .9996 instead of .955 in the order of the rows (512 proposals), and .938 with the longest
/// first.
std::vector<std::uint32_t> shortest_first(MatrixView<const float> vectors) {
    std::vector<float> squares(vectors.rows());
    std::vector<std::uint32_t> order(vectors.rows());
    for (std::uint32_t row = 0; row < order.size(); ++row) {
        squares[row] = dot(vectors.row(row), vectors.row(row));
        order[row] = row;
    }
    std::ranges::stable_sort(order, {}, [&](auto row) { return squares[row]; });
    return order;
}

Error damaged(const std::filesystem::path& file, const std::string& what) {
    return {
        ErrorCode::corrupt,
        fmt::format("{}: {}", file.string(), what),
        "delete the file: the index is built again",
    };
}

}  // namespace

struct VectorIndex::Graph {
    Graph(std::size_t n_items, std::size_t dim)
        : space(dim), hnsw(&space, n_items, links, construction) {}

    [[nodiscard]] std::size_t size() const { return hnsw.cur_element_count; }

    [[nodiscard]] unsigned* below(std::size_t node) {
        return hnsw.get_linklist0(static_cast<Node>(node));
    }

    [[nodiscard]] unsigned* above(std::size_t node, int level) {
        return hnsw.get_linklist(static_cast<Node>(node), level);
    }

    [[nodiscard]] int level(std::size_t node) const { return hnsw.element_levels_[node]; }

    /// Searching needs neither.
    void drop_what_building_needs() {
        std::vector<std::mutex>().swap(hnsw.link_list_locks_);
        decltype(hnsw.label_lookup_)().swap(hnsw.label_lookup_);
    }

    hnswlib::InnerProductSpace space;
    Hnsw hnsw;
};

namespace {

/// What the file holds, before anything is believed.
struct Stored {
    std::span<const std::uint32_t> rows;    // [n], the item of a node
    std::span<const std::uint32_t> levels;  // [n], the topmost of a node
    MatrixView<const std::uint32_t> below;  // [n, row_below]
    MatrixView<const std::uint32_t> above;  // [sum of levels, row_above]
};

Result<Stored> read_stored(const SafetensorsFile& file) {
    Stored stored;
    HG_TRY(stored.rows, file.values<std::uint32_t>("rows"));
    HG_TRY(stored.levels, file.values<std::uint32_t>("levels"));
    HG_TRY(stored.below, file.matrix<std::uint32_t>("links_below"));
    HG_TRY(stored.above, file.matrix<std::uint32_t>("links_above"));
    return stored;
}

/// Whether a list holds nodes that exist at its level, and no more than fit.
bool is_sound(
    std::span<const std::uint32_t> list, std::span<const std::uint32_t> levels, std::uint32_t level
) {
    if (list.front() >= list.size()) {
        return false;
    }
    return std::ranges::all_of(list.subspan(1, list.front()), [&](auto node) {
        return node < levels.size() && levels[node] >= level;
    });
}

/// Why a search could go astray in it; empty when it cannot.
std::string fault_of(const Stored& stored, std::size_t n_items) {
    constexpr std::uint32_t most_levels = 64;
    if (stored.rows.size() != n_items || stored.levels.size() != n_items ||
        stored.below.rows() != n_items || stored.below.cols() != row_below ||
        stored.above.cols() != row_above) {
        return "not of this number of items";
    }
    std::vector<bool> is_there(n_items);
    std::size_t next = 0;
    for (std::size_t node = 0; node < n_items; ++node) {
        const auto row = stored.rows[node];
        if (row >= n_items || is_there[row] || stored.levels[node] > most_levels ||
            !is_sound(stored.below.row(node), stored.levels, 0)) {
            return fmt::format("node {} is not sound", node);
        }
        is_there[row] = true;
        for (std::uint32_t level = 1; level <= stored.levels[node]; ++level, ++next) {
            if (next >= stored.above.rows() ||
                !is_sound(stored.above.row(next), stored.levels, level)) {
                return fmt::format("node {} is not sound at level {}", node, level);
            }
        }
    }
    return next == stored.above.rows() ? "" : "more links than nodes";
}

}  // namespace

VectorIndex::VectorIndex(std::unique_ptr<Graph> graph, std::string digest)
    : graph_(std::move(graph)), digest_(std::move(digest)) {}

VectorIndex::VectorIndex(VectorIndex&&) noexcept = default;
VectorIndex& VectorIndex::operator=(VectorIndex&&) noexcept = default;
VectorIndex::~VectorIndex() = default;

VectorIndex VectorIndex::build(
    MatrixView<const float> vectors, ProgressSink& progress, const std::stop_token& stop
) {
    HG_CHECK(!vectors.empty(), "an index needs items");
    auto graph = std::make_unique<Graph>(vectors.rows(), vectors.cols());
    const auto order = shortest_first(vectors);
    const auto add = [&](std::uint32_t row) { graph->hnsw.addPoint(vectors.row(row).data(), row); };
    Progress bar{progress, "index", vectors.rows(), "items"};
    constexpr std::size_t chunk = 4096;
    constexpr std::size_t block = 64;
    add(order.front());  // alone: it is where the others enter
    for (std::size_t first = 1; first < vectors.rows(); first += chunk) {
        if (stop.stop_requested()) {
            throw Error{
                ErrorCode::interrupted, "stopped while the index was built", "run the command again"
            };
        }
        const auto n = std::min(chunk, vectors.rows() - first);
        train::parallel_blocks(n, block, [&](std::size_t begin, std::size_t end) {
            for (auto i = first + begin; i < first + end; ++i) {
                add(order[i]);
            }
        });
        bar.advance(n);
    }
    graph->drop_what_building_needs();
    return VectorIndex{std::move(graph), digest_of(vectors)};
}

std::vector<std::uint32_t> VectorIndex::nearest(std::span<const float> user, std::size_t n) const {
    auto found = graph_->hnsw.searchKnn(user.data(), n);
    std::vector<std::uint32_t> rows;
    rows.reserve(found.size());
    for (; !found.empty(); found.pop()) {
        rows.push_back(static_cast<std::uint32_t>(found.top().second));
    }
    return rows;
}

std::size_t VectorIndex::bytes() const noexcept {
    const auto& hnsw = graph_->hnsw;
    std::size_t n_above = 0;
    for (const auto level : hnsw.element_levels_) {
        n_above += static_cast<std::size_t>(level);
    }
    return hnsw.max_elements_ * (hnsw.size_data_per_element_ + sizeof(int) + sizeof(char*)) +
           n_above * row_above * sizeof(Node);
}

void VectorIndex::save(const std::filesystem::path& file) const {
    auto& graph = *graph_;
    const auto n = graph.size();
    std::vector<std::uint32_t> rows;
    std::vector<std::uint32_t> levels;
    std::vector<std::uint32_t> below;
    std::vector<std::uint32_t> above;
    below.reserve(n * row_below);
    for (std::size_t node = 0; node < n; ++node) {
        rows.push_back(
            static_cast<std::uint32_t>(graph.hnsw.getExternalLabel(static_cast<Node>(node)))
        );
        levels.push_back(static_cast<std::uint32_t>(graph.level(node)));
        const auto* const list = graph.below(node);
        below.insert(below.end(), list, list + row_below);
        for (int level = 1; level <= graph.level(node); ++level) {
            const auto* const upper = graph.above(node, level);
            above.insert(above.end(), upper, upper + row_above);
        }
    }
    SafetensorsWriter writer;
    writer.add_metadata("format", std::string{format});
    writer.add_metadata("vectors", digest_);
    writer.add<std::uint32_t>("rows", std::span<const std::uint32_t>{rows});
    writer.add<std::uint32_t>("levels", std::span<const std::uint32_t>{levels});
    writer.add<std::uint32_t>(
        "links_below", MatrixView<const std::uint32_t>{below.data(), n, row_below}
    );
    writer.add<std::uint32_t>(
        "links_above",
        MatrixView<const std::uint32_t>{above.data(), above.size() / row_above, row_above}
    );
    writer.save(file);
}

Result<VectorIndex> VectorIndex::load(
    const std::filesystem::path& file, MatrixView<const float> vectors
) {
    HG_TRY(const auto opened, SafetensorsFile::open(file));
    auto digest = digest_of(vectors);
    const auto named = opened.metadata().find("vectors");
    if (named == opened.metadata().end() || named->second != digest) {
        return fail(
            ErrorCode::conflict,
            fmt::format("{}: an index of other vectors", file.string()),
            "the run was trained again; the index is built again"
        );
    }
    HG_TRY(const auto stored, read_stored(opened));
    if (const auto fault = fault_of(stored, vectors.rows()); !fault.empty()) {
        return std::unexpected(damaged(file, fault));
    }
    auto graph = std::make_unique<Graph>(vectors.rows(), vectors.cols());
    auto& hnsw = graph->hnsw;
    std::size_t next = 0;
    for (std::size_t node = 0; node < vectors.rows(); ++node) {
        const auto id = static_cast<Node>(node);
        const auto level = static_cast<int>(stored.levels[node]);
        const auto vector = vectors.row(stored.rows[node]);
        std::memcpy(graph->below(node), stored.below.row(node).data(), row_below * sizeof(Node));
        std::memcpy(hnsw.getDataByInternalId(id), vector.data(), vector.size_bytes());
        hnsw.setExternalLabel(id, stored.rows[node]);
        hnsw.element_levels_[node] = level;
        hnsw.linkLists_[node] = nullptr;
        if (level > 0) {
            const auto n_bytes = static_cast<std::size_t>(level) * row_above * sizeof(Node);
            hnsw.linkLists_[node] = static_cast<char*>(std::malloc(n_bytes));
            if (hnsw.linkLists_[node] == nullptr) {
                throw std::bad_alloc{};
            }
            std::memcpy(hnsw.linkLists_[node], stored.above.row(next).data(), n_bytes);
            next += stored.levels[node];
        }
        hnsw.cur_element_count = node + 1;  // what the destructor frees
        if (level > hnsw.maxlevel_) {
            hnsw.maxlevel_ = level;
            hnsw.enterpoint_node_ = id;
        }
    }
    graph->drop_what_building_needs();
    return VectorIndex{std::move(graph), std::move(digest)};
}

}  // namespace hg::serve

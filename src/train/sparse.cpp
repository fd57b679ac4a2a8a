// SPDX-License-Identifier: Apache-2.0
#include "train/sparse.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <utility>

namespace hg::train {

PositiveItems positive_items(const data::History& history) {
    std::vector<std::pair<std::uint32_t, float>> pairs;
    pairs.reserve(history.size());
    for (std::size_t i = 0; i < history.size(); ++i) {
        if (history.weight(i) > 0) {
            pairs.emplace_back(history.items[i].value, history.weight(i));
        }
    }
    std::ranges::stable_sort(pairs, {}, &std::pair<std::uint32_t, float>::first);
    PositiveItems distinct;
    for (const auto& [item, weight] : pairs) {
        if (!distinct.items.empty() && distinct.items.back() == item) {
            distinct.weights.back() += weight;
        } else {
            distinct.items.push_back(item);
            distinct.weights.push_back(weight);
        }
    }
    return distinct;
}

Csr positive_pairs(const data::InteractionLog& log) {
    Csr matrix;
    matrix.n_cols = log.n_items();
    matrix.offsets.reserve(log.n_users() + 1);
    matrix.offsets.push_back(0);
    for (std::uint32_t user = 0; user < log.n_users(); ++user) {
        const auto distinct = positive_items(log.history(UserId{user}));
        matrix.indices.insert(matrix.indices.end(), distinct.items.begin(), distinct.items.end());
        matrix.values.insert(matrix.values.end(), distinct.weights.begin(), distinct.weights.end());
        matrix.offsets.push_back(static_cast<std::int64_t>(matrix.indices.size()));
    }
    return matrix;
}

Csr transpose(const Csr& matrix) {
    Csr out;
    out.n_cols = matrix.n_rows();
    out.offsets.assign(matrix.n_cols + 1, 0);
    out.indices.resize(matrix.indices.size());
    out.values.resize(matrix.values.size());
    for (const auto column : matrix.indices) {
        ++out.offsets[column + 1];
    }
    for (std::size_t c = 0; c < matrix.n_cols; ++c) {
        out.offsets[c + 1] += out.offsets[c];
    }
    auto next = out.offsets;
    for (std::size_t row = 0; row < matrix.n_rows(); ++row) {
        const auto columns = matrix.row(row);
        const auto values = matrix.row_values(row);
        for (std::size_t i = 0; i < columns.size(); ++i) {
            const auto place = static_cast<std::size_t>(next[columns[i]]++);
            out.indices[place] = static_cast<std::uint32_t>(row);
            out.values[place] = values[i];
        }
    }
    return out;
}

std::vector<float> column_counts(const Csr& matrix) {
    std::vector<float> counts(matrix.n_cols, 0.0F);
    for (const auto column : matrix.indices) {
        counts[column] += 1.0F;
    }
    return counts;
}

void save_csr(SafetensorsWriter& weights, const std::string& name, const Csr& matrix) {
    weights.add<std::int64_t>(name + ".offsets", matrix.offsets);
    weights.add<std::uint32_t>(name + ".items", matrix.indices);
    weights.add<float>(name + ".values", matrix.values);
}

Result<Csr> load_csr(const SafetensorsFile& weights, const std::string& name, std::size_t n_items) {
    HG_TRY(const auto offsets, weights.values<std::int64_t>(name + ".offsets"));
    HG_TRY(const auto items, weights.values<std::uint32_t>(name + ".items"));
    HG_TRY(const auto values, weights.values<float>(name + ".values"));
    const bool is_whole =
        offsets.size() == n_items + 1 && offsets.front() == 0 &&
        std::cmp_equal(offsets.back(), items.size()) && std::ranges::is_sorted(offsets) &&
        items.size() == values.size() &&
        std::ranges::all_of(items, [n_items](auto item) { return item < n_items; });
    if (!is_whole) {
        return fail(ErrorCode::corrupt, "weights: " + name + " is no matrix of items by items");
    }
    return Csr{
        .offsets = {offsets.begin(), offsets.end()},
        .indices = {items.begin(), items.end()},
        .values = {values.begin(), values.end()},
        .n_cols = n_items,
    };
}

void keep_strongest(std::vector<Neighbour>& row, std::size_t most) {
    if (most == 0 || row.size() <= most) {
        return;
    }
    const auto stronger = [](const Neighbour& a, const Neighbour& b) {
        return a.count > b.count || (a.count == b.count && a.item < b.item);
    };
    std::ranges::nth_element(row, row.begin() + static_cast<std::ptrdiff_t>(most), stronger);
    row.resize(most);
}

void for_each_cooccurrence_row(
    const Csr& users,
    const std::function<void(ItemId, std::span<const Neighbour>)>& visit,
    std::span<const float> user_weights
) {
    HG_CHECK(
        user_weights.empty() || user_weights.size() == users.n_rows(), "one weight for each user"
    );
    const auto items = transpose(users);
    std::vector<float> counts(users.n_cols, 0.0F);
    std::vector<std::uint32_t> touched;
    std::vector<Neighbour> row;
    for (std::uint32_t item = 0; item < users.n_cols; ++item) {
        touched.clear();
        row.clear();
        for (const auto user : items.row(item)) {
            const float weight = user_weights.empty() ? 1.0F : user_weights[user];
            if (weight == 0) {
                continue;
            }
            for (const auto other : users.row(user)) {
                if (counts[other] == 0.0F) {
                    touched.push_back(other);
                }
                counts[other] += weight;
            }
        }
        std::ranges::sort(touched);
        for (const auto other : touched) {
            if (other != item) {
                row.push_back({.item = other, .count = counts[other]});
            }
            counts[other] = 0.0F;
        }
        visit(ItemId{item}, row);
    }
}

}  // namespace hg::train

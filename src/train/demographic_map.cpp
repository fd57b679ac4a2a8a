// SPDX-License-Identifier: Apache-2.0
#include "train/demographic_map.hpp"

#include "core/error.hpp"
#include "train/preference_space.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace hg::train {
namespace {

constexpr std::size_t n_bins = 8;
constexpr std::size_t min_users = 5;  // of a word

std::size_t n_columns(const DemographicMap::Field& field) {
    return field.words.empty() ? field.cuts.size() + 1 : field.words.size();
}

/// The columns that are 1 for this text; none where it is not known, or no word is.
std::vector<std::size_t> columns_of(const DemographicMap::Field& field, std::string_view text) {
    std::vector<std::size_t> columns;
    if (field.words.empty()) {
        float number = 0;
        const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (status == std::errc{} && end == text.data() + text.size()) {
            const auto bin = std::ranges::lower_bound(field.cuts, number) - field.cuts.begin();
            columns.push_back(field.first + static_cast<std::size_t>(bin));
        }
        return columns;
    }
    while (!text.empty()) {
        const auto word = text.substr(0, text.find('|'));
        text.remove_prefix(std::min(text.size(), word.size() + 1));
        if (const auto found = std::ranges::find(field.words, word); found != field.words.end()) {
            columns.push_back(field.first + static_cast<std::size_t>(found - field.words.begin()));
        }
    }
    return columns;
}

/// Values between which a number falls into bins of about as many training users each.
std::vector<float> cuts_of(const data::Field& field, std::span<const std::uint32_t> users) {
    std::vector<float> values;
    for (const auto u : users) {
        if (u < field.present.size() && field.present[u] != 0) {
            values.push_back(field.numbers[u]);
        }
    }
    std::ranges::sort(values);
    std::vector<float> cuts;
    for (std::size_t bin = 1; bin < n_bins && !values.empty(); ++bin) {
        const auto cut = values[values.size() * bin / n_bins];
        if (cut < values.back() && (cuts.empty() || cut > cuts.back())) {
            cuts.push_back(cut);
        }
    }
    return cuts;
}

std::vector<std::string> words_of(const data::Field& field, std::span<const std::uint32_t> users) {
    std::vector<std::size_t> counts(field.vocabulary.size());
    for (const auto u : users) {
        if (u < field.present.size() && field.present[u] != 0) {
            for (const auto code : field.row_codes(u)) {
                ++counts[code];
            }
        }
    }
    std::vector<std::string> words;
    for (std::size_t code = 0; code < counts.size(); ++code) {
        if (counts[code] >= min_users) {
            words.push_back(field.vocabulary[code]);
        }
    }
    return words;
}

std::vector<DemographicMap::Field> fields_of(
    const data::Catalogue& users, std::span<const std::uint32_t> active
) {
    std::vector<DemographicMap::Field> fields;
    std::size_t first = 0;
    for (const auto& field : users.fields()) {
        DemographicMap::Field known{.name = field.name, .words = {}, .cuts = {}, .first = first};
        switch (field.kind) {
            case data::FieldKind::category:
            case data::FieldKind::categories:
                known.words = words_of(field, active);
                break;
            case data::FieldKind::number:
                known.cuts = cuts_of(field, active);
                break;
            case data::FieldKind::text:
            case data::FieldKind::link:
                break;
        }
        if (known.words.empty() && known.cuts.empty()) {
            continue;
        }
        first += n_columns(known);
        fields.push_back(std::move(known));
    }
    return fields;
}

std::vector<std::string> joined_words(std::span<const DemographicMap::Field> fields) {
    std::vector<std::string> words;
    for (const auto& field : fields) {
        words.insert(words.end(), field.words.begin(), field.words.end());
    }
    return words;
}

Error not_fitting() {
    return {
        ErrorCode::corrupt,
        "the demographic map of the gaussian prior does not fit together",
        "train the run again"
    };
}

}  // namespace

DemographicMap::DemographicMap(std::vector<Field> fields, std::vector<float> shares, ContentMap map)
    : fields_(std::move(fields)), shares_(std::move(shares)), map_(std::move(map)) {}

std::optional<std::vector<float>> DemographicMap::mean_of(const data::History& history) const {
    if (empty()) {
        return {};
    }
    auto columns = shares_;
    bool is_any_known = false;
    for (const auto& field : fields_) {
        const auto known = columns_of(field, history.attribute(field.name));
        if (known.empty()) {
            continue;
        }
        is_any_known = true;
        std::ranges::fill(std::span{columns}.subspan(field.first, n_columns(field)), 0.0F);
        for (const auto column : known) {
            columns[column] = 1;
        }
    }
    return is_any_known ? std::optional{map_.place(columns)} : std::nullopt;
}

void DemographicMap::save(SafetensorsWriter& weights, const std::string& prefix) const {
    if (empty()) {
        return;
    }
    std::vector<std::string> names;
    std::vector<float> cuts;
    std::vector<std::uint64_t> sizes;  // words and cuts of each field
    for (const auto& field : fields_) {
        names.push_back(field.name);
        sizes.push_back(field.words.size());
        sizes.push_back(field.cuts.size());
        cuts.insert(cuts.end(), field.cuts.begin(), field.cuts.end());
    }
    const auto name = [&](const char* what) { return prefix + "demographic_" + what; };
    weights.add_strings(name("fields"), names);
    weights.add_strings(name("words"), joined_words(fields_));
    weights.add<std::uint64_t>(name("sizes"), sizes);
    weights.add<float>(name("cuts"), std::span<const float>{cuts});
    weights.add<float>(name("shares"), std::span<const float>{shares_});
    weights.add<float>(name("map"), map_.weights.view());
    weights.add<float>(name("offset"), std::span<const float>{map_.offset});
}

DemographicMap DemographicMap::load(
    const SafetensorsFile& weights, const std::string& prefix, std::size_t dim
) {
    const auto name = [&](const char* what) { return prefix + "demographic_" + what; };
    if (!weights.contains(name("map"))) {
        return {};
    }
    const auto names = value_or_throw(weights.strings(name("fields")));
    const auto words = value_or_throw(weights.strings(name("words")));
    const auto sizes = value_or_throw(weights.values<std::uint64_t>(name("sizes")));
    const auto cuts = value_or_throw(weights.values<float>(name("cuts")));
    const auto shares = value_or_throw(weights.values<float>(name("shares")));
    const auto matrix = value_or_throw(weights.matrix<float>(name("map")));
    const auto offset = value_or_throw(weights.values<float>(name("offset")));
    if (sizes.size() != 2 * names.size() || matrix.cols() != dim || offset.size() != dim ||
        matrix.rows() != shares.size()) {
        throw not_fitting();
    }
    std::vector<Field> fields;
    std::size_t word = 0;
    std::size_t cut = 0;
    std::size_t column = 0;
    for (std::size_t f = 0; f < names.size(); ++f) {
        Field field{.name = std::string{names[f]}, .words = {}, .cuts = {}, .first = column};
        if (sizes[2 * f] > words.size() - word || sizes[2 * f + 1] > cuts.size() - cut) {
            throw not_fitting();
        }
        for (std::uint64_t i = 0; i < sizes[2 * f]; ++i) {
            field.words.emplace_back(words[word++]);
        }
        for (std::uint64_t i = 0; i < sizes[2 * f + 1]; ++i) {
            field.cuts.push_back(cuts[cut++]);
        }
        column += n_columns(field);
        fields.push_back(std::move(field));
    }
    if (column != shares.size()) {
        throw not_fitting();
    }
    ContentMap map;
    map.weights = Matrix<float>(matrix.rows(), matrix.cols());
    for (std::size_t r = 0; r < matrix.rows(); ++r) {
        std::ranges::copy(matrix.row(r), map.weights.row(r).begin());
    }
    map.offset.assign(offset.begin(), offset.end());
    return {std::move(fields), {shares.begin(), shares.end()}, std::move(map)};
}

DemographicMap fit_demographic_map(
    const data::Catalogue& users, const PreferenceSpace& space, Rng rng
) {
    auto fields = fields_of(users, space.active);
    if (fields.empty()) {
        throw Error{
            ErrorCode::invalid_argument,
            "demographics: users have no field to learn from",
            "add a users file with categories or numbers (gender, age, country), or leave it off",
        };
    }
    const auto n = fields.back().first + n_columns(fields.back());
    encode::ItemVectors known{.encoder = "demographics"};
    known.vectors = Matrix<float>(space.users.rows(), n);
    known.present.assign(space.users.rows(), 0);
    std::vector<float> shares(n);
    const auto texts_of = [&](const DemographicMap::Field& field, std::uint32_t user) {
        return user < users.n_rows() ? users.find(field.name)->text(user) : std::string{};
    };
    for (const auto& field : fields) {
        float n_known = 0;
        std::vector<std::uint32_t> unknown;
        for (const auto u : space.active) {
            const auto columns = columns_of(field, texts_of(field, u));
            if (columns.empty()) {
                unknown.push_back(u);
                continue;
            }
            known.present[u] = 1;
            n_known += 1;
            for (const auto c : columns) {
                known.vectors(u, c) = 1;
                shares[c] += 1;
            }
        }
        for (auto& share : std::span{shares}.subspan(field.first, n_columns(field))) {
            share /= std::max(1.0F, n_known);
        }
        for (const auto u : unknown) {
            std::ranges::copy(
                std::span{shares}.subspan(field.first, n_columns(field)),
                known.vectors.row(u).subspan(field.first).begin()
            );
        }
    }
    auto map = fit_content_map(
        {.content = known, .vectors = space.users.view(), .n_events = space.events_of_user},
        std::move(rng)
    );
    return {std::move(fields), std::move(shares), std::move(map)};
}

}  // namespace hg::train

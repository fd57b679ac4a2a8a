// SPDX-License-Identifier: Apache-2.0
// Small catalogues and folders for the tests of encode.
#pragma once

#include "data/catalogue.hpp"

#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace hg::encode {

inline data::Field text_field(const std::string& name, const std::vector<std::string>& texts) {
    data::Field field;
    field.name = name;
    for (const auto& text : texts) {
        field.present.push_back(text.empty() ? 0 : 1);
    }
    field.texts = texts;
    return field;
}

inline data::Field number_field(
    const std::string& name, const std::vector<std::optional<float>>& numbers
) {
    data::Field field;
    field.name = name;
    field.kind = data::FieldKind::number;
    for (const auto& number : numbers) {
        field.present.push_back(number ? 1 : 0);
        field.numbers.push_back(number.value_or(0.0F));
    }
    return field;
}

inline data::Field categories_field(
    const std::string& name, const std::vector<std::vector<std::string>>& rows
) {
    data::Field field;
    field.name = name;
    field.kind = data::FieldKind::categories;
    field.code_offsets = {0};
    std::map<std::string, std::uint32_t> codes;
    for (const auto& row : rows) {
        field.present.push_back(row.empty() ? 0 : 1);
        for (const auto& word : row) {
            const auto [found, is_new] =
                codes.emplace(word, static_cast<std::uint32_t>(codes.size()));
            if (is_new) {
                field.vocabulary.push_back(word);
            }
            field.codes.push_back(found->second);
        }
        field.code_offsets.push_back(static_cast<std::int64_t>(field.codes.size()));
    }
    return field;
}

/// Six films and one item of which nothing is known.
inline data::Catalogue film_catalogue() {
    const std::vector<std::string> titles{
        "Toy Story", "Toy Story 2", "Alien", "Aliens", "Heat", "Alien 3", ""
    };
    const std::vector<std::vector<std::string>> genres{
        {"Animation", "Comedy"},
        {"Animation", "Comedy"},
        {"Horror", "Sci-Fi"},
        {"Action", "Sci-Fi"},
        {"Action", "Crime"},
        {"Horror", "Sci-Fi"},
        {}
    };
    const std::vector<std::optional<float>> years{
        1995, 1999, 1979, 1986, 1995, std::nullopt, std::nullopt
    };
    return data::Catalogue{
        7,
        {text_field("title", titles),
         categories_field("genres", genres),
         number_field("year", years)}
    };
}

inline data::Catalogue one_row(const data::Catalogue& items, std::size_t row) {
    std::vector<data::Field> fields;
    for (const auto& field : items.fields()) {
        data::Field one;
        one.name = field.name;
        one.kind = field.kind;
        one.present = {field.present[row]};
        if (!field.texts.empty()) {
            one.texts = {field.texts[row]};
        }
        if (!field.numbers.empty()) {
            one.numbers = {field.numbers[row]};
        }
        if (!field.code_offsets.empty()) {
            const auto codes = field.row_codes(row);
            one.vocabulary = field.vocabulary;
            one.codes = {codes.begin(), codes.end()};
            one.code_offsets = {0, static_cast<std::int64_t>(codes.size())};
        }
        fields.push_back(std::move(one));
    }
    return {1, std::move(fields)};
}

/// A folder of a test's own, removed at its end.
class TempFolder {
  public:
    TempFolder() {
        auto pattern = (std::filesystem::temp_directory_path() / "hg-encode-XXXXXX").string();
        path_ = ::mkdtemp(pattern.data());
    }

    TempFolder(const TempFolder&) = delete;
    TempFolder& operator=(const TempFolder&) = delete;
    TempFolder(TempFolder&&) = delete;
    TempFolder& operator=(TempFolder&&) = delete;

    ~TempFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

  private:
    std::filesystem::path path_;
};

}  // namespace hg::encode

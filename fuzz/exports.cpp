// fuzz: links hg_data
// SPDX-License-Identifier: Apache-2.0
// Any bytes as an export of a shop: recognised or not, mapped by the rules of every importer, and
// taken for orders.
#include "core/error.hpp"
#include "data/cell.hpp"
#include "data/convert_cell.hpp"
#include "data/mapped_rows.hpp"
#include "data/order_lines.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace {

void drain(hg::data::RowReader& reader) {
    std::size_t last_line = 0;
    for (hg::data::Row row; reader.next(row);) {
        HG_CHECK(row.line >= last_line, "lines must not fall");
        HG_CHECK(row.cells.size() == reader.columns().size(), "a row must fit the header");
        last_line = row.line;
    }
}

hg::data::OrderState bought(std::string_view /*state*/) {
    return hg::data::OrderState::bought;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    using namespace hg::data;  // NOLINT(google-build-using-namespace): one function
    const std::string_view text{reinterpret_cast<const char*>(bytes), size};
    (void)recognise(parse_file_head(text));
    ImportContext context;
    for (const auto* entry : importers()) {
        const auto rules = entry->tables[0].columns;
        MappedRows rows{export_rows(text), rules, {}, context};
        drain(rows);
        if (rows.columns().size() <= order_column::quantity_returned) {
            continue;
        }
        for (const auto kind : {TableKind::interactions, TableKind::items}) {
            auto lines = std::make_unique<MappedRows>(export_rows(text), rules, nullptr, context);
            OrderLines orders{std::move(lines), kind, &bought, context};
            drain(orders);
        }
    }
    std::string scratch;
    const bool is_clean = is_utf8(text);
    for (auto* const convert :
         {&price_of, &comma_list, &category_path, &first_of_list, &html_text, &time_of_microseconds
         }) {
        const auto out = convert(text, scratch);
        HG_CHECK(!is_clean || convert != &html_text || is_utf8(out), "UTF-8 must stay UTF-8");
    }
    return 0;
}

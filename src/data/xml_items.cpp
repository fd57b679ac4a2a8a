// SPDX-License-Identifier: Apache-2.0
#include "data/xml_items.hpp"

#include "data/cell.hpp"

#include <expat.h>
#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

namespace hg::data {
namespace {

/// "g:price" -> "price".
std::string_view local_name(std::string_view name) {
    const auto colon = name.rfind(':');
    return colon == name.npos ? name : name.substr(colon + 1);
}

struct Item {
    std::size_t line = 0;
    std::size_t begin = 0;  // of its bytes in the text
    std::size_t end = 0;
    std::vector<std::string> cells;
    std::string problem;
};

}  // namespace

struct XmlItemReader::Parser {
    Parser(std::string_view whole, std::vector<std::string>& names)
        : text(whole), columns(names), expat(::XML_ParserCreate(nullptr)) {
        HG_CHECK(expat != nullptr, "expat starts");
        ::XML_SetUserData(expat, this);
        ::XML_SetElementHandler(expat, &on_begin, &on_end);
        ::XML_SetCharacterDataHandler(expat, &on_text);
    }

    Parser(const Parser&) = delete;
    Parser& operator=(const Parser&) = delete;
    Parser(Parser&&) = delete;
    Parser& operator=(Parser&&) = delete;

    ~Parser() { ::XML_ParserFree(expat); }

    static void on_begin(void* self, const XML_Char* name, const XML_Char** attributes) {
        static_cast<Parser*>(self)->begin(local_name(name), attributes);
    }

    static void on_end(void* self, const XML_Char* /*name*/) { static_cast<Parser*>(self)->end(); }

    static void on_text(void* self, const XML_Char* bytes, int size) {
        auto& parser = *static_cast<Parser*>(self);
        if (parser.depth == parser.item_depth + 1 && parser.item_depth > 0) {
            parser.value.append(bytes, static_cast<std::size_t>(size));
        }
    }

    void begin(std::string_view name, const XML_Char** attributes) {
        ++depth;
        if (item_depth == 0 && (name == "item" || name == "entry")) {
            item_depth = depth;
            item = {};
            item.line = ::XML_GetCurrentLineNumber(expat);
            item.begin = static_cast<std::size_t>(::XML_GetCurrentByteIndex(expat));
        } else if (item_depth > 0 && depth == item_depth + 1) {
            child = column(name);
            value.clear();
            for (const auto* at = attributes; *at != nullptr; at += 2) {
                if (std::string_view{*at} == "href") {  // Atom's <link href="...">
                    value = at[1];
                }
            }
        }
    }

    void end() {
        if (item_depth > 0 && depth == item_depth + 1) {
            keep_value();
        } else if (item_depth > 0 && depth == item_depth) {
            const auto here = ::XML_GetCurrentByteIndex(expat) + ::XML_GetCurrentByteCount(expat);
            item.end = static_cast<std::size_t>(here);
            items.push_back(std::move(item));
            item_depth = 0;
        }
        --depth;
    }

    void keep_value() {
        const auto word = trim(value);
        if (word.empty()) {
            return;
        }
        if (item.cells.size() <= child) {
            item.cells.resize(columns.size());
        }
        auto& cell = item.cells[child];
        if (!cell.empty()) {
            cell += list_separator;
        }
        cell += word;
        value.clear();
    }

    std::size_t column(std::string_view name) {
        const auto found = std::ranges::find(columns, name);
        if (found != columns.end()) {
            return static_cast<std::size_t>(found - columns.begin());
        }
        columns.emplace_back(name);
        return columns.size() - 1;
    }

    /// Parses on until an item is whole, the text ends or it breaks.
    void parse_some() {
        constexpr std::size_t chunk = 64 << 10;
        while (items.empty() && !is_done) {
            const auto size = std::min(chunk, text.size() - position);
            const bool is_last = position + size == text.size();
            const auto status = ::XML_Parse(
                expat,
                text.data() + position,
                static_cast<int>(size),
                is_last ? XML_TRUE : XML_FALSE
            );
            position += size;
            is_done = is_last;
            if (status == XML_STATUS_ERROR) {
                Item broken;
                broken.line = ::XML_GetCurrentLineNumber(expat);
                broken.problem =
                    fmt::format("is not XML: {}", ::XML_ErrorString(::XML_GetErrorCode(expat)));
                items.push_back(std::move(broken));
                is_done = true;
            }
        }
    }

    std::string_view text;
    std::vector<std::string>& columns;
    XML_Parser expat;
    std::size_t position = 0;
    bool is_done = false;
    int depth = 0;
    int item_depth = 0;  // 0 = not inside an item
    std::size_t child = 0;
    std::string value;
    Item item;
    Item current;  // what the last row's cells are views of
    std::deque<Item> items;
};

XmlItemReader::XmlItemReader(std::string_view text)
    : parser_(std::make_unique<Parser>(text, columns_)) {}

XmlItemReader::~XmlItemReader() = default;

std::size_t XmlItemReader::estimated_rows() const {
    constexpr std::size_t bytes_an_item = 1000;
    return parser_->text.size() / bytes_an_item + 1;
}

bool XmlItemReader::next(Row& row) {
    auto& parser = *parser_;
    parser.parse_some();
    if (parser.items.empty()) {
        return false;
    }
    parser.current = std::move(parser.items.front());
    parser.items.pop_front();
    const auto& item = parser.current;
    row.line = item.line;
    row.problem = item.problem;
    row.advice =
        item.problem.empty() ? "" : "nothing behind this line was read; export the feed again";
    row.text = {};
    if (item.begin < item.end && item.end <= parser.text.size()) {
        row.text = parser.text.substr(item.begin, item.end - item.begin);
    }
    row.cells.assign(columns_.size(), {});
    std::ranges::copy(item.cells, row.cells.begin());
    return true;
}

}  // namespace hg::data

// SPDX-License-Identifier: Apache-2.0
#include "data/delimited.hpp"

#include "data/cell.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace hg::data {
char guess_separator(std::string_view text) {
    const auto header = text.substr(0, text.find('\n'));
    for (const char candidate : {',', ';', '\t', '|'}) {
        if (header.find(candidate) != std::string_view::npos) {
            return candidate;
        }
    }
    return ',';
}

DelimitedReader::DelimitedReader(std::string_view text, char separator, Quotes quotes)
    : text_(text), separator_(separator), quotes_(quotes) {
    Row header;
    if (position_ < text_.size()) {
        split(header);
    }
    for (const auto cell : header.cells) {
        columns_.emplace_back(trim(cell));
    }
}

std::size_t DelimitedReader::estimated_rows() const {
    return estimated_lines(text_);
}

bool DelimitedReader::next(Row& row) {
    while (position_ < text_.size()) {
        const auto start = position_;
        split(row);
        const bool is_blank = row.cells.size() == 1 && trim(row.cells.front()).empty();
        if (is_blank && row.problem.empty()) {
            continue;
        }
        if (row.problem.empty() && row.cells.size() != columns_.size()) {
            row.problem =
                fmt::format("has {} cells, the header has {}", row.cells.size(), columns_.size());
            row.advice = "quote cells that hold the separator, fill missing cells with nothing";
        }
        row.text = text_.substr(start, position_ - start);
        while (row.text.ends_with('\n') || row.text.ends_with('\r')) {
            row.text.remove_suffix(1);
        }
        row.cells.resize(columns_.size());
        return true;
    }
    return false;
}

void DelimitedReader::split(Row& row) {
    const auto start = position_;
    row.line = line_;
    row.cells.clear();
    row.problem.clear();
    row.advice.clear();
    scratch_used_ = 0;
    for (;;) {
        const bool is_quoted =
            quotes_ == Quotes::rfc4180 && position_ < text_.size() && text_[position_] == '"';
        const auto cell = is_quoted ? quoted_cell(row) : plain_cell();
        if (!row.problem.empty()) {
            skip_line_of(row, start);
            return;
        }
        row.cells.push_back(cell);
        if (position_ >= text_.size()) {
            return;
        }
        const char stop = text_[position_++];
        if (stop == separator_) {
            continue;
        }
        ++line_;
        return;
    }
}

std::string_view DelimitedReader::plain_cell() {
    const auto* const begin = text_.data() + position_;
    const auto* const end = text_.data() + text_.size();
    const auto* at = begin;
    while (at != end && *at != separator_ && *at != '\n') {
        ++at;
    }
    auto cell = std::string_view{begin, static_cast<std::size_t>(at - begin)};
    position_ += cell.size();
    if (cell.ends_with('\r') && (at == end || *at == '\n')) {
        cell.remove_suffix(1);
    }
    if (quotes_ == Quotes::whole_cell && cell.size() >= 2 && cell.starts_with('"') &&
        cell.ends_with('"')) {
        return without_quotes(cell.substr(1, cell.size() - 2));
    }
    return cell;
}

std::string_view DelimitedReader::quoted_cell(Row& row) {
    const auto begin = position_ + 1;
    bool has_doubled = false;
    auto close = text_.find('"', begin);
    while (close != std::string_view::npos && close + 1 < text_.size() && text_[close + 1] == '"') {
        has_doubled = true;
        close = text_.find('"', close + 2);
    }
    if (close == std::string_view::npos) {
        row.problem =
            fmt::format("cell {} opens a quote that is never closed", row.cells.size() + 1);
        row.advice = "close the quote, and write a quote inside a cell as two";
        return {};
    }
    const auto inside = text_.substr(begin, close - begin);
    position_ = close + 1;
    if (text_.substr(position_, 2) == "\r\n" || text_.substr(position_) == "\r") {
        ++position_;
    }
    if (position_ < text_.size() && text_[position_] != separator_ && text_[position_] != '\n') {
        row.problem =
            fmt::format("cell {} has text behind its closing quote", row.cells.size() + 1);
        row.advice = "write a quote inside a cell as two";
        return {};
    }
    line_ += static_cast<std::size_t>(std::ranges::count(inside, '\n'));
    return has_doubled ? without_quotes(inside) : inside;
}

std::string_view DelimitedReader::without_quotes(std::string_view inside) {
    if (inside.find('"') == std::string_view::npos) {
        return inside;
    }
    if (scratch_used_ == scratch_.size()) {
        scratch_.emplace_back();
    }
    auto& out = scratch_[scratch_used_++];
    out.clear();
    for (std::size_t i = 0; i < inside.size(); ++i) {
        out += inside[i];
        if (inside[i] == '"' && i + 1 < inside.size() && inside[i + 1] == '"') {
            ++i;
        }
    }
    return out;
}

void DelimitedReader::skip_line_of(Row& row, std::size_t start) {
    const auto end = text_.find('\n', start);
    position_ = end == std::string_view::npos ? text_.size() : end + 1;
    line_ = row.line + 1;
}

}  // namespace hg::data

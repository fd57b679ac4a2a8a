// SPDX-License-Identifier: Apache-2.0
#include "data/file_head.hpp"

#include "data/delimited.hpp"
#include "data/file_rows.hpp"
#include "data/json_lines.hpp"
#include "data/xml_items.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <utility>

namespace hg::data {
namespace {

constexpr std::size_t head_bytes = 256 << 10;
constexpr std::string_view utf8_mark = "\xef\xbb\xbf";

FileForm form_of(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) {
        return FileForm::delimited;
    }
    const char c = text[first];
    return c == '{' ? FileForm::json_lines : c == '<' ? FileForm::xml : FileForm::delimited;
}

}  // namespace

bool may_be_export(const std::filesystem::path& path) {
    constexpr std::array<std::string_view, 7> extensions{
        ".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".xml"
    };
    auto plain = path.filename();
    if (plain.extension() == ".gz") {
        plain = plain.stem();
    }
    return std::ranges::find(extensions, plain.extension().string()) != extensions.end();
}

FileHead parse_file_head(std::string_view text) {
    if (text.starts_with(utf8_mark)) {
        text.remove_prefix(utf8_mark.size());
    }
    FileHead head{.form = form_of(text), .columns = {}};
    const auto rows = export_rows(text);
    if (!rows->has_header()) {
        Row row;
        (void)(rows->next(row) && row.problem.empty());
    }
    head.columns = rows->columns();
    return head;
}

Result<FileHead> read_file_head(const std::filesystem::path& path) {
    // zlib's gzread passes plain files through.
    const auto close = [](gzFile file) { ::gzclose(file); };
    const std::unique_ptr<gzFile_s, decltype(close)> file{::gzopen(path.c_str(), "rb"), close};
    if (!file) {
        return fail(
            ErrorCode::not_found, path.string() + ": cannot be opened", "check the permissions"
        );
    }
    std::string text(head_bytes, '\0');
    const int n = ::gzread(file.get(), text.data(), static_cast<unsigned>(text.size()));
    // A damaged file is named when it is read.
    text.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
    return parse_file_head(text);
}

std::unique_ptr<RowReader> export_rows(std::string_view text) {
    switch (form_of(text)) {
        case FileForm::json_lines:
            return std::make_unique<JsonLinesReader>(text, Nested::taken_apart);
        case FileForm::xml:
            return std::make_unique<XmlItemReader>(text);
        case FileForm::delimited:
            break;
    }
    const char separator = guess_separator(text);
    const auto quotes = separator == '\t' ? Quotes::whole_cell : Quotes::rfc4180;
    return std::make_unique<DelimitedReader>(text, separator, quotes);
}

Result<std::unique_ptr<RowReader>> open_export(const std::filesystem::path& path) {
    HG_TRY(auto file, TextFile::open(path));
    return std::make_unique<FileRows>(std::move(file), &export_rows);
}

}  // namespace hg::data

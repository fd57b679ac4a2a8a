// SPDX-License-Identifier: Apache-2.0
// FileHead: what the first bytes of a file tell of it: its form and the names of its columns.
//
//   const auto head = value_or_throw(read_file_head("feed.xml.gz"));   // form xml, id, title, ...
#pragma once

#include "core/error.hpp"
#include "data/row_reader.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace hg::data {

enum class FileForm : std::uint8_t { delimited, json_lines, xml };

struct FileHead {
    FileForm form = FileForm::delimited;
    std::vector<std::string> columns;  // of the header, the first object or the first item
};

/// Whether the name is one that exports have: .csv, .tsv, .txt, .json(l), .ndjson, .xml, or .gz of
/// them.
[[nodiscard]] bool may_be_export(const std::filesystem::path& path);

/// Reads at most 256 KiB; a file that is nothing of the kind has no columns.
[[nodiscard]] Result<FileHead> read_file_head(const std::filesystem::path& path);

/// The form and columns of a text; the last line may be cut.
[[nodiscard]] FileHead parse_file_head(std::string_view text);

/// The rows of a text that outlives the reader, by its form; objects inside JSON objects are taken
/// apart: "Labels.genre".
[[nodiscard]] std::unique_ptr<RowReader> export_rows(std::string_view text);

/// The rows of an export as it stands, by its form and not by its extension.
[[nodiscard]] Result<std::unique_ptr<RowReader>> open_export(const std::filesystem::path& path);

}  // namespace hg::data

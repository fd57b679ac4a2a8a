// SPDX-License-Identifier: Apache-2.0
// Parquet files as rows of text, by the Arrow C++ of the pinned wheel pyarrow (deps/parquet.txt).
//
// Numbers come as their text, times as ISO 8601 in UTC, lists as words joined by list_separator, what
// is missing as an empty cell; columns of other nested types are empty. A build without Arrow says
// how to get it. Only parquet_rows.cpp names Arrow.
#pragma once

#include "core/error.hpp"
#include "data/row_reader.hpp"

#include <filesystem>
#include <memory>
#include <string_view>

namespace hg::data {

[[nodiscard]] Result<std::unique_ptr<RowReader>> open_parquet(const std::filesystem::path& path);

/// Of bytes that outlive the reader; `name` appears in errors.
[[nodiscard]] Result<std::unique_ptr<RowReader>> open_parquet_bytes(
    std::string_view bytes, std::string_view name
);

/// Whether this build reads Parquet.
[[nodiscard]] bool has_parquet() noexcept;

}  // namespace hg::data

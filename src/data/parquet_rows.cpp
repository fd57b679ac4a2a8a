// SPDX-License-Identifier: Apache-2.0
#include "data/parquet_rows.hpp"

#ifdef HG_HAS_PARQUET

#include "core/clock.hpp"
#include "data/cell.hpp"
#include "data/time_text.hpp"

#include <arrow/api.h>
#include <arrow/io/api.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>
#include <parquet/exception.h>
#include <parquet/properties.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace hg::data {
namespace {

Error not_parquet(std::string_view name, std::string_view what) {
    return {
        ErrorCode::corrupt,
        fmt::format("{}: not a whole Parquet file: {}", name, what.substr(0, what.find('\n'))),
        "copy or write the file again",
    };
}

/// Milliseconds of a count in that unit, rounded towards the past.
TimeMs milliseconds_of(std::int64_t count, arrow::TimeUnit::type unit) {
    const auto floor_by = [count](std::int64_t divisor) {
        return count / divisor - (count % divisor < 0 ? 1 : 0);
    };
    switch (unit) {
        case arrow::TimeUnit::SECOND:
            return count * 1000;
        case arrow::TimeUnit::MILLI:
            return count;
        case arrow::TimeUnit::MICRO:
            return floor_by(1000);
        case arrow::TimeUnit::NANO:
            return floor_by(1'000'000);
    }
    return count;
}

void append_time(std::string& out, TimeMs time) {
    constexpr TimeMs year_9999 = 253'402'300'799'999;
    constexpr TimeMs year_0 = -62'167'219'200'000;
    if (time < year_0 || time > year_9999) {
        out += "beyond the calendar";  // named and rejected as no time
        return;
    }
    const auto rest = ((time % 1000) + 1000) % 1000;
    out += fmt::format("{}.{:03}Z", format_time(time), rest);
}

template <typename Array>
void append_number(std::string& out, const arrow::Array& array, std::int64_t row) {
    fmt::format_to(std::back_inserter(out), "{}", static_cast<const Array&>(array).Value(row));
}

/// Arrow does not look at every offset and code of a damaged file.
void check_within(std::int64_t begin, std::int64_t end, std::int64_t size) {
    if (begin < 0 || end < begin || end > size) {
        throw std::out_of_range{"a value lies outside of its column"};
    }
}

template <typename Array>
void append_text(std::string& out, const arrow::Array& array, std::int64_t row) {
    const auto& text = static_cast<const Array&>(array);
    const auto bytes = text.value_data();
    check_within(
        text.value_offset(row), text.value_offset(row + 1), bytes == nullptr ? 0 : bytes->size()
    );
    out += text.GetView(row);
}

void append_value(std::string& out, const arrow::Array& array, std::int64_t row);

void append_list(
    std::string& out, const arrow::Array& words, std::int64_t begin, std::int64_t end
) {
    check_within(begin, end, words.length());
    bool is_first = true;
    for (auto i = begin; i < end; ++i) {
        if (words.IsNull(i)) {
            continue;
        }
        if (!is_first) {
            out += list_separator;
        }
        append_value(out, words, i);
        is_first = false;
    }
}

/// Nothing for types that are no cell: structs, maps.
void append_value(std::string& out, const arrow::Array& array, std::int64_t row) {
    using Type = arrow::Type;
    switch (array.type_id()) {
        case Type::STRING:
        case Type::BINARY:
            return append_text<arrow::BinaryArray>(out, array, row);
        case Type::LARGE_STRING:
        case Type::LARGE_BINARY:
            return append_text<arrow::LargeBinaryArray>(out, array, row);
        case Type::BOOL:
            out += static_cast<const arrow::BooleanArray&>(array).Value(row) ? "true" : "false";
            return;
        case Type::INT8:
            fmt::format_to(
                std::back_inserter(out),
                "{}",
                static_cast<int>(static_cast<const arrow::Int8Array&>(array).Value(row))
            );
            return;
        case Type::UINT8:
            fmt::format_to(
                std::back_inserter(out),
                "{}",
                static_cast<int>(static_cast<const arrow::UInt8Array&>(array).Value(row))
            );
            return;
        case Type::INT16:
            return append_number<arrow::Int16Array>(out, array, row);
        case Type::UINT16:
            return append_number<arrow::UInt16Array>(out, array, row);
        case Type::INT32:
            return append_number<arrow::Int32Array>(out, array, row);
        case Type::UINT32:
            return append_number<arrow::UInt32Array>(out, array, row);
        case Type::INT64:
            return append_number<arrow::Int64Array>(out, array, row);
        case Type::UINT64:
            return append_number<arrow::UInt64Array>(out, array, row);
        case Type::FLOAT:
            return append_number<arrow::FloatArray>(out, array, row);
        case Type::DOUBLE:
            return append_number<arrow::DoubleArray>(out, array, row);
        case Type::DECIMAL128:
            out += static_cast<const arrow::Decimal128Array&>(array).FormatValue(row);
            return;
        case Type::DATE32: {
            constexpr TimeMs day = 86'400'000;
            constexpr std::size_t date_length = 10;  // 2024-03-01
            const auto begin = out.size();
            append_time(out, static_cast<const arrow::Date32Array&>(array).Value(row) * day);
            out.resize(std::min(out.size(), begin + date_length));
            return;
        }
        case Type::TIMESTAMP: {
            const auto& type = static_cast<const arrow::TimestampType&>(*array.type());
            const auto count = static_cast<const arrow::TimestampArray&>(array).Value(row);
            constexpr std::int64_t most_seconds = 1'000'000'000'000;
            const bool is_far = type.unit() == arrow::TimeUnit::SECOND &&
                                (count > most_seconds || count < -most_seconds);
            return append_time(out, is_far ? INT64_MAX : milliseconds_of(count, type.unit()));
        }
        case Type::DICTIONARY: {
            const auto& coded = static_cast<const arrow::DictionaryArray&>(array);
            const auto code = coded.GetValueIndex(row);
            check_within(code, code + 1, coded.dictionary()->length());
            return append_value(out, *coded.dictionary(), code);
        }
        case Type::LIST: {
            const auto& list = static_cast<const arrow::ListArray&>(array);
            return append_list(
                out, *list.values(), list.value_offset(row), list.value_offset(row + 1)
            );
        }
        case Type::LARGE_LIST: {
            const auto& list = static_cast<const arrow::LargeListArray&>(array);
            return append_list(
                out, *list.values(), list.value_offset(row), list.value_offset(row + 1)
            );
        }
        default:
            return;
    }
}

class ParquetRows final : public RowReader {
  public:
    explicit ParquetRows(std::unique_ptr<parquet::arrow::FileReader> file)
        : file_(std::move(file)) {}

    /// Reads the schema; the error says what is wrong with the file.
    arrow::Status begin() {
        std::shared_ptr<arrow::Schema> schema;
        ARROW_RETURN_NOT_OK(file_->GetSchema(&schema));
        for (const auto& field : schema->fields()) {
            columns_.emplace_back(trim(field->name()));
        }
        n_rows_ = file_->parquet_reader()->metadata()->num_rows();
        ARROW_ASSIGN_OR_RAISE(batches_, file_->GetRecordBatchReader());
        return arrow::Status::OK();
    }

    bool next(Row& row) override {
        row.problem.clear();
        row.advice.clear();
        if (!has_failed_ && (batch_ == nullptr || at_ == batch_->num_rows())) {
            fetch(row);
        }
        if (has_failed_ || batch_ == nullptr) {
            return !row.problem.empty();
        }
        try {
            write_cells();
        } catch (const std::out_of_range& error) {
            fail(row, error.what());
            return true;
        }
        row.line = ++line_;
        row.cells.resize(columns_.size());
        std::size_t begin = 0;
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            row.cells[i] = std::string_view{text_}.substr(begin, ends_[i] - begin);
            begin = ends_[i] + 1;
        }
        row.text = std::string_view{text_}.substr(0, text_.empty() ? 0 : text_.size() - 1);
        ++at_;
        return true;
    }

    [[nodiscard]] std::size_t estimated_rows() const override {
        constexpr std::int64_t believed = 1'000'000'000;  // the footer of a damaged file may lie
        return static_cast<std::size_t>(std::clamp<std::int64_t>(n_rows_, 0, believed));
    }

  private:
    void write_cells() {
        text_.clear();
        ends_.clear();
        for (int i = 0; i < batch_->num_columns(); ++i) {
            const auto& column = *batch_->column(i);
            if (!column.IsNull(at_)) {
                append_value(text_, column, at_);
            }
            ends_.push_back(text_.size());
            text_ += ',';
        }
    }

    /// The next rows; a damaged page is one row with a problem, behind which nothing can be read.
    void fetch(Row& row) {
        at_ = 0;
        batch_ = nullptr;
        std::string problem;
        try {
            do {
                const auto read = batches_->ReadNext(&batch_);
                problem = read.ok() ? "" : read.message();
            } while (problem.empty() && batch_ != nullptr && batch_->num_rows() == 0);
        } catch (const std::exception& error) {  // Parquet throws, Arrow returns
            problem = error.what();
        }
        if (problem.empty() && batch_ != nullptr) {
            const auto valid = batch_->Validate();
            problem = valid.ok() ? "" : valid.message();
        }
        if (!problem.empty()) {
            fail(row, problem);
        }
    }

    void fail(Row& row, std::string_view problem) {
        has_failed_ = true;
        row.line = line_ + 1;
        row.text = {};
        row.cells.assign(columns_.size(), {});
        row.problem = fmt::format("cannot be read: {}", problem.substr(0, problem.find('\n')));
        row.advice = "nothing behind this row was read; copy or write the file again";
    }

    std::unique_ptr<parquet::arrow::FileReader> file_;
    std::shared_ptr<arrow::RecordBatchReader> batches_;
    std::shared_ptr<arrow::RecordBatch> batch_;
    std::int64_t at_ = 0;
    std::int64_t n_rows_ = 0;
    std::size_t line_ = 0;
    bool has_failed_ = false;
    std::string text_;  // the cells of the row, one behind the other
    std::vector<std::size_t> ends_;
};

arrow::Result<std::unique_ptr<ParquetRows>> open_file(
    std::shared_ptr<arrow::io::RandomAccessFile> file
) {
    parquet::arrow::FileReaderBuilder builder;
    ARROW_RETURN_NOT_OK(builder.Open(std::move(file)));
    parquet::ArrowReaderProperties properties;
    properties.set_use_threads(false);
    constexpr std::int64_t rows_at_once = 16 << 10;
    properties.set_batch_size(rows_at_once);
    builder.properties(properties);
    std::unique_ptr<parquet::arrow::FileReader> reader;
    ARROW_RETURN_NOT_OK(builder.Build(&reader));
    auto rows = std::make_unique<ParquetRows>(std::move(reader));
    ARROW_RETURN_NOT_OK(rows->begin());
    return rows;
}

Result<std::unique_ptr<RowReader>> open_any(
    std::shared_ptr<arrow::io::RandomAccessFile> file, std::string_view name
) {
    try {
        auto opened = open_file(std::move(file));
        if (!opened.ok()) {
            return std::unexpected(not_parquet(name, opened.status().message()));
        }
        return std::move(opened).ValueUnsafe();
    } catch (const std::exception& error) {  // Parquet throws, Arrow returns
        return std::unexpected(not_parquet(name, error.what()));
    }
}

}  // namespace

Result<std::unique_ptr<RowReader>> open_parquet(const std::filesystem::path& path) {
    auto file = arrow::io::ReadableFile::Open(path.string());
    if (!file.ok()) {
        return fail(
            ErrorCode::not_found,
            fmt::format("{}: {}", path.string(), file.status().message()),
            "check the path and the permissions"
        );
    }
    return open_any(std::move(file).ValueUnsafe(), path.string());
}

Result<std::unique_ptr<RowReader>> open_parquet_bytes(
    std::string_view bytes, std::string_view name
) {
    auto buffer = std::make_shared<arrow::Buffer>(
        reinterpret_cast<const std::uint8_t*>(bytes.data()), static_cast<std::int64_t>(bytes.size())
    );
    return open_any(std::make_shared<arrow::io::BufferReader>(std::move(buffer)), name);
}

bool has_parquet() noexcept {
    return true;
}

}  // namespace hg::data

#else

namespace hg::data {

Result<std::unique_ptr<RowReader>> open_parquet(const std::filesystem::path& path) {
    return open_parquet_bytes({}, path.string());
}

Result<std::unique_ptr<RowReader>> open_parquet_bytes(
    std::string_view /*bytes*/, std::string_view name
) {
    return fail(
        ErrorCode::unavailable,
        std::string{name} + ": this honeyguide was built without Parquet",
        "run `make deps` and build again (it installs the wheel pyarrow), or write CSV"
    );
}

bool has_parquet() noexcept {
    return false;
}

}  // namespace hg::data

#endif

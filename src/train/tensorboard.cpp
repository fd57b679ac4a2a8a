// SPDX-License-Identifier: Apache-2.0
#include "train/tensorboard.hpp"

#include "core/file.hpp"

#include <boost/crc.hpp>
#include <fmt/format.h>
#include <protozero/pbf_builder.hpp>

#include <cstring>

namespace hg::train {
namespace {

// tensorflow/core/util/event.proto and framework/summary.proto: field numbers.
enum class EventField : protozero::pbf_tag_type {
    wall_time = 1,
    step = 2,
    file_version = 3,
    summary = 5
};
enum class SummaryField : protozero::pbf_tag_type { value = 1 };
enum class ValueField : protozero::pbf_tag_type { tag = 1, simple_value = 2 };

constexpr std::size_t length_bytes = sizeof(std::uint64_t);
constexpr std::size_t crc_bytes = sizeof(std::uint32_t);
constexpr std::size_t header_bytes = length_bytes + crc_bytes;

/// CRC-32C rotated and offset, so that the CRC of data which holds CRCs stays a good check
/// (TFRecord).
std::uint32_t masked_crc(std::string_view bytes) {
    boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
    crc.process_bytes(bytes.data(), bytes.size());
    const std::uint32_t value = crc.checksum();
    return ((value >> 15U) | (value << 17U)) + 0xa282ead8U;
}

template <typename T>
std::string_view bytes_of(const T& value) {
    return {reinterpret_cast<const char*>(&value), sizeof value};
}

template <typename T>
T number_at(std::string_view bytes, std::size_t offset) {
    T value{};
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}

double seconds(const Clock& clock) {
    return static_cast<double>(clock.now()) / 1000;
}

}  // namespace

TensorBoardWriter::TensorBoardWriter(const std::filesystem::path& folder, const Clock& clock)
    : clock_(clock), path_(folder / file_name) {
    std::size_t kept = 0;
    if (std::filesystem::exists(path_)) {
        const auto old = value_or_throw(read_file(path_));
        kept = read_tf_records(old).valid_bytes;
        std::filesystem::resize_file(path_, kept);
    }
    out_.open(path_, std::ios::binary | std::ios::app);
    if (kept > 0) {
        return;
    }
    std::string record;
    protozero::pbf_builder<EventField> event{record};
    event.add_double(EventField::wall_time, seconds(clock_));
    event.add_string(EventField::file_version, "brain.Event:2");
    write(record);
}

void TensorBoardWriter::scalar(std::string_view tag, std::int64_t step, double value) {
    std::string record;
    protozero::pbf_builder<EventField> event{record};
    event.add_double(EventField::wall_time, seconds(clock_));
    event.add_int64(EventField::step, step);
    {
        protozero::pbf_builder<SummaryField> summary{event, EventField::summary};
        protozero::pbf_builder<ValueField> point{summary, SummaryField::value};
        point.add_string(ValueField::tag, tag.data(), tag.size());
        point.add_float(ValueField::simple_value, static_cast<float>(value));
    }
    write(record);
}

void TensorBoardWriter::write(std::string_view record) {
    const auto length = static_cast<std::uint64_t>(record.size());
    out_ << bytes_of(length) << bytes_of(masked_crc(bytes_of(length)));
    out_ << record << bytes_of(masked_crc(record));
    out_.flush();
    if (!out_) {
        throw Error{
            ErrorCode::exhausted,
            fmt::format("{}: cannot be written", path_.string()),
            "free disk space or choose another --out",
        };
    }
}

TfRecords read_tf_records(std::string_view bytes) {
    TfRecords found;
    while (bytes.size() - found.valid_bytes >= header_bytes + crc_bytes) {
        const auto rest = bytes.substr(found.valid_bytes);
        const auto length = number_at<std::uint64_t>(rest, 0);
        if (number_at<std::uint32_t>(rest, length_bytes) !=
            masked_crc(rest.substr(0, length_bytes))) {
            break;
        }
        if (length > rest.size() - header_bytes - crc_bytes) {
            break;
        }
        const auto payload = rest.substr(header_bytes, static_cast<std::size_t>(length));
        if (number_at<std::uint32_t>(rest, header_bytes + payload.size()) != masked_crc(payload)) {
            break;
        }
        found.payloads.push_back(payload);
        found.valid_bytes += header_bytes + payload.size() + crc_bytes;
    }
    return found;
}

}  // namespace hg::train

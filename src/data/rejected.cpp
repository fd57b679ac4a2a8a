// SPDX-License-Identifier: Apache-2.0
#include "data/rejected.hpp"

#include <fmt/format.h>

#include <utility>

namespace hg::data {

Rejections::Rejections(std::size_t max_bad, Sink sink)
    : max_bad_(max_bad), sink_(std::move(sink)) {}

Result<void> Rejections::add(const RejectedRow& row) {
    constexpr std::size_t examples_kept = 5;
    ++count_;
    ++reasons_[row.reason];
    if (examples_.size() < examples_kept) {
        examples_.push_back(row.message);
    }
    if (sink_) {
        sink_(row);
    }
    if (count_ <= max_bad_) {
        return {};
    }
    return fail(
        ErrorCode::invalid_argument,
        fmt::format(
            "{} bad rows, more than {} allowed; the last: {}", count_, max_bad_, row.message
        ),
        "mend the file, or allow more with --max-bad"
    );
}

}  // namespace hg::data

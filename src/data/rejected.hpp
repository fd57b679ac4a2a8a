// SPDX-License-Identifier: Apache-2.0
// Rejections: rows that could not be used, counted by reason; nothing is lost silently.
//
// `ingest` streams them into rejected.jsonl; reading stops once more than max_bad have come.
#pragma once

#include "core/error.hpp"

#include <cstddef>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace hg::data {

struct RejectedRow {
    std::string file;
    std::size_t line = 0;
    std::string reason;  // a class of mishaps, for counting: "rating is not a number"
    /// interactions.csv:812: rating "five" is not a number; use 1-5 or drop the column
    std::string message;
    std::string text;  // the row as it stands in the file
};

class Rejections {
  public:
    using Sink = std::function<void(const RejectedRow&)>;

    explicit Rejections(
        std::size_t max_bad = std::numeric_limits<std::size_t>::max(), Sink sink = {}
    );

    /// Counts the row; fails once there are more than max_bad.
    [[nodiscard]] Result<void> add(const RejectedRow& row);

    [[nodiscard]] std::size_t count() const noexcept { return count_; }

    [[nodiscard]] const std::map<std::string, std::size_t>& reasons() const noexcept {
        return reasons_;
    }

    /// The first few messages.
    [[nodiscard]] const std::vector<std::string>& examples() const noexcept { return examples_; }

  private:
    std::size_t max_bad_;
    Sink sink_;
    std::size_t count_ = 0;
    std::map<std::string, std::size_t> reasons_;
    std::vector<std::string> examples_;
};

}  // namespace hg::data

// SPDX-License-Identifier: Apache-2.0
// ImpressionLog: the decisions of a policy as columns, for off-policy evaluation and learning.
//
// JSON lines on disk (docs/formats/impression_log.md), plain or gzipped; columns in memory: what
// has one value a decision is a vector, what has many is Ragged. Ids are dense and belong to the
// log. ImpressionWriter streams: one line a decision, nothing kept.
//
//   Rejections none{0};                                        // the first bad line is the error
//   HG_TRY(auto log, read_impressions("log.jsonl.gz", Purpose::off_policy, none));
//   log.propensity[i]; log.candidates.row(i);
#pragma once

#include "core/clock.hpp"
#include "core/error.hpp"
#include "data/id_map.hpp"
#include "data/impression_row.hpp"
#include "data/rejected.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace hg::data {

/// Rows of different lengths in one array.
template <typename T>
struct Ragged {
    std::vector<std::size_t> offsets{0};
    std::vector<T> values;

    [[nodiscard]] std::size_t size() const noexcept { return offsets.size() - 1; }

    [[nodiscard]] std::span<const T> row(std::size_t index) const {
        return std::span{values}.subspan(
            offsets.at(index), offsets.at(index + 1) - offsets.at(index)
        );
    }

    /// Ends the row that was pushed onto values.
    void end_row() { offsets.push_back(values.size()); }
};

constexpr TimeMs no_timestamp = std::numeric_limits<TimeMs>::min();

/// What a slot's propensity is the probability of.
enum class PropensityKind : std::uint8_t {
    conditional,  // the item, given the slots above and the candidates: ours
    marginal,     // the item at this position, whatever stands above: Open Bandit's
};

/// One row of the slot columns; they are cut into decisions by slots.offsets.
struct SlotColumns {
    std::vector<double> propensity;
    std::vector<double> reward;  // no_number = not given
    std::vector<double> value;
    std::vector<double> rating;
    std::vector<std::int8_t> clicked;    // 1, 0, -1 = unknown
    std::vector<std::int8_t> purchased;  // the same
    std::vector<std::int32_t> position;  // from 0
};

struct ImpressionLog {
    IdMap items;
    IdMap users;
    IdMap policies;
    IdMap segments;
    PropensityKind propensity_kind = PropensityKind::conditional;

    std::vector<std::string> recommendation_id;
    std::vector<std::uint32_t> user;
    std::vector<std::uint32_t> policy;
    std::vector<std::uint32_t> segment;  // of the user; the empty text where it was not given
    std::vector<TimeMs> timestamp;       // no_timestamp = not given
    std::vector<std::uint8_t> deterministic;
    std::vector<std::int8_t> ended;  // 1, 0, -1 = unknown
    std::vector<double> propensity;  // of the slate: the product of its slots'
    std::vector<double> reward;      // of the slate
    Ragged<float> state;
    Ragged<std::uint32_t> candidates;
    Ragged<float> candidate_features;  // [candidates of the row, d]
    Ragged<std::uint32_t> history;
    Ragged<std::uint32_t> slots;  // items
    SlotColumns slot;             // parallel to slots.values

    [[nodiscard]] std::size_t size() const noexcept { return reward.size(); }

    void append(const ImpressionRow& impression);
    /// The decision as it would be written; propensity and reward are given even if they were not.
    [[nodiscard]] ImpressionRow row(std::size_t index) const;
};

/// Bad lines go to `rejections` (Rejections{0}: the first one is the error). Rows without
/// recommendation_id are named by their line. Fails also when no row is left.
[[nodiscard]] Result<ImpressionLog> read_impressions(
    const std::filesystem::path& path, Purpose purpose, Rejections& rejections
);

/// The same from text; `name` stands for the file in messages.
[[nodiscard]] Result<ImpressionLog> parse_impressions(
    std::string_view text, std::string_view name, Purpose purpose, Rejections& rejections
);

/// Streams decisions as JSON lines into `out`, which it borrows. Single-threaded.
class ImpressionWriter {
  public:
    explicit ImpressionWriter(std::ostream& out) : out_(&out) {}

    /// Throws Error when the stream has failed (the disk is full). The caller sees to
    /// check_impression.
    void write(const ImpressionRow& impression);

    [[nodiscard]] std::size_t count() const noexcept { return count_; }

  private:
    std::ostream* out_;
    std::string line_;  // reused
    std::size_t count_ = 0;
};

}  // namespace hg::data

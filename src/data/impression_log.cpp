// SPDX-License-Identifier: Apache-2.0
#include "data/impression_log.hpp"

#include "data/cell.hpp"
#include "data/text_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ostream>

namespace hg::data {
namespace {

std::int8_t encode(std::optional<bool> truth) {
    return truth ? static_cast<std::int8_t>(*truth) : std::int8_t{-1};
}

std::optional<bool> decode(std::int8_t truth) {
    return truth < 0 ? std::nullopt : std::optional{truth == 1};
}

void append_ids(Ragged<std::uint32_t>& to, IdMap& ids, std::span<const std::string> names) {
    for (const auto& name : names) {
        to.values.push_back(ids.intern(name));
    }
    to.end_row();
}

void append_floats(Ragged<float>& to, std::span<const float> numbers) {
    to.values.insert(to.values.end(), numbers.begin(), numbers.end());
    to.end_row();
}

std::vector<std::string> names_of(const IdMap& ids, std::span<const std::uint32_t> row) {
    std::vector<std::string> names;
    for (const auto id : row) {
        names.push_back(ids.name(id));
    }
    return names;
}

Result<ImpressionRow> parse_usable(
    ImpressionParser& parser, std::string_view line, std::size_t number, Purpose purpose
) {
    HG_TRY(auto impression, parser.parse(line));
    if (auto fine = check_impression(impression, purpose); !fine) {
        return std::unexpected{std::move(fine.error())};
    }
    if (impression.recommendation_id.empty()) {
        impression.recommendation_id = fmt::format("line-{}", number);
    }
    return impression;
}

}  // namespace

void ImpressionLog::append(const ImpressionRow& impression) {
    recommendation_id.push_back(impression.recommendation_id);
    user.push_back(users.intern(impression.user_id));
    policy.push_back(policies.intern(impression.policy));
    segment.push_back(segments.intern(impression.segment));
    timestamp.push_back(impression.timestamp.value_or(no_timestamp));
    deterministic.push_back(impression.deterministic ? 1 : 0);
    ended.push_back(encode(impression.ended));
    propensity.push_back(impression.slate_propensity());
    reward.push_back(impression.slate_reward());
    append_floats(state, impression.state);
    append_ids(candidates, items, impression.candidates);
    append_floats(candidate_features, impression.candidate_features);
    append_ids(history, items, impression.history);
    for (std::size_t i = 0; i < impression.slots.size(); ++i) {
        const auto& from = impression.slots[i];
        slots.values.push_back(items.intern(from.item_id));
        slot.propensity.push_back(from.propensity);
        slot.reward.push_back(from.reward);
        slot.value.push_back(from.value);
        slot.rating.push_back(from.rating);
        slot.clicked.push_back(encode(from.clicked));
        slot.purchased.push_back(encode(from.purchased));
        slot.position.push_back(from.position.value_or(static_cast<std::int32_t>(i)));
    }
    slots.end_row();
}

ImpressionRow ImpressionLog::row(std::size_t index) const {
    ImpressionRow impression{
        .recommendation_id = recommendation_id.at(index),
        .user_id = users.name(user[index]),
        .segment = segments.name(segment[index]),
        .timestamp = timestamp[index] == no_timestamp ? std::optional<TimeMs>{}
                                                      : std::optional{timestamp[index]},
        .policy = policies.name(policy[index]),
        .deterministic = deterministic[index] == 1,
        .candidates = names_of(items, candidates.row(index)),
        .history = names_of(items, history.row(index)),
        .propensity = propensity[index],
        .reward = reward[index],
        .ended = decode(ended[index]),
    };
    const auto numbers = state.row(index);
    impression.state.assign(numbers.begin(), numbers.end());
    const auto features = candidate_features.row(index);
    impression.candidate_features.assign(features.begin(), features.end());
    for (std::size_t i = slots.offsets[index]; i < slots.offsets[index + 1]; ++i) {
        LoggedSlot one{
            .item_id = items.name(slots.values[i]),
            .propensity = slot.propensity[i],
            .reward = slot.reward[i],
            .value = slot.value[i],
            .rating = slot.rating[i],
            .clicked = decode(slot.clicked[i]),
            .purchased = decode(slot.purchased[i]),
            .position = {},
        };
        if (slot.position[i] != static_cast<std::int32_t>(i - slots.offsets[index])) {
            one.position = slot.position[i];
        }
        impression.slots.push_back(std::move(one));
    }
    return impression;
}

Result<ImpressionLog> parse_impressions(
    std::string_view text, std::string_view name, Purpose purpose, Rejections& rejections
) {
    ImpressionLog log;
    ImpressionParser parser;
    IdMap ids;  // of the recommendations so far
    std::size_t number = 0;
    while (!text.empty()) {
        const auto end = text.find('\n');
        const auto line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        ++number;
        if (trim(line).empty()) {
            continue;
        }
        auto impression = parse_usable(parser, line, number, purpose);
        if (impression && ids.intern(impression->recommendation_id) != log.size()) {
            impression = fail(
                ErrorCode::invalid_argument,
                fmt::format(
                    "recommendation_id \"{}\" is that of an earlier decision",
                    impression->recommendation_id
                ),
                "give every decision its own id"
            );
        }
        if (impression) {
            log.append(*impression);
            continue;
        }
        const auto& error = impression.error();
        auto counted = rejections.add({
            .file = std::string{name},
            .line = number,
            .reason = error.hint(),  // the same for all mishaps of a kind
            .message = fmt::format("{}:{}: {}", name, number, error.what()),
            .text = std::string{line},
        });
        if (!counted && rejections.count() > 1) {
            return std::unexpected{std::move(counted.error())};
        }
        if (!counted) {
            return fail(
                error.code(), fmt::format("{}:{}: {}", name, number, error.message()), error.hint()
            );
        }
    }
    if (log.size() == 0) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("{} has no usable decision", name),
            "docs/formats/impression_log.md shows a line"
        );
    }
    return log;
}

Result<ImpressionLog> read_impressions(
    const std::filesystem::path& path, Purpose purpose, Rejections& rejections
) {
    HG_TRY(const auto file, TextFile::open(path));
    return parse_impressions(file.text(), path.filename().string(), purpose, rejections);
}

void ImpressionWriter::write(const ImpressionRow& impression) {
    line_.clear();
    append_json(impression, line_);
    out_->write(line_.data(), static_cast<std::streamsize>(line_.size()));
    if (!*out_) {
        throw Error{
            ErrorCode::exhausted,
            fmt::format("the impression log could not be written behind decision {}", count_),
            "see that the disk has room"
        };
    }
    ++count_;
}

}  // namespace hg::data

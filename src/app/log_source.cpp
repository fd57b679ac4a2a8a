// SPDX-License-Identifier: Apache-2.0
#include "app/log_source.hpp"

#include "core/clock.hpp"
#include "data/open_bandit.hpp"
#include "data/time_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace hg::app {
namespace {

TimeMs parse_since(const std::string& text) {
    if (text.empty()) {
        return data::no_timestamp;
    }
    const auto time = data::parse_iso_time(text);
    if (!time) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("--since {} is no date", text),
            "write 2026-03-01 or 2026-03-01T12:30:00Z"
        };
    }
    return *time;
}

void add_left_out(std::string& text, std::size_t count, std::string_view what) {
    if (count > 0) {
        fmt::format_to(std::back_inserter(text), ", {} {}", count, what);
    }
}

/// What is known of a user by HTTP, else by the dataset; empty where neither says.
std::string segment_of(const ServerLog& log, std::uint32_t user, const std::string& field) {
    const auto& put = log.served.user_fields[user];
    if (!put.empty()) {
        const auto fields = nlohmann::json::parse(put, nullptr, false);
        if (const auto found = fields.find(field); found != fields.end()) {
            return found->is_string() ? found->get<std::string>() : found->dump();
        }
    }
    const auto* const column = log.dataset->user_fields.find(field);
    const auto row = log.dataset->users.find(log.served.log.users.name(user));
    return column != nullptr && row && *row < column->present.size() ? column->text(*row)
                                                                     : std::string{};
}

void set_segments(ServerLog& log, const std::string& field) {
    auto& decisions = log.served.log;
    if (field.empty()) {
        return;
    }
    decisions.segments = {};
    std::vector<std::uint32_t> of_user;
    for (std::uint32_t user = 0; user < decisions.users.size(); ++user) {
        of_user.push_back(decisions.segments.intern(segment_of(log, user, field)));
    }
    for (std::size_t i = 0; i < decisions.size(); ++i) {
        decisions.segment[i] = of_user[decisions.user[i]];
    }
    if (decisions.segments.size() == 1 && decisions.segments.name(0).empty()) {
        std::vector<std::string> known;
        for (const auto& column : log.dataset->user_fields.fields()) {
            known.push_back(column.name);
        }
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("--segment {}: no user of the log has this field", field),
            known.empty() ? "the dataset knows nothing of its users; put fields with PUT /v1/users"
                          : fmt::format("the dataset has: {}", fmt::join(known, ", "))
        };
    }
}

/// A run trained on what came after a decision has seen its answers.
void note_overlap(const ServerLog& log, std::vector<std::string>& notes) {
    const auto& dataset = *log.dataset;
    if (dataset.time_kind != data::TimeKind::real || dataset.log.size() == 0) {
        return;
    }
    const auto first = std::ranges::min(log.served.log.timestamp);
    const auto& times = dataset.log.columns().times;
    const auto later = std::ranges::count_if(times, [first](TimeMs t) { return t > first; });
    if (later > 0) {
        notes.push_back(fmt::format(
            "{} events of the dataset are later than the first decision: a run trained on them may "
            "have seen the answers it is judged by; judge on later decisions (--since {:.10}T{}Z)",
            later,
            data::format_time(std::ranges::max(times)),
            data::format_time(std::ranges::max(times)).substr(11)
        ));
    }
}

}  // namespace

void declare_log_options(CLI::App& verb, LogSource& source) {
    verb.add_option("--data", source.data, "of a server's database: the dataset it serves");
    verb.add_option(
            "--window", source.window_seconds, "of a database: seconds in which an answer counts"
    )
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    verb.add_option("--since", source.since, "of a database: decisions from this date on");
    verb.add_option(
        "--segment", source.segment, "of a database: the users' field that tells segments apart"
    );
}

data::ImpressionLog read_log(const LogSource& source) {
    const auto& path = source.path;
    if (!source.data.empty() || !source.since.empty() || !source.segment.empty()) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format(
                "--data, --since and --segment are of a server's database, {} is none", path
            ),
            "leave them out; the segments of an impression log are in its lines"
        };
    }
    if (path.ends_with(".csv") || path.ends_with(".csv.gz")) {
        return value_or_throw(data::read_open_bandit(path));
    }
    data::Rejections none{0};
    return value_or_throw(data::read_impressions(path, data::Purpose::off_policy, none));
}

ServerLog open_server_log(const LogSource& source, data::Purpose purpose) {
    if (source.data.empty()) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format(
                "{} is a server's database: the weights of its events and the histories of its "
                "users are in the dataset",
                source.path
            ),
            "add --data DIR, as it was given to honeyguide serve"
        };
    }
    auto dataset =
        std::make_shared<const data::Dataset>(value_or_throw(data::open_dataset(source.data)));
    constexpr double per_second = 1000;
    auto served = value_or_throw(data::read_served_log(
        source.path,
        *dataset,
        {.purpose = purpose,
         .window = static_cast<TimeMs>(source.window_seconds * per_second),
         .now = SystemClock{}.now(),
         .since = parse_since(source.since)}
    ));
    ServerLog log{.dataset = std::move(dataset), .served = std::move(served)};
    set_segments(log, source.segment);
    return log;
}

std::vector<std::string> notes_on(const ServerLog& log, const LogSource& source) {
    const auto& counts = log.served.counts;
    std::vector<std::string> notes;
    auto decisions =
        fmt::format("{} of {} decisions are used", log.served.log.size(), counts.decisions);
    std::string left_out;
    add_left_out(left_out, counts.earlier, "before --since");
    add_left_out(left_out, counts.anonymous, "for anonymous histories");
    add_left_out(left_out, counts.erased, "of erased users");
    add_left_out(left_out, counts.empty, "of empty slates");
    add_left_out(
        left_out,
        counts.young,
        fmt::format("younger than the window of {} s", source.window_seconds)
    );
    if (!left_out.empty()) {
        decisions += fmt::format(" (left out:{})", left_out.substr(1));
    }
    decisions += fmt::format("; {} events answered them", counts.answers);
    add_left_out(decisions, counts.late_answers, "came after the window");
    add_left_out(decisions, counts.other_answers, "were on items not in the slate");
    add_left_out(decisions, counts.foreign_answers, "were another user's");
    notes.push_back(std::move(decisions));
    if (counts.deterministic > 0) {
        notes.push_back(fmt::format(
            "{} decisions are deterministic: off-policy evaluation refuses them; serve with "
            "epsilon > 0",
            counts.deterministic
        ));
    }
    note_overlap(log, notes);
    return notes;
}

}  // namespace hg::app

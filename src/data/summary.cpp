// SPDX-License-Identifier: Apache-2.0
#include "data/summary.hpp"

#include "data/time_text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace hg::data {
namespace {

double share(std::size_t part, std::size_t whole) {
    return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

Quantiles quantiles_of(std::vector<std::size_t> counts) {
    std::erase(counts, std::size_t{0});
    if (counts.empty()) {
        return {};
    }
    std::ranges::sort(counts);
    const auto at = [&](std::size_t percent) {
        return counts[(counts.size() - 1) * percent / 100];
    };
    return {at(0), at(25), at(50), at(75), at(90), at(99), at(100)};
}

std::vector<FieldSummary> summarise_fields(const Catalogue& catalogue) {
    std::vector<FieldSummary> out;
    for (const auto& field : catalogue.fields()) {
        FieldSummary one;
        one.name = field.name;
        one.kind = to_string(field.kind);
        one.present = static_cast<std::size_t>(std::ranges::count(field.present, 1));
        one.vocabulary = field.vocabulary.size();
        if (field.kind == FieldKind::text) {
            std::size_t words = 0;
            for (const auto& text : field.texts) {
                words += count_words(text);
            }
            one.mean_words = share(words, one.present);
        }
        out.push_back(std::move(one));
    }
    return out;
}

/// Events whose item the same user had before.
std::size_t count_repeats(const InteractionLog& log) {
    constexpr std::uint32_t nobody = 0;
    std::vector<std::uint32_t> last_user(log.n_items(), nobody);  // user + 1 who had the item last
    std::size_t repeats = 0;
    for (std::uint32_t u = 0; u < log.n_users(); ++u) {
        for (const auto item : log.history(UserId{u}).items) {
            repeats += last_user[item.index()] == u + 1 ? 1 : 0;
            last_user[item.index()] = u + 1;
        }
    }
    return repeats;
}

nlohmann::json json_of(const Quantiles& q) {
    return {
        {"min", q.min},
        {"p25", q.p25},
        {"median", q.median},
        {"p75", q.p75},
        {"p90", q.p90},
        {"p99", q.p99},
        {"max", q.max}
    };
}

nlohmann::json json_of(const std::vector<FieldSummary>& fields, std::size_t rows) {
    auto out = nlohmann::json::array();
    for (const auto& f : fields) {
        out.push_back({
            {"name", f.name},
            {"kind", f.kind},
            {"present", f.present},
            {"coverage", share(f.present, rows)},
        });
        if (f.mean_words > 0) {
            out.back()["mean_words"] = f.mean_words;
        }
        if (f.vocabulary > 0) {
            out.back()["vocabulary"] = f.vocabulary;
        }
    }
    return out;
}

}  // namespace

std::size_t count_words(std::string_view text) {
    std::size_t words = 0;
    bool inside = false;
    for (const char c : text) {
        const bool is_blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
        words += !is_blank && !inside ? 1 : 0;
        inside = !is_blank;
    }
    return words;
}

std::string_view to_string(TimeKind kind) noexcept {
    switch (kind) {
        case TimeKind::real:
            return "real";
        case TimeKind::order:
            return "order";
        case TimeKind::none:
            return "none";
    }
    return "none";
}

Summary summarise(const Dataset& data) {
    const auto& log = data.log;
    const auto& columns = log.columns();
    Summary s;
    s.name = data.name;
    s.hash = data.hash;
    s.time = to_string(data.time_kind);
    s.users = data.users.size();
    s.items = data.items.size();
    s.events = log.size();
    std::vector<std::size_t> per_user;
    for (const auto& history : log.histories()) {
        per_user.push_back(history.size());
    }
    std::vector<std::size_t> per_item(log.n_items());
    for (const auto item : columns.items) {
        ++per_item[item.index()];
    }
    const auto is_used = [](std::size_t n) { return n > 0; };
    s.active_users = static_cast<std::size_t>(std::ranges::count_if(per_user, is_used));
    s.touched_items = static_cast<std::size_t>(std::ranges::count_if(per_item, is_used));
    const auto repeats = count_repeats(log);
    s.density = share(s.events - repeats, s.active_users * s.touched_items);
    s.repeats = share(repeats, s.events);
    const auto count_if = [](const auto& column, const auto& holds) {
        return static_cast<std::size_t>(std::ranges::count_if(column, holds));
    };
    const auto is_given = [](float v) { return !std::isnan(v); };
    s.positives = share(count_if(columns.weights, [](float w) { return w > 0; }), s.events);
    s.with_value = share(count_if(columns.values, is_given), s.events);
    s.with_propensity = share(count_if(columns.propensities, is_given), s.events);
    if (s.events > 0) {
        const auto [first, last] = std::ranges::minmax(columns.times);
        s.first = first;
        s.last = last;
    }
    s.per_user = quantiles_of(std::move(per_user));
    s.per_item = quantiles_of(std::move(per_item));
    for (const auto& type : data.event_types) {
        s.types.push_back({type.name, type.weight, 0});
    }
    for (const auto type : columns.types) {
        ++s.types[type.index()].events;
    }
    s.item_fields = summarise_fields(data.item_fields);
    s.user_fields = summarise_fields(data.user_fields);
    return s;
}

nlohmann::json to_json(const Summary& s) {
    auto types = nlohmann::json::array();
    for (const auto& t : s.types) {
        types.push_back({{"name", t.name}, {"weight", t.weight}, {"events", t.events}});
    }
    nlohmann::json out{
        {"name", s.name},
        {"hash", s.hash},
        {"time", s.time},
        {"users", s.users},
        {"items", s.items},
        {"events", s.events},
        {"active_users", s.active_users},
        {"touched_items", s.touched_items},
        {"density", s.density},
        {"repeats", s.repeats},
        {"positives", s.positives},
        {"with_value", s.with_value},
        {"with_propensity", s.with_propensity},
        {"events_per_user", json_of(s.per_user)},
        {"events_per_item", json_of(s.per_item)},
        {"event_types", types},
        {"item_fields", json_of(s.item_fields, s.items)},
        {"user_fields", json_of(s.user_fields, s.users)},
    };
    if (s.time == "real") {
        out["first"] = format_time(s.first);
        out["last"] = format_time(s.last);
    }
    return out;
}

}  // namespace hg::data

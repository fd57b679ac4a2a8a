// SPDX-License-Identifier: Apache-2.0
// honeyguide ingest: a folder of tables becomes a binary dataset; prints what a person wants to
// know of it.
#include "data/ingest.hpp"

#include "app/command.hpp"
#include "app/explain_text.hpp"
#include "core/log.hpp"
#include "data/explain.hpp"
#include "data/synthetic.hpp"
#include "data/time_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <memory>

namespace hg::app {
namespace {

struct IngestArguments {
    std::string folder;
    std::string out;
    std::string dedup = "none";
    std::string synthetic;
    data::IngestOptions options;
    bool as_json = false;
    bool explains = false;
};

double percent(double share) {
    return 100 * share;
}

double percent(std::size_t part, std::size_t whole) {
    return whole == 0 ? 0 : percent(static_cast<double>(part) / static_cast<double>(whole));
}

void print_quantiles(std::string_view label, const data::Quantiles& q) {
    fmt::print(
        "  {:<16} min {}, 25% {}, median {}, 75% {}, 90% {}, 99% {}, max {}\n",
        label,
        q.min,
        q.p25,
        q.median,
        q.p75,
        q.p90,
        q.p99,
        q.max
    );
}

void print_fields(
    std::string_view label, const std::vector<data::FieldSummary>& fields, std::size_t rows
) {
    for (const auto& field : fields) {
        std::string more;
        if (field.mean_words > 0) {
            more = fmt::format(", {:.1f} words on average", field.mean_words);
        }
        if (field.vocabulary > 0) {
            more = fmt::format(", {} distinct", field.vocabulary);
        }
        fmt::print(
            "  {} {:<16} {:<10} {:5.1f} % present{}\n",
            label,
            field.name,
            field.kind,
            percent(field.present, rows),
            more
        );
    }
}

void print_log(const data::Summary& s) {
    fmt::print("{}: {} events of {} users with {} items\n", s.name, s.events, s.users, s.items);
    if (s.active_users < s.users || s.touched_items < s.items) {
        fmt::print("  with events      {} users, {} items\n", s.active_users, s.touched_items);
    }
    fmt::print("  density          {:.3f} % of all pairs\n", percent(s.density));
    if (s.time == "real") {
        fmt::print(
            "  dates            {} to {} (UTC)\n",
            data::format_time(s.first),
            data::format_time(s.last)
        );
    } else {
        const bool has_order = s.time == "order";
        fmt::print(
            "  dates            none: {}\n",
            has_order ? "timestamps are positions" : "file order is taken"
        );
    }
    print_quantiles("events per user", s.per_user);
    print_quantiles("events per item", s.per_item);
    fmt::print("  repeats          {:.1f} % of the events\n", percent(s.repeats));
    for (const auto& type : s.types) {
        fmt::print("  event            {} x {} (weight {})\n", type.events, type.name, type.weight);
    }
    if (s.positives < 1) {
        fmt::print("  positive         {:.1f} % of the events\n", percent(s.positives));
    }
}

void print_text(const data::IngestReport& report, const std::string& out) {
    print_log(report.summary);
    print_fields("item field", report.summary.item_fields, report.summary.items);
    print_fields("user field", report.summary.user_fields, report.summary.users);
    for (const auto& step : report.filters) {
        fmt::print("  dropped          {} events: {}\n", step.events, step.name);
    }
    if (report.users_dropped + report.items_dropped > 0) {
        fmt::print(
            "  dropped          {} users, {} items\n", report.users_dropped, report.items_dropped
        );
    }
    if (!report.read.unused_columns.empty()) {
        fmt::print("  unused columns   {}\n", fmt::join(report.read.unused_columns, ", "));
    }
    for (const auto& [column, count] : report.read.hashed) {
        fmt::print("  hashed           {} e-mail addresses: {}\n", count, column);
    }
    for (const auto& [reason, count] : report.read.left_out) {
        fmt::print("  left out         {} rows: {}\n", count, reason);
    }
    fmt::print("  rejected         {} rows\n", report.read.rejected);
    for (const auto& [reason, count] : report.read.reasons) {
        fmt::print("    {} x {}\n", count, reason);
    }
    for (const auto& example : report.read.examples) {
        fmt::print("    {}\n", example);
    }
    if (report.read.rejected > 0) {
        fmt::print("    all of them are in {}/rejected.jsonl\n", out);
    }
    fmt::print(
        "{} rows in {:.2f} s ({:.0f} rows/s; {:.2f} s of it reading) -> {}\n",
        report.read.rows,
        report.total_seconds,
        static_cast<double>(report.read.rows) / report.total_seconds,
        report.read_seconds,
        out
    );
}

void print_json(const nlohmann::json& report) {
    fmt::print("{}\n", report.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

int explain(const IngestArguments& arguments) {
    const auto told = value_or_throw(data::explain(arguments.folder));
    if (arguments.as_json) {
        print_json(data::to_json(told));
    } else {
        fmt::print("{}", explain_text(told));
    }
    return 0;
}

int run_ingest(IngestArguments arguments, Session& session) {
    if (!arguments.explains && arguments.out.empty()) {
        throw Error{
            ErrorCode::invalid_argument,
            "no place to write to",
            "give --out DATASET, or --explain to see how the folder would be read"
        };
    }
    if (!arguments.synthetic.empty()) {
        const auto options = value_or_throw(data::parse_synthetic_options(arguments.synthetic));
        data::write_synthetic(data::make_synthetic(options), arguments.out);
        fmt::print(
            "{} synthetic events -> {} (a raw folder; truth.safetensors holds what is behind "
            "them)\n",
            options.events,
            arguments.out
        );
        return 0;
    }
    if (arguments.folder.empty()) {
        throw Error{
            ErrorCode::invalid_argument,
            "no folder to ingest",
            "give DIR, or --synthetic users=..,items=.."
        };
    }
    if (arguments.explains) {
        return explain(arguments);
    }
    auto& filters = arguments.options.filters;
    filters.dedup = arguments.dedup == "last"    ? data::Dedup::last
                    : arguments.dedup == "first" ? data::Dedup::first
                                                 : data::Dedup::none;
    const bool had_vectors =
        std::filesystem::exists(std::filesystem::path{arguments.out} / "vectors");
    const auto report = value_or_throw(
        data::ingest(arguments.folder, arguments.out, arguments.options, session.progress)
    );
    if (arguments.as_json) {
        print_json(data::to_json(report));
    } else {
        print_text(report, arguments.out);
    }
    if (report.summary.events == 0) {
        log::warn("no event is left; nothing can be learned from this dataset");
    }
    if (had_vectors) {
        log::warn("the item vectors of the old dataset are gone; run honeyguide encode again");
    }
    return 0;
}

Run declare_ingest(CLI::App& verb) {
    auto arguments = std::make_shared<IngestArguments>();
    auto& filters = arguments->options.filters;
    verb.add_option(
        "DIR", arguments->folder, "folder with interactions.csv, items.csv, users.csv, dataset.toml"
    );
    verb.add_option("--out", arguments->out, "where the dataset goes");
    verb.add_flag(
        "--explain",
        arguments->explains,
        "write nothing: tell which file is read how, which column becomes what, what is left out"
    );
    verb.add_option(
            "--dedup",
            arguments->dedup,
            "of a user's repeats of an item keep the last, the first or all"
    )
        ->check(CLI::IsMember({"none", "last", "first"}));
    verb.add_option(
        "--k-core", filters.k_core, "drop users and items with fewer events, again and again"
    );
    verb.add_option("--min-events", filters.min_events, "drop users with fewer events");
    verb.add_option("--since", arguments->options.since, "drop earlier events (2024-03-01)");
    verb.add_option("--until", arguments->options.until, "drop events at or behind this time");
    verb.add_flag("--drop-bots", filters.drop_bots, "drop users with far too many events");
    verb.add_option("--max-bad", arguments->options.max_bad, "stop when more rows are bad");
    verb.add_option(
        "--address-key",
        arguments->options.address_key,
        "file of the key that hashes e-mail addresses, made if missing; to share one between "
        "datasets"
    );
    verb.add_option(
        "--synthetic",
        arguments->synthetic,
        "make data instead: users=1000,items=500,events=50000,seed=7"
    );
    verb.add_flag("--json", arguments->as_json, "for machines");
    return [arguments](Session& session) { return run_ingest(*arguments, session); };
}

}  // namespace

extern const CommandEntry ingest{
    .name = "ingest",
    .summary = "turn a folder of tables into a dataset and say what is in it",
    .example = "honeyguide ingest movies --out movies.dataset --min-events 3",
    .declare = &declare_ingest,
};

}  // namespace hg::app

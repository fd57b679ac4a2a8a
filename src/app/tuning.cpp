// SPDX-License-Identifier: Apache-2.0
#include "app/tuning.hpp"

#include "core/clock.hpp"
#include "core/file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

namespace hg::app {
namespace {

constexpr std::size_t reduction = 3;  // of halving: one in three goes on, three times as long
constexpr double not_fitted = std::numeric_limits<double>::quiet_NaN();

/// Points that are fitted with at most so many epochs.
struct Rung {
    std::size_t n_points = 0;
    std::int64_t epochs = 0;  // 0 = as the settings say
};

std::vector<Rung> rungs_of(const TuningRequest& request) {
    if (request.search != SearchKind::halving) {
        return {{.n_points = request.n_trials}};
    }
    const auto resolved = train::resolve_settings(request.entry, request.fixed);
    const auto is_searched =
        std::ranges::find(request.space, "epochs", &SearchDimension::name) != request.space.end();
    if (!resolved.contains("epochs") || is_searched) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format(
                "--search halving gives trials different numbers of epochs, and {}",
                is_searched ? "--try searches them" : fmt::format("{} has none", request.entry.name)
            ),
            "take --search tpe",
        };
    }
    const auto all_epochs = resolved.at("epochs").get<std::int64_t>();
    std::size_t last = 0;
    for (std::size_t n = request.n_trials, e = static_cast<std::size_t>(all_epochs);
         n >= reduction && e >= reduction;
         n /= reduction, e /= reduction) {
        ++last;
    }
    std::vector<Rung> rungs;
    for (std::size_t r = 0; r <= last; ++r) {
        const auto kept = static_cast<std::size_t>(std::pow(reduction, r));
        const auto share = static_cast<std::int64_t>(std::pow(reduction, last - r));
        rungs.push_back(
            {.n_points = request.n_trials / kept,
             .epochs = std::max<std::int64_t>(1, all_epochs / share)}
        );
    }
    return rungs;
}

nlohmann::json to_json(const Tried& tried, const SearchSpace& space) {
    nlohmann::json values;
    for (std::size_t d = 0; d < space.size(); ++d) {
        values[space[d].name] = space[d].text(tried.point[d]);
    }
    nlohmann::json row{
        {"number", tried.number},
        {"rung", tried.rung},
        {"point", tried.point},
        {"settings", values},
        {"seconds", tried.seconds},
    };
    if (tried.epochs > 0) {
        row["epochs"] = tried.epochs;
    }
    if (tried.refused.empty()) {
        row["ndcg@10"] = tried.ndcg;
        row["standard_error"] = tried.error;
    } else {
        row["refused"] = tried.refused;
    }
    return row;
}

Tried tried_from(const nlohmann::json& row) {
    return {
        .number = row.at("number"),
        .rung = row.at("rung"),
        .epochs = row.value("epochs", std::int64_t{0}),
        .point = row.at("point"),
        .ndcg = row.value("ndcg@10", not_fitted),
        .error = row.value("standard_error", 0.0),
        .seconds = row.at("seconds"),
        .refused = row.value("refused", ""),
    };
}

class Search {
  public:
    Search(
        const TuningRequest& request,
        const data::Dataset& dataset,
        const Protocol& protocol,
        const Work& work,
        const TriedSink& tell
    )
        : request_(request),
          dataset_(dataset),
          protocol_(protocol),
          work_(work),
          tell_(tell),
          file_(request.folder / "tuning.json") {}

    Tuning run() {
        const auto rungs = rungs_of(request_);
        for (const auto& rung : rungs) {
            tuning_.n_planned += rung.n_points;
        }
        resume();
        std::size_t first = 0;
        for (std::size_t r = 0; r < rungs.size(); ++r) {
            const auto kept =
                r == 0 ? std::vector<SearchPoint>{} : best_points(r, rungs[r].n_points);
            for (std::size_t i = 0; i < rungs[r].n_points; ++i) {
                if (first + i >= tuning_.tried.size()) {
                    attempt(r, rungs[r].epochs, r == 0 ? next() : kept.at(i));
                }
            }
            first += rungs[r].n_points;
        }
        return std::move(tuning_);
    }

  private:
    [[nodiscard]] SearchPoint next() const {
        std::vector<SeenPoint> seen;
        for (const auto& tried : tuning_.tried) {
            seen.push_back({.point = tried.point, .value = tried.ndcg});
        }
        const Rng rng{request_.seed};
        return next_point(
            request_.space, request_.search, seen, rng.split("tune").split(seen.size())
        );
    }

    /// Of the rung before `rung`.
    [[nodiscard]] std::vector<SearchPoint> best_points(std::size_t rung, std::size_t count) const {
        std::vector<const Tried*> before;
        for (const auto& tried : tuning_.tried) {
            if (tried.rung + 1 == rung) {
                before.push_back(&tried);
            }
        }
        std::ranges::stable_sort(before, [](const Tried* a, const Tried* b) {
            return std::isnan(b->ndcg) ? !std::isnan(a->ndcg) : a->ndcg > b->ndcg;
        });
        std::vector<SearchPoint> points;
        for (const auto* tried : before) {
            points.push_back(tried->point);
        }
        points.resize(std::min(count, points.size()));
        return points;
    }

    void attempt(std::size_t rung, std::int64_t epochs, const SearchPoint& point) {
        const Stopwatch watch;
        Tried tried{.number = tuning_.tried.size(), .rung = rung, .epochs = epochs, .point = point};
        auto settings = settings_at(request_.space, point, request_.fixed);
        if (epochs > 0) {
            settings.set("epochs", std::to_string(epochs), "--search halving");
        }
        try {
            measure(tried, settings);
        } catch (const Error& error) {
            if (error.code() == ErrorCode::interrupted) {
                throw Error{
                    ErrorCode::interrupted,
                    fmt::format("stopped in trial {}", tried.number + 1),
                    "the same command goes on from there",
                };
            }
            tried.refused = error.message();
        }
        if (!tried.refused.empty()) {
            tried.ndcg = not_fitted;
        }
        tried.seconds = watch.seconds();
        tuning_.tried.push_back(std::move(tried));
        save();
        tell_(tuning_);
    }

    void measure(Tried& tried, const Settings& settings) const {
        (void)train::resolve_settings(request_.entry, settings);
        const std::vector<Contender> contenders{
            {.name = std::string{request_.entry.name},
             .entry = &request_.entry,
             .settings = settings}
        };
        const auto outcomes = run_protocol(
            dataset_,
            protocol_,
            contenders,
            {.seed = request_.seed, .content = request_.content},
            work_
        );
        tried.refused = outcomes.front().refused;
        const auto& ndcg = outcomes.front().accuracy.ndcg;
        const auto n = static_cast<double>(ndcg.size());
        tried.ndcg = std::accumulate(ndcg.begin(), ndcg.end(), 0.0) / n;
        double squares = 0;
        for (const auto value : ndcg) {
            squares += (value - tried.ndcg) * (value - tried.ndcg);
        }
        tried.error = std::sqrt(squares / n / n);
    }

    void save() const {
        auto rows = nlohmann::json::array();
        for (const auto& tried : tuning_.tried) {
            rows.push_back(to_json(tried, request_.space));
        }
        write_file_atomic(
            file_, nlohmann::json{{"task", request_.task}, {"trials", rows}}.dump(1) + "\n"
        );
    }

    void resume() {
        std::filesystem::create_directories(request_.folder);
        if (!std::filesystem::exists(file_)) {
            return;
        }
        try {
            const auto stored = nlohmann::json::parse(value_or_throw(read_file(file_)));
            if (stored.at("task") != request_.task) {
                throw Error{
                    ErrorCode::conflict,
                    fmt::format("{}: holds another search", file_.string()),
                    "repeat its command to go on with it, or choose another --out",
                };
            }
            for (const auto& row : stored.at("trials")) {
                tuning_.tried.push_back(tried_from(row));
                if (tuning_.tried.back().point.size() != request_.space.size()) {
                    throw Error{ErrorCode::corrupt, "a point of another space"};
                }
            }
        } catch (const nlohmann::json::exception& error) {
            throw Error{
                ErrorCode::corrupt,
                fmt::format("{}: cannot be read: {}", file_.string(), error.what()),
                "delete it to begin again",
            };
        }
    }

    const TuningRequest& request_;
    const data::Dataset& dataset_;
    const Protocol& protocol_;
    const Work& work_;
    const TriedSink& tell_;
    std::filesystem::path file_;
    Tuning tuning_;
};

std::size_t last_rung(const Tuning& tuning) {
    std::size_t last = 0;
    for (const auto& tried : tuning.tried) {
        last = std::max(last, tried.rung);
    }
    return last;
}

}  // namespace

const Tried* best_of(const Tuning& tuning) {
    const Tried* best = nullptr;
    for (const auto& tried : tuning.tried) {
        if (tried.rung == last_rung(tuning) && !std::isnan(tried.ndcg) &&
            (best == nullptr || tried.ndcg > best->ndcg)) {
            best = &tried;
        }
    }
    return best;
}

std::size_t n_as_good(const Tuning& tuning) {
    const auto* best = best_of(tuning);
    return static_cast<std::size_t>(std::ranges::count_if(tuning.tried, [&](const Tried& tried) {
        return best != nullptr && tried.rung == best->rung &&
               tried.ndcg >= best->ndcg - best->error;
    }));
}

Tuning tune_model(
    const TuningRequest& request,
    const data::Dataset& dataset,
    const Protocol& protocol,
    const Work& work,
    const TriedSink& tell
) {
    return Search{request, dataset, protocol, work, tell}.run();
}

}  // namespace hg::app

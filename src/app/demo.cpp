// SPDX-License-Identifier: Apache-2.0
#include "app/demo.hpp"

#include "app/dataset_facts.hpp"
#include "app/demo_meta_policy.hpp"
#include "app/demo_policy.hpp"
#include "app/evaluation.hpp"
#include "app/protocol.hpp"
#include "app/protocol_run.hpp"
#include "app/report.hpp"
#include "core/clock.hpp"
#include "core/digest.hpp"
#include "core/file.hpp"
#include "data/ingest.hpp"
#include "encode/encode_dataset.hpp"
#include "encode/vector_store.hpp"
#include "train/blend.hpp"
#include "train/run.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hg::app {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 9> fitted_for_the_table{
    "random",
    "popularity",
    "vector_db",
    "item_knn",
    "naive_bayes_lift",
    "sequential_rules",
    "als",
    "ease",
    "dae"
};
constexpr std::string_view deployed = "blend";
constexpr std::string_view rankers =
    R"(["popularity", "item_knn", "naive_bayes_lift", "sequential_rules", "wide_rules", "ease", "dae", "gaussian", "sasrec"])";

/// Prints the heading, runs the work, prints how long it took.
class Stages {
  public:
    void run(
        std::string_view heading, std::string_view what, const std::function<std::string()>& work
    ) {
        ++number_;
        fmt::print("\n[{}/7] {}: {}\n", number_, heading, what);
        std::fflush(stdout);
        const Stopwatch watch;
        const auto outcome = work();
        fmt::print("      {} ({:.1f} s)\n", outcome, watch.seconds());
        std::fflush(stdout);
    }

  private:
    int number_ = 0;
};

struct Folders {
    fs::path dataset;
    fs::path tables;
    fs::path run;
    fs::path report;
    fs::path policy;
};

std::string ingest_movies(const DemoOptions& options, const Folders& folders, Session& session) {
    if (fs::exists(folders.dataset / "dataset.json")) {
        return "already ingested";
    }
    if (!fs::exists(options.source)) {
        throw Error{
            ErrorCode::not_found,
            fmt::format("{}: MovieLens 100k is not here", options.source.string()),
            "run `make deps` in the project folder (it fetches the data), or name another --source",
        };
    }
    const auto report =
        value_or_throw(data::ingest(options.source, folders.dataset, {}, session.progress));
    return fmt::format("{} events read, {} rejected", report.summary.events, report.read.rejected);
}

std::string describe(const data::Dataset& dataset) {
    const auto& log = dataset.log;
    std::string fields;
    for (const auto& field : dataset.item_fields.fields()) {
        fields +=
            fmt::format("{}{} ({})", fields.empty() ? "" : ", ", field.name, to_string(field.kind));
    }
    return fmt::format(
        "{} users, {} items, {} events, {:.1f} per user; item fields: {}",
        log.n_users(),
        log.n_items(),
        log.size(),
        static_cast<double>(log.size()) / static_cast<double>(log.n_users()),
        fields
    );
}

std::string encode_titles(const Folders& folders, Session& session) {
    constexpr std::string_view encoder = "text";
    if (fs::exists(encode::vectors_folder(folders.dataset, encoder) / "vectors.safetensors")) {
        return "already encoded";
    }
    const auto made = encode::encode_dataset(
        {.folder = folders.dataset, .encoder = std::string{encoder}}, session.progress, session.stop
    );
    return fmt::format("{} items -> {} numbers each", made.n_items, made.dim);
}

/// The dataset without the events the table asks for: what serves is what was measured.
data::Dataset training_part(const data::Dataset& dataset, const Protocol& protocol) {
    auto part = dataset;
    part.log = protocol.trials.front().train;
    part.hash = digest_hex(dataset.hash + " without the last event of each user");
    return part;
}

std::string train_deployed(
    const data::Dataset& dataset,
    const Protocol& protocol,
    const encode::ItemVectors* content,
    const Folders& folders,
    Session& session
) {
    if (fs::exists(folders.run / "manifest.json")) {
        return "already trained";
    }
    const auto part = training_part(dataset, protocol);
    Settings settings;
    settings.set("rankers", std::string{rankers}, "demo");
    train::fit_run(
        {
            .entry = train::find_model(deployed),
            .settings = settings,
            .seed = 7,
            .dataset = part,
            .content = content,
            .folder = folders.run,
        },
        session.progress,
        session.stop
    );
    return fmt::format("run {}", folders.run.string());
}

/// The simple rows, fitted here; the run that will serve, and the sequence model that is part of
/// it.
std::vector<Contender> contenders(const train::LoadedRun& run) {
    std::vector<Contender> all;
    for (const auto name : fitted_for_the_table) {
        all.push_back({.name = std::string{name}, .entry = &train::find_model(name)});
    }
    const auto& fit = run.manifest.at("fit");
    for (const auto& part : dynamic_cast<const train::Blend&>(*run.model).parts()) {
        if (part.name == "sasrec") {
            const double seconds = fit.at("fit_on_all_users").at(part.name).at("seconds");
            all.push_back({.name = part.name, .model = part.model.get(), .fit_seconds = seconds});
        }
    }
    all.push_back({
        .name = std::string{deployed},
        .model = run.model.get(),
        .fit_seconds = run.manifest.at("seconds"),
    });
    return all;
}

/// Whether what serves is what ranks best, in a sentence.
std::string verdict(const Evaluation& evaluation) {
    const auto* best = best_row(evaluation);
    if (best->name == deployed) {
        return fmt::format("\n{} ranks best, and it is what will serve.\n", deployed);
    }
    const auto served = std::ranges::find(evaluation.rows, deployed, &ModelRow::name);
    return fmt::format(
        "\n{} ranks best here ({:.4f}); {} serves all the same ({:.4f}), for what it does after "
        "the "
        "first clicks.\n",
        best->name,
        best->ndcg,
        deployed,
        served->ndcg
    );
}

std::string evaluate_all(
    const data::Dataset& dataset,
    const Protocol& protocol,
    const encode::ItemVectors* content,
    const Folders& folders,
    Session& session
) {
    const auto table = folders.tables / (dataset.hash.substr(0, 16) + ".txt");
    if (const auto known = read_file(table)) {
        fmt::print("{}", *known);
        return fmt::format("as computed before; the report: {}", folders.report.string());
    }
    const auto run = train::load_run(folders.run);
    const auto outcomes = run_protocol(
        dataset, protocol, contenders(run), {.content = content}, {session.progress, session.stop}
    );
    const auto evaluation = summarise(dataset, protocol, outcomes, {.content = content});
    const auto text = to_text(evaluation) + verdict(evaluation);
    fmt::print("{}", text);
    const std::vector all{evaluation};
    write_file_atomic(folders.report, report_html(describe_dataset(dataset), all));
    write_file_atomic(folders.tables / "evaluation.json", to_json(evaluation).dump(2));
    write_file_atomic(table, text);
    return fmt::format("the report, with plots: {}", folders.report.string());
}

}  // namespace

DemoResult run_demo(const DemoOptions& options, Session& session) {
    const Folders folders{
        .dataset = options.folder / "ml-100k",
        .tables = options.folder / "evaluation",
        .run = options.folder / "blend",
        .report = options.folder / "report.html",
        .policy = options.folder / "policy",
    };
    Stages stages;
    data::Dataset dataset;
    std::optional<encode::ItemVectors> content;
    stages.run("data input", "MovieLens 100k, read row by row", [&] {
        return ingest_movies(options, folders, session);
    });
    std::optional<Protocol> protocol;
    stages.run("preprocessing", "columns typed, events sorted, each user's last one held out", [&] {
        dataset = value_or_throw(data::open_dataset(folders.dataset));
        protocol = make_protocol(dataset, {.kind = ProtocolKind::leave_one_out});
        return describe(dataset);
    });
    stages.run("feature extraction", "titles, genres and years through MiniLM (22M weights)", [&] {
        auto outcome = encode_titles(folders, session);
        content =
            encode::content_for(dataset, folders.dataset, "text", session.progress, session.stop);
        return outcome;
    });
    const auto* vectors = content ? &*content : nullptr;
    stages.run(
        "policy optimisation",
        "rankers, a transformer and a belief, blended by how much is known of a user (2 minutes)",
        [&] { return train_deployed(dataset, *protocol, vectors, folders, session); }
    );
    stages.run(
        "evaluation and feedback",
        "each model, trained without every user's last event, is asked for it",
        [&] { return evaluate_all(dataset, *protocol, vectors, folders, session); }
    );
    stages.run(
        "model update",
        "policies learned among strangers and simulated users, and the gate",
        [&] {
            learn_small_meta_policy(dataset, folders.policy, session);
            return learn_small_policy(folders.dataset, folders.policy, session);
        }
    );
    return {.dataset = folders.dataset, .run = folders.run, .store = options.folder / "events.db"};
}

}  // namespace hg::app

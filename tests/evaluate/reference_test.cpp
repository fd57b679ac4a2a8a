// SPDX-License-Identifier: Apache-2.0
// Our metrics against values of ranx, pytrec_eval, RecTools, scikit-learn and scipy
// (metric_reference.json).
#include "evaluate/calibration.hpp"
#include "evaluate/diversity.hpp"
#include "evaluate/exposure.hpp"
#include "evaluate/novelty.hpp"
#include "evaluate/ranking.hpp"
#include "evaluate/significance.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <optional>

namespace hg::evaluate {
namespace {

using nlohmann::json;

struct Fixture {
    json file;
    std::size_t n_users = 0;
    std::size_t n_items = 0;
    std::vector<ItemList> histories;
    std::vector<std::uint64_t> popularity;
    std::vector<std::int64_t> genre_offsets{0};
    std::vector<std::uint32_t> genre_codes;
    ItemGroups genres;
    Matrix<float> vectors;
};

struct RunOfFixture {
    std::vector<ItemList> lists;
    std::vector<std::vector<Judged>> judged;
};

ItemId item(std::size_t index) {
    return ItemId{static_cast<std::uint32_t>(index)};
}

const std::filesystem::path reference_path{HG_SHARED_DIR "/reference/metric_reference.json"};

const Fixture& fixture() {
    static const Fixture loaded = [] {
        Fixture f;
        f.file = json::parse(std::ifstream{reference_path});
        const auto& input = f.file.at("input");
        f.n_users = input.at("n_users");
        f.n_items = input.at("n_items");
        f.popularity.resize(f.n_items);
        for (std::size_t u = 0; u < f.n_users; ++u) {
            ItemList history;
            for (const std::size_t i : input.at("train_history").at(std::to_string(u))) {
                history.push_back(item(i));
                ++f.popularity[i];
            }
            f.histories.push_back(history);
        }
        std::vector<float> values;
        for (const auto& row : input.at("item_embedding")) {
            for (const double v : row) {
                values.push_back(static_cast<float>(v));
            }
        }
        f.vectors = Matrix<float>(f.n_items, values.size() / f.n_items, values);
        for (const auto& row : input.at("item_genres_multihot")) {
            for (std::uint32_t g = 0; g < row.size(); ++g) {
                if (row[g] == 1) {
                    f.genre_codes.push_back(g);
                }
            }
            f.genre_offsets.push_back(static_cast<std::int64_t>(f.genre_codes.size()));
        }
        return f;
    }();
    return loaded;
}

ItemGroups genres_of(const Fixture& f) {
    return {.offsets = f.genre_offsets, .codes = f.genre_codes, .n_groups = 6};
}

RunOfFixture load_run(const Fixture& f, const std::string& name) {
    RunOfFixture run;
    const auto& input = f.file.at("input");
    for (std::size_t u = 0; u < f.n_users; ++u) {
        const auto key = std::to_string(u);
        std::vector<ScoredItem> answer;
        for (const auto& pair : input.at("run" + name).at(key)) {
            answer.push_back({item(pair[0].get<std::size_t>()), pair[1].get<double>()});
        }
        std::vector<Relevant> relevant;
        for (const auto& [id, grade] : input.at("qrels_graded_1_3").at(key).items()) {
            relevant.push_back({item(std::stoul(id)), grade.get<double>()});
        }
        run.judged.push_back(judge_answer(answer, relevant));
        std::ranges::stable_sort(answer, std::greater{}, &ScoredItem::score);
        ItemList list;
        for (const auto& scored : answer) {
            list.push_back(scored.item);
        }
        run.lists.push_back(list);
    }
    return run;
}

/// The name without "@k", and k (0 when there is none).
std::pair<std::string, std::size_t> split_name(const std::string& name) {
    const auto at = name.find('@');
    if (at == std::string::npos) {
        return {name, 0};
    }
    return {name.substr(0, at), std::stoul(name.substr(at + 1))};
}

using PerUser = std::function<double(std::span<const Judged>, std::size_t)>;

const std::map<std::string, PerUser>& accuracy() {
    static const std::map<std::string, PerUser> table{
        {"ndcg", [](auto j, auto k) { return ndcg_at(j, k); }},
        {"ndcg_burges", [](auto j, auto k) { return ndcg_at(j, k, Gain::exponential); }},
        {"ndcg_binary", [](auto j, auto k) { return ndcg_at(j, k, Gain::binary); }},
        {"map", [](auto j, auto k) { return average_precision_at(j, k); }},
        {"map_minK",
         [](auto j, auto k) { return average_precision_at(j, k, Denominator::min_k_relevant); }},
        {"recall", [](auto j, auto k) { return recall_at(j, k); }},
        {"recall_minK", [](auto j, auto k) { return recall_at(j, k, Denominator::min_k_relevant); }
        },
        {"precision", precision_at},
        {"hit_rate", hit_at},
        {"f1", f1_at},
        {"mrr", [](auto j, auto k) { return reciprocal_rank_at(j, k == 0 ? 1000 : k); }},
        {"r_precision", [](auto j, auto) { return r_precision(j); }},
        {"rbp.80", [](auto j, auto) { return rank_biased_precision(j, 0.8, Gain::linear); }},
    };
    return table;
}

std::optional<double> beyond_accuracy(
    const Fixture& f, const RunOfFixture& run, const std::string& name, std::size_t k
) {
    const auto shown = count_exposure(run.lists, k, f.n_items);
    const auto genres = genres_of(f);
    const double log2_of_e = std::log2(std::exp(1.0));
    const std::map<std::string, std::function<double()>> table{
        {"catalog_coverage", [&] { return coverage(shown); }},
        {"aggregate_diversity", [&] { return static_cast<double>(n_distinct(shown)); }},
        {"gini", [&] { return gini(shown); }},
        {"gini_only_recommended", [&] { return gini(shown, GiniOver::shown_items); }},
        {"entropy_nats", [&] { return entropy_nats(shown); }},
        {"entropy_bits", [&] { return entropy_nats(shown) * log2_of_e; }},
        {"effective_catalog_exp_entropy", [&] { return effective_catalogue(shown); }},
        {"herfindahl", [&] { return herfindahl(shown); }},
        {"personalization", [&] { return personalisation(run.lists, k, f.n_items); }},
        {"ILD_cosine", [&] { return intra_list_diversity(run.lists, k, f.vectors.view()); }},
        {"ILS_cosine_similarity",
         [&] { return 1 - intra_list_diversity(run.lists, k, f.vectors.view()); }},
        {"ILD_hamming_genres", [&] { return intra_list_diversity(run.lists, k, genres); }},
        {"ILD_hamming_genres_own", [&] { return intra_list_diversity(run.lists, k, genres); }},
        {"unexpectedness",
         [&] { return unexpectedness(run.lists, k, f.histories, f.vectors.view()); }},
        {"MIUF", [&] { return mean_inverse_user_frequency(run.lists, k, f.popularity, f.n_users); }
        },
        {"self_information_bits_laplace",
         [&] { return self_information_bits(run.lists, k, f.popularity); }},
        {"ARP", [&] { return average_popularity(run.lists, k, f.popularity); }},
        {"popularity_lift", [&] { return popularity_lift(run.lists, k, f.histories, f.popularity); }
        },
        {"APLT", [&] { return 1 - head_share(run.lists, k, head_items(f.popularity)); }},
        {"calibration_KL_nats",
         [&] { return calibration_kl_nats(f.histories, run.lists, k, genres); }},
        {"calibration_KL_bits",
         [&] { return calibration_kl_nats(f.histories, run.lists, k, genres) * log2_of_e; }},
        {"calibration_KL_rankweighted_nats",
         [&] {
             return calibration_kl_nats(f.histories, run.lists, k, genres, RankWeight::logarithmic);
         }},
        {"calibration_JS_bits",
         [&] { return calibration_js_bits(f.histories, run.lists, k, genres); }},
        {"genre_entropy_per_list_nats", [&] { return group_entropy_nats(run.lists, k, genres); }},
    };
    const auto found = table.find(name);
    if (found == table.end()) {
        return {};
    }
    return found->second();
}

/// Vectors are float32 in the product, so what comes from them is good to 1e-7; the file's own
/// bound is 1e-6.
double tolerance(const std::string& name) {
    return name.starts_with("IL") && name.find("cosine") != std::string::npos ? 1e-7
           : name == "unexpectedness"                                         ? 1e-7
                                                                              : 1e-9;
}

class Reference : public testing::Test {
  protected:
    void SetUp() override {
        if (!std::filesystem::exists(reference_path)) {
            GTEST_SKIP() << "no " << reference_path
                         << ": our values were NOT compared with other libraries";
        }
    }
};

TEST_F(Reference, accuracy_equals_ranx_and_trec_eval_in_every_labelled_convention) {
    const auto& f = fixture();
    std::size_t compared = 0;
    for (const std::string name : {"A", "B"}) {
        const auto run = load_run(f, name);
        for (const auto& [key, entry] : f.file.at("metrics").items()) {
            if (!key.starts_with(name + ".")) {
                continue;
            }
            const auto [metric, k] = split_name(key.substr(2));
            const auto found = accuracy().find(metric);
            if (found == accuracy().end()) {
                continue;
            }
            std::vector<double> values;
            for (const auto& judged : run.judged) {
                values.push_back(found->second(judged, k));
            }
            EXPECT_NEAR(
                mean_over_users(values, f.n_users).mean, entry.at("value").get<double>(), 1e-9
            ) << key;
            ++compared;
        }
    }
    EXPECT_EQ(compared, 2U * (11U * 4U + 3U)) << "the file or the table changed";
}

TEST_F(Reference, catalogue_novelty_diversity_and_calibration_equal_rectools_sklearn_and_scipy) {
    const auto& f = fixture();
    std::size_t compared = 0;
    for (const std::string name : {"A", "B"}) {
        const auto run = load_run(f, name);
        for (const auto& [key, entry] : f.file.at("metrics").items()) {
            if (!key.starts_with(name + ".")) {
                continue;
            }
            const auto [metric, k] = split_name(key.substr(2));
            const auto ours = beyond_accuracy(f, run, metric, k);
            if (!ours) {
                continue;
            }
            EXPECT_NEAR(*ours, entry.at("value").get<double>(), tolerance(metric)) << key;
            ++compared;
        }
    }
    EXPECT_EQ(compared, 2U * 3U * 24U) << "the file or the table changed";
}

TEST_F(Reference, every_users_ndcg_equals_the_reference) {
    const auto& f = fixture();
    for (const std::string name : {"A", "B"}) {
        const auto run = load_run(f, name);
        std::size_t u = 0;
        for (const auto& [user, value] : f.file.at("per_user_ndcg10").at(name).items()) {
            EXPECT_NEAR(ndcg_at(run.judged.at(u), 10), value.get<double>(), 1e-9) << user;
            ++u;
        }
        EXPECT_EQ(u, f.n_users);
    }
}

TEST_F(Reference, the_paired_t_test_equals_scipy) {
    const auto& f = fixture();
    std::map<std::string, std::vector<double>> values;
    for (const std::string name : {"A", "B"}) {
        for (const auto& judged : load_run(f, name).judged) {
            values[name].push_back(ndcg_at(judged, 10));
        }
    }

    const auto difference = paired_difference(values["A"], values["B"], Rng{7});

    const auto& metrics = f.file.at("metrics");
    EXPECT_NEAR(
        difference.t_statistic,
        metrics.at("A_vs_B.ndcg@10.paired_t_stat").at("value").get<double>(),
        1e-9
    );
    EXPECT_NEAR(
        difference.p_value, metrics.at("A_vs_B.ndcg@10.paired_t_p").at("value").get<double>(), 1e-9
    );
}

TEST_F(Reference, short_lists_and_misses_equal_pytrec_eval) {
    const auto& edge = fixture().file.at("edge_cases").at("short_lists_and_misses");
    const auto id_of = [](const std::string& id) {
        return item(static_cast<std::size_t>(id[0] - 'a'));
    };
    for (const auto& [user, expected] : edge.at("pytrec_eval").items()) {
        std::vector<ScoredItem> answer;
        for (const auto& [id, score] : edge.at("run").at(user).items()) {
            answer.push_back({id_of(id), score.get<double>()});
        }
        std::vector<Relevant> relevant;
        for (const auto& [id, grade] : edge.at("qrels").at(user).items()) {
            relevant.push_back({id_of(id), grade.get<double>()});
        }

        const auto judged = judge_answer(answer, relevant);

        EXPECT_NEAR(reciprocal_rank_at(judged, 1000), expected.at("recip_rank").get<double>(), 1e-9)
            << user;
        EXPECT_NEAR(precision_at(judged, 5), expected.at("P_5").get<double>(), 1e-9) << user;
        EXPECT_NEAR(recall_at(judged, 5), expected.at("recall_5").get<double>(), 1e-9) << user;
        EXPECT_NEAR(ndcg_at(judged, 5), expected.at("ndcg_cut_5").get<double>(), 1e-9) << user;
        EXPECT_NEAR(average_precision_at(judged, 5), expected.at("map_cut_5").get<double>(), 1e-9)
            << user;
        EXPECT_NEAR(hit_at(judged, 5), expected.at("success_5").get<double>(), 1e-9) << user;
    }
}

TEST_F(Reference, ties_and_missing_users_follow_each_librarys_rule_in_its_labelled_mode) {
    const auto& edge = fixture().file.at("edge_cases");
    const std::vector<ScoredItem> tied{{item(0), .5}, {item(1), .5}, {item(2), .5}};
    const std::vector<Relevant> relevant{{item(0), 1}};
    const auto rr = [&](TieRule rule) {
        return reciprocal_rank_at(judge_answer(tied, relevant, rule), 10);
    };
    const std::vector<double> answered{1.0};
    const auto& missing = edge.at("user_missing_from_run");

    EXPECT_NEAR(
        rr(TieRule::id_descending), edge["ties"]["pytrec_eval_recip_rank"].get<double>(), 1e-9
    );
    EXPECT_NEAR(rr(TieRule::as_listed), edge["ties"]["ranx_mrr"].get<double>(), 1e-9);
    EXPECT_NEAR(
        mean_over_users(answered, 2, MissingUsers::drop).mean,
        missing["pytrec_eval_mean_over_returned"].get<double>(),
        1e-9
    );
    EXPECT_NEAR(
        mean_over_users(answered, 2).mean, missing["ranx_make_comparable"].get<double>(), 1e-9
    );
}

}  // namespace
}  // namespace hg::evaluate

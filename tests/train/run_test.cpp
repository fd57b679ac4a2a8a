// SPDX-License-Identifier: Apache-2.0
#include "train/run.hpp"

#include "core/file.hpp"
#include "core/rng.hpp"
#include "core/sealed_json.hpp"
#include "support/effort.hpp"
#include "support/small_world.hpp"
#include "support/temporary_folder.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

namespace hg::train {
namespace {

using testing::HasSubstr;
using testing_support::small_world;
using testing_support::TemporaryFolder;

struct FittedRun {
    TemporaryFolder parent;
    std::filesystem::path folder = parent / "run";
    testing_support::SmallWorld world = small_world();

    FittedRun() { fit(); }

    void fit(Settings settings = {}) const {
        SilentProgress progress;
        fit_run(
            {.entry = find_model("popularity"),
             .settings = std::move(settings),
             .dataset = world.dataset,
             .folder = folder},
            progress,
            {}
        );
    }

    [[nodiscard]] std::string load_error() const {
        try {
            (void)load_run(folder);
        } catch (const Error& error) {
            return error.what();
        }
        return "no error";
    }

    void edit(const char* name, const std::function<void(std::string&)>& change) const {
        auto bytes = value_or_throw(read_file(folder / name));
        change(bytes);
        std::ofstream{folder / name, std::ios::binary | std::ios::trunc} << bytes;
    }

    void edit_manifest(const std::function<void(nlohmann::json&)>& change) const {
        edit("manifest.json", [&](std::string& text) {
            auto json = nlohmann::json::parse(text);
            json.erase(seal_key);  // as by hand
            change(json);
            text = json.dump();
        });
    }
};

TEST(Run, a_written_run_scores_as_the_fitted_model) {
    const FittedRun fitted;

    const auto run = load_run(fitted.folder);

    Matrix<float> scores(1, run.model->n_items());
    run.model->score(std::vector<data::History>(1), scores.view());
    float sum = 0;
    for (const auto score : scores.values()) {
        sum += score;
    }
    EXPECT_EQ(run.name, "run");
    EXPECT_EQ(run.items.name(3), "item3");
    EXPECT_FLOAT_EQ(sum, static_cast<float>(fitted.world.dataset.log.size()));
}

TEST(Run, the_manifest_says_what_was_done_with_what) {
    const FittedRun fitted;

    const auto manifest = load_run(fitted.folder).manifest;

    EXPECT_EQ(manifest["format_version"], 1);
    EXPECT_EQ(manifest["model"], "popularity");
    EXPECT_EQ(manifest["seed"], 7);
    EXPECT_EQ(manifest["settings"]["window_days"], 0.0);
    EXPECT_EQ(manifest["dataset"]["n_events"], fitted.world.dataset.log.size());
    EXPECT_EQ(manifest["dataset"]["event_types"][1]["name"], "dislike");
    EXPECT_TRUE(manifest["content_encoder"].is_null());
}

TEST(Run, a_finished_run_is_never_overwritten) {
    const FittedRun fitted;

    EXPECT_THROW(fitted.fit(), Error);
}

TEST(Run, a_mistyped_option_is_refused_before_anything_is_written) {
    TemporaryFolder parent;
    const auto world = small_world();
    Settings settings;
    settings.set_assignment("windowdays=3");
    SilentProgress progress;

    EXPECT_THROW(
        fit_run(
            {.entry = find_model("popularity"),
             .settings = settings,
             .dataset = world.dataset,
             .folder = parent / "run"},
            progress,
            {}
        ),
        Error
    );
    EXPECT_FALSE(std::filesystem::exists(parent / "run"));
}

TEST(Run, settings_come_back_as_they_were_given) {
    TemporaryFolder parent;
    const auto world = small_world();
    Settings settings;
    settings.set_assignment("window_days=2.5");
    SilentProgress progress;
    fit_run(
        {.entry = find_model("popularity"),
         .settings = settings,
         .dataset = world.dataset,
         .folder = parent / "run"},
        progress,
        {}
    );

    const auto manifest = load_run(parent / "run").manifest;

    EXPECT_EQ(manifest["settings"]["window_days"], 2.5);
    EXPECT_EQ(manifest["given"]["window_days"]["from"], "--set");
}

TEST(Run, an_empty_log_is_refused) {
    TemporaryFolder parent;
    data::Dataset empty;
    SilentProgress progress;

    EXPECT_THROW(
        fit_run(
            {.entry = find_model("popularity"),
             .settings = {},
             .dataset = empty,
             .folder = parent / "run"},
            progress,
            {}
        ),
        Error
    );
}

TEST(DamagedRun, a_missing_folder_says_how_to_make_one) {
    try {
        (void)load_run("/no/such/run");
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::not_found);
        EXPECT_THAT(error.hint(), HasSubstr("honeyguide train"));
    }
}

TEST(DamagedRun, without_a_manifest_the_training_did_not_finish) {
    const FittedRun fitted;
    std::filesystem::remove(fitted.folder / "manifest.json");

    EXPECT_THAT(fitted.load_error(), HasSubstr("training did not finish"));
}

TEST(DamagedRun, a_broken_manifest_is_named) {
    const FittedRun fitted;
    fitted.edit("manifest.json", [](std::string& text) { text.resize(text.size() / 2); });

    EXPECT_THAT(fitted.load_error(), HasSubstr("manifest.json: not a JSON object"));
}

TEST(DamagedRun, a_newer_format_asks_for_a_newer_program) {
    const FittedRun fitted;
    fitted.edit_manifest([](auto& manifest) { manifest["format_version"] = 99; });

    EXPECT_THAT(fitted.load_error(), HasSubstr("format_version 99, this program reads 1"));
}

TEST(DamagedRun, an_unknown_model_lists_the_known_ones) {
    const FittedRun fitted;
    fitted.edit_manifest([](auto& manifest) { manifest["model"] = "popularty"; });

    EXPECT_THAT(fitted.load_error(), HasSubstr("did you mean popularity?"));
}

TEST(DamagedRun, missing_weights_are_named) {
    const FittedRun fitted;
    std::filesystem::remove(fitted.folder / "weights.safetensors");

    EXPECT_THAT(fitted.load_error(), HasSubstr("weights.safetensors: cannot open"));
}

TEST(DamagedRun, truncated_weights_are_told_by_their_length) {
    const FittedRun fitted;
    fitted.edit("weights.safetensors", [](std::string& bytes) { bytes.pop_back(); });

    EXPECT_THAT(fitted.load_error(), HasSubstr("the manifest says"));
}

TEST(DamagedRun, every_flipped_bit_is_found) {
    const FittedRun fitted;
    for (const auto* name : {"weights.safetensors", "items.safetensors"}) {
        const auto size = std::filesystem::file_size(fitted.folder / name);
        for (std::size_t at = 0; at < size; at += 7) {
            const auto flip = [at](std::string& bytes) {
                bytes[at] = static_cast<char>(bytes[at] ^ 16);
            };
            fitted.edit(name, flip);
            EXPECT_THAT(fitted.load_error(), HasSubstr("differs from the digest"))
                << name << " byte " << at;
            fitted.edit(name, flip);
        }
    }
    EXPECT_EQ(fitted.load_error(), "no error");
}

TEST(DamagedRun, random_flips_anywhere_are_found_or_harmless) {
    const FittedRun fitted;
    auto manifest = load_run(fitted.folder).manifest;
    manifest.erase(seal_key);
    Rng rng{29};
    std::size_t harmless = 0;
    for (const auto* name : {"manifest.json", "weights.safetensors", "items.safetensors"}) {
        const auto whole = value_or_throw(read_file(fitted.folder / name));
        for (std::size_t i = 0; i < testing_support::effort("HG_BIT_FLIPS", 300); ++i) {
            const auto at = rng.below(whole.size());
            const auto bit = static_cast<char>(1U << rng.below(8));
            fitted.edit(name, [&](std::string& bytes) {
                bytes[at] = static_cast<char>(bytes[at] ^ bit);
            });
            try {
                auto found = load_run(fitted.folder).manifest;
                ++harmless;
                for (const auto& [key, value] : manifest.items()) {
                    ASSERT_EQ(found[key], value) << name << " byte " << at;
                }
            } catch (const Error& error) {
                ASSERT_FALSE(error.message().empty());
            }
            fitted.edit(name, [&](std::string& bytes) { bytes = whole; });
        }
    }
    fmt::print("[figures] flips in three files: {} harmless, all others named errors\n", harmless);
}

TEST(DamagedRun, every_file_cut_anywhere_is_refused) {
    const FittedRun fitted;
    for (const auto* name : {"manifest.json", "weights.safetensors", "items.safetensors"}) {
        const auto whole = value_or_throw(read_file(fitted.folder / name));
        for (std::size_t size = 0; size + 2 < whole.size(); size += 1 + whole.size() / 50) {
            fitted.edit(name, [&](std::string& bytes) { bytes = whole.substr(0, size); });
            EXPECT_THAT(fitted.load_error(), HasSubstr(name)) << size;
        }
        fitted.edit(name, [&](std::string& bytes) { bytes = whole; });
    }
}

TEST(DamagedRun, items_of_another_run_do_not_fit) {
    const FittedRun fitted;
    SafetensorsWriter other;
    other.add_strings("items", std::vector<std::string>{"a", "b"});
    other.save(fitted.folder / "items.safetensors");

    EXPECT_THAT(fitted.load_error(), HasSubstr("items.safetensors"));
}

TEST(RunWriter, writes_one_json_object_per_metric) {
    TemporaryFolder parent;
    {
        RunWriter writer{parent / "run"};
        writer.metric("loss", 1, 0.5);
        writer.metric("loss", 2, std::numeric_limits<double>::quiet_NaN());
        writer.note("best_epoch", 1);
        EXPECT_EQ(writer.notes()["best_epoch"], 1);
    }

    const auto text = value_or_throw(read_file(parent / "run/metrics.jsonl"));

    EXPECT_THAT(text, HasSubstr(R"("value":0.5)"));
    EXPECT_THAT(text, HasSubstr(R"("value":"nan")"));
}

TEST(RunWriter, keeps_the_curve_when_a_checkpoint_is_there_and_starts_over_when_not) {
    TemporaryFolder parent;
    {
        RunWriter{parent / "run"}.metric("loss", 1, 0.5);
    }
    {
        RunWriter{parent / "run"}.metric("loss", 1, 0.6);
    }
    EXPECT_THAT(
        value_or_throw(read_file(parent / "run/metrics.jsonl")), testing::Not(HasSubstr("0.5"))
    );
    std::ofstream{parent / "run/checkpoint.safetensors"} << "x";

    {
        RunWriter{parent / "run"}.metric("loss", 2, 0.4);
    }

    EXPECT_THAT(value_or_throw(read_file(parent / "run/metrics.jsonl")), HasSubstr("0.6"));
}

}  // namespace
}  // namespace hg::train

// SPDX-License-Identifier: Apache-2.0
#include "serve/admission.hpp"

#include "core/error.hpp"
#include "serve/promotion.hpp"
#include "support/small_world.hpp"
#include "support/temporary_folder.hpp"
#include "train/model_entry.hpp"
#include "train/run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hg::serve {
namespace {

using testing::HasSubstr;

class AdmissionTest : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        folder = std::make_unique<testing_support::TemporaryFolder>();
        const auto world = testing_support::small_world();
        SilentProgress silent;
        for (const auto& [name, model] :
             {std::pair{"judged", "gaussian"}, {"other", "gaussian"}, {"popular", "popularity"}}) {
            train::fit_run(
                {.entry = train::find_model(model),
                 .settings = {},
                 .seed = std::string_view{name} == "other" ? 8U : 7U,
                 .dataset = world.dataset,
                 .folder = *folder / name},
                silent,
                {}
            );
        }
    }

    static void TearDownTestSuite() { folder.reset(); }

    void TearDown() override {
        for (const auto* name : {"judged", "other", "popular"}) {
            std::filesystem::remove(decision_path(*folder / name));
        }
    }

    static void decide(const std::string& name, bool is_promoted) {
        const auto version = train::run_version(*folder / name);
        write_decision(
            *folder / name,
            {.version = version,
             .run = version,
             .is_promoted = is_promoted,
             .sentence = "too little"}
        );
    }

    static Admitted admit(const Admission& admission, const std::string& name) {
        return admission.admit(*folder / name, train::load_run(*folder / name), false);
    }

    static ServeOptions with_fallback() {
        return {.run = *folder / "judged", .fallbacks = {*folder / "popular"}};
    }

    static inline std::unique_ptr<testing_support::TemporaryFolder> folder;
};

TEST_F(AdmissionTest, without_a_fallback_a_run_serves_unasked) {
    const ServeOptions options{.run = *folder / "judged", .knobs = {.novelty = -.5}};
    const Admission admission{options};

    EXPECT_EQ(admission.first(), options.run);
    const auto admitted = admit(admission, "other");

    EXPECT_EQ(admitted.run_note, "");
    EXPECT_EQ(admitted.knobs->choose({}).novelty, -.5);
}

TEST_F(AdmissionTest, the_fallback_serves_until_a_gate_has_promoted_the_run) {
    const auto options = with_fallback();
    const Admission admission{options};

    EXPECT_EQ(admission.first(), options.fallbacks[0]);
    EXPECT_THAT(
        admit(admission, "popular").run_note, HasSubstr("judged is held: the gate has not")
    );
    decide("judged", false);
    EXPECT_EQ(admission.first(), options.fallbacks[0]);
    EXPECT_THAT(admit(admission, "popular").run_note, HasSubstr("says too little"));
    decide("judged", true);
    EXPECT_EQ(admission.first(), options.run);
    EXPECT_EQ(admit(admission, "judged").run_note, "");
    EXPECT_THAT(admit(admission, "popular").run_note, HasSubstr("asked for"));
}

TEST_F(AdmissionTest, beside_a_fallback_only_promoted_runs_are_loaded) {
    const auto options = with_fallback();
    const Admission admission{options};

    EXPECT_THROW((void)admit(admission, "other"), Error);
    decide("other", true);
    EXPECT_EQ(admit(admission, "other").run_note, "");
    write_decision(*folder / "judged", {.version = "judged@other", .run = "judged@other"});
    try {
        (void)admit(admission, "judged");
        FAIL() << "accepted";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("other weights"));
    }
}

TEST_F(AdmissionTest, of_several_fallbacks_the_first_that_was_promoted_serves_or_the_last) {
    auto options = with_fallback();
    options.fallbacks = {*folder / "other", *folder / "popular"};
    const Admission admission{options};

    EXPECT_EQ(admission.first(), *folder / "popular");
    EXPECT_THROW((void)admit(admission, "other"), Error) << "only the last needs no gate";
    decide("other", true);
    EXPECT_EQ(admission.first(), *folder / "other");
    EXPECT_THAT(admit(admission, "other").run_note, HasSubstr("judged is held"));
    EXPECT_THAT(admit(admission, "popular").run_note, HasSubstr("judged is held"));
    decide("judged", true);
    EXPECT_EQ(admission.first(), *folder / "judged");
    EXPECT_EQ(admit(admission, "judged").run_note, "");
}

TEST_F(AdmissionTest, the_fallback_is_known_by_its_folder_and_not_by_its_spelling) {
    auto options = with_fallback();
    options.fallbacks = {*folder / "judged" / ".." / "popular/"};
    const Admission admission{options};

    EXPECT_THAT(admit(admission, "popular").run_note, HasSubstr("held"));
}

TEST_F(AdmissionTest, a_fallback_that_is_none_is_refused_at_once) {
    auto options = with_fallback();
    options.fallbacks = {*folder / "judged/"};
    EXPECT_THROW(Admission{options}, Error) << "the run itself";
    options.fallbacks = {*folder / "nothing-here"};
    EXPECT_THROW(Admission{options}, Error) << "no run";
    options.fallbacks = {*folder / "popular", *folder / "other", *folder / "popular/"};
    EXPECT_THROW(Admission{options}, Error) << "named twice";
}

}  // namespace
}  // namespace hg::serve

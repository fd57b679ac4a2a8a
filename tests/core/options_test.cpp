// SPDX-License-Identifier: Apache-2.0
#include "core/options.hpp"

#include "core/file.hpp"
#include "support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hg {
namespace {

struct SampleOptions {
    std::int64_t dim = 64;
    double rate = 0.001;
    std::string loss = "bce";
    std::vector<std::string> parts{"a", "b"};

    static void describe(OptionBinder& bind, SampleOptions& o) {
        bind("dim", o.dim, "width", {.min = 1, .max = 1024});
        bind("learning_rate", o.rate, "step size", {.min = 0});
        bind("loss", o.loss, "what is minimised", {.choices = {"bce", "full"}});
        bind("parts", o.parts, "which parts");
    }
};

std::string message_of(const Settings& settings) {
    try {
        (void)settings.read<SampleOptions>();
    } catch (const Error& error) {
        return error.what();
    }
    return "no error";
}

TEST(Settings, defaults_hold_where_nothing_is_set) {
    const auto options = Settings{}.read<SampleOptions>();

    EXPECT_EQ(options.dim, 64);
    EXPECT_EQ(options.loss, "bce");
}

TEST(Settings, an_assignment_overrides_the_default) {
    Settings settings;
    settings.set_assignment("dim=32");
    settings.set_assignment("parts=[x, y,z]");

    const auto options = settings.read<SampleOptions>();

    EXPECT_EQ(options.dim, 32);
    EXPECT_THAT(options.parts, testing::ElementsAre("x", "y", "z"));
}

TEST(Settings, what_is_printed_as_a_file_is_read_from_a_file) {
    SampleOptions odd{.rate = 2.5, .loss = "full", .parts = {"als", "two words"}};
    OptionBinder binder;
    SampleOptions::describe(binder, odd);
    std::string toml;
    for (const auto& option : binder.options()) {
        toml += option.name + " = " + option.toml_text() + "\n";
    }
    const testing_support::TemporaryFolder folder;
    write_file_atomic(folder.path() / "sample.toml", toml);

    const auto read = load_settings(folder.path() / "sample.toml", {}).read<SampleOptions>();

    EXPECT_EQ(read.rate, odd.rate);
    EXPECT_EQ(read.loss, odd.loss);
    EXPECT_EQ(read.parts, odd.parts);
}

TEST(Settings, an_unknown_key_is_refused_with_the_nearest_known_one) {
    Settings settings;
    settings.set("learning_rat", "0.1", "train.toml:3:1");

    EXPECT_THAT(
        message_of(settings),
        testing::AllOf(
            testing::HasSubstr("train.toml:3:1: unknown key learning_rat"),
            testing::HasSubstr("did you mean learning_rate?")
        )
    );
}

TEST(Settings, a_value_out_of_range_is_refused_with_the_range) {
    Settings settings;
    settings.set_assignment("dim=0");

    EXPECT_THAT(message_of(settings), testing::HasSubstr("expected integer in 1 .. 1024"));
}

TEST(Settings, a_word_outside_the_choices_is_refused) {
    Settings settings;
    settings.set_assignment("loss=hinge");

    EXPECT_THAT(message_of(settings), testing::HasSubstr("bce | full"));
}

TEST(Settings, a_section_cuts_its_prefix) {
    Settings settings;
    settings.set_assignment("model.dim=8");

    EXPECT_EQ(settings.section("model").read<SampleOptions>().dim, 8);
}

TEST(Settings, messages_name_an_option_with_its_section) {
    Settings mistyped;
    mistyped.set_assignment("model.sasrec.dimm=8");
    Settings too_big;
    too_big.set_assignment("model.dim=9999");

    const auto unknown = message_of(mistyped.section("model").section("sasrec"));
    EXPECT_THAT(unknown, testing::HasSubstr("unknown key model.sasrec.dimm"));
    EXPECT_THAT(unknown, testing::HasSubstr("did you mean model.sasrec.dim?"));
    EXPECT_THAT(message_of(too_big.section("model")), testing::HasSubstr("model.dim = 9999"));
}

}  // namespace
}  // namespace hg

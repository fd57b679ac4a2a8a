// SPDX-License-Identifier: Apache-2.0
// What every encoder of the registry must do; a new line in builtin.def is tested here unasked.
#include "encode/catalogues.hpp"
#include "encode/encoder_entry.hpp"
#include "encode/tiny_bert.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

namespace hg::encode {
namespace {

class EncoderContract : public testing::TestWithParam<const EncoderEntry*> {
  protected:
    void SetUp() override { write_tiny_bert(folder_.path() / "model"); }

    [[nodiscard]] std::unique_ptr<ContentModel> fitted(const data::Catalogue& items) {
        Settings settings;
        bool has_model = false;
        GetParam()->options([&](const OptionInfo& option) {
            has_model = has_model || option.name == "model";
        });
        if (has_model) {
            settings.set("model", (folder_.path() / "model").string());
        }
        return GetParam()->fit({.items = items, .rng = Rng{7}, .progress = silent_}, settings);
    }

    [[nodiscard]] ItemVectors represent(const ContentModel& model, const data::Catalogue& items) {
        return model.represent(items, silent_, {});
    }

    [[nodiscard]] static double largest_difference(
        std::span<const float> a, std::span<const float> b
    ) {
        double largest = 0;
        for (std::size_t i = 0; i < a.size(); ++i) {
            largest =
                std::max(largest, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
        }
        return largest;
    }

    TempFolder folder_;
    SilentProgress silent_;
};

TEST_P(EncoderContract, the_same_input_gives_the_same_bytes) {
    const auto items = film_catalogue();

    const auto a = represent(*fitted(items), items);
    const auto b = represent(*fitted(items), items);

    EXPECT_EQ(a.encoder, GetParam()->name);
    EXPECT_EQ(a.n_items(), items.n_rows());
    EXPECT_TRUE(std::ranges::equal(a.vectors.values(), b.vectors.values()));
    EXPECT_EQ(a.present, b.present);
}

TEST_P(EncoderContract, a_batch_equals_one_by_one) {
    const auto items = film_catalogue();
    const auto model = fitted(items);
    const auto all = represent(*model, items);

    for (std::size_t row = 0; row < items.n_rows(); ++row) {
        const auto one = represent(*model, one_row(items, row));
        EXPECT_LT(largest_difference(one.vectors.row(0), all.vectors.row(row)), 1e-6);
        EXPECT_EQ(one.present[0], all.present[row]);
    }
}

TEST_P(EncoderContract, saved_and_loaded_it_encodes_a_new_item_alike) {
    const auto items = film_catalogue();
    const auto model = fitted(items);
    model->save(folder_.path() / "saved");

    const auto loaded = load_encoder(folder_.path() / "saved");

    EXPECT_EQ(loaded->dim(), model->dim());
    for (std::size_t row = 0; row < items.n_rows(); ++row) {
        const auto a = represent(*model, one_row(items, row));
        const auto b = represent(*loaded, one_row(items, row));
        EXPECT_TRUE(std::ranges::equal(a.vectors.values(), b.vectors.values()));
    }
}

TEST_P(EncoderContract, survives_empty_broken_and_megabyte_texts) {
    std::string megabyte;
    while (megabyte.size() < 1'000'000) {
        megabyte += "toy e\xCC\x81 \xff 千 👩‍👧 ";
    }
    const data::Catalogue items{
        5,
        {
            text_field(
                "title", {"", megabyte, "\xff\xfe\xfd", "toy story", std::string(1'000'000, 'x')}
            ),
            number_field("price", {std::nullopt, 1e30F, -1e30F, 0, 5}),
        }
    };

    const auto out = represent(*fitted(items), items);

    for (const float v : out.vectors.values()) {
        EXPECT_TRUE(std::isfinite(v));
    }
    EXPECT_EQ(out.present[0], 0);
    EXPECT_TRUE(std::ranges::all_of(out.vectors.row(0), [](float v) { return v == 0.0F; }));
    EXPECT_EQ(out.present[3], 1);
}

TEST_P(EncoderContract, encodes_no_rows_at_all) {
    const auto model = fitted(film_catalogue());

    const auto out = represent(*model, data::Catalogue{0, {}});

    EXPECT_EQ(out.n_items(), 0U);
    EXPECT_EQ(out.dim(), model->dim());
}

INSTANTIATE_TEST_SUITE_P(
    Encoders,
    EncoderContract,
    testing::ValuesIn(encoders().begin(), encoders().end()),
    [](const auto& entry) { return std::string{entry.param->name}; }
);

TEST(EncoderRegistry, names_the_nearest_encoder) {
    try {
        (void)find_encoder("texts");
        FAIL();
    } catch (const Error& error) {
        EXPECT_NE(error.hint().find("did you mean text"), std::string::npos) << error.hint();
    }
}

}  // namespace
}  // namespace hg::encode

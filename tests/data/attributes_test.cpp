// SPDX-License-Identifier: Apache-2.0
#include "data/attributes.hpp"

#include "data/dataset.hpp"
#include "data/folder_fixture.hpp"
#include "data/split.hpp"

#include <gtest/gtest.h>

namespace hg::data {
namespace {

TEST(Attributes, histories_of_a_dataset_and_of_its_splits_carry_what_is_known_of_the_user) {
    const TemporaryFolder folder;
    folder.write(
        "interactions.csv", "user_id,item_id,timestamp\na,x,1\na,y,2\na,z,3\nb,x,1\nb,y,2\nb,z,3\n"
    );
    folder.write("users.csv", "user_id,gender,age\na,F,24\nb,M,\n");

    const auto dataset = value_or_throw(open_dataset(folder.path()));
    const auto split = leave_one_out(dataset.log);

    EXPECT_EQ(dataset.log.history(UserId{0}).attribute("gender"), "F");
    EXPECT_EQ(dataset.log.history(UserId{0}).attribute("age"), "24");
    EXPECT_EQ(dataset.log.history(UserId{1}).attribute("age"), "");
    EXPECT_EQ(dataset.log.history(UserId{1}).attribute("no_such_field"), "");
    EXPECT_EQ(split.train.history(UserId{1}).attribute("gender"), "M");
    EXPECT_EQ(split.test.at(0).context.attribute("gender"), "F");
    EXPECT_EQ(split.test.at(0).context.tail(1).attribute("gender"), "F");
}

TEST(Attributes, a_copy_owns_its_texts) {
    Attributes copy;
    {
        const Attributes original{{{"country", "a rather long name of a country"}}};
        copy = original;
    }

    ASSERT_EQ(copy.view().size(), 1U);
    EXPECT_EQ(copy.view()[0].value, "a rather long name of a country");
}

}  // namespace
}  // namespace hg::data

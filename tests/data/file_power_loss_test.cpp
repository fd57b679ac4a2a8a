// SPDX-License-Identifier: Apache-2.0
// Files and folders that were written survive a power cut at any call, whole; and this test notices
// when a sync is taken out.
#include "core/file.hpp"
#include "core/rng.hpp"
#include "data/binary_dataset.hpp"
#include "data/synthetic.hpp"
#include "power_loss_files.hpp"
#include "support/effort.hpp"
#include "support/temporary_folder.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>

namespace hg::data {
namespace {

using Folder = testing_support::TemporaryFolder;
using testing_support::PowerLossFiles;
using Disk = PowerLossFiles::Disk;
using testing_support::effort;

std::string content(std::uint64_t seed, int version) {
    return fmt::format("{}/", version) +
           std::string(1 + seed % 97, static_cast<char>('a' + version));
}

/// Writes versions of a file in new folders until the power goes; whether the last one that was
/// acknowledged, or a later one, is there and whole.
bool keeps_a_file(std::uint64_t seed, Disk disk) {
    const Folder before;
    const Folder after;
    Rng rng{seed};
    PowerLossFiles files{before.path(), seed, 1 + rng.below(24), disk};
    int acknowledged = -1;
    int sent = -1;
    while (!files.is_cut() && sent < 6) {
        ++sent;
        write_file_atomic(before / "runs/one/manifest.json", content(seed, sent));
        acknowledged = files.is_cut() ? acknowledged : sent;
    }
    files.cut_into(after.path());
    const auto found = read_file(after / "runs/one/manifest.json");
    if (!found) {
        return acknowledged < 0;
    }
    for (int version = std::max(acknowledged, 0); version <= sent; ++version) {
        if (*found == content(seed, version)) {
            return true;
        }
    }
    return false;
}

Dataset dataset(int version) {
    auto made = make_synthetic({.users = 5, .items = 7, .events = 30, .seed = version + 1});
    made.data.name = fmt::format("version {}", version);
    return std::move(made.data);
}

/// The same with datasets, each replacing the one before.
bool keeps_a_dataset(std::uint64_t seed, Disk disk) {
    const Folder before;
    const Folder after;
    Rng rng{seed};
    PowerLossFiles files{before.path(), seed, 1 + rng.below(36), disk};
    int acknowledged = -1;
    int sent = -1;
    while (!files.is_cut() && sent < 2) {
        ++sent;
        auto transaction = value_or_throw(FolderTransaction::begin(before / "new/data"));
        write_binary_dataset(dataset(sent), transaction.folder(), nlohmann::json::object());
        transaction.commit();
        acknowledged = files.is_cut() ? acknowledged : sent;
    }
    files.cut_into(after.path());
    const auto found = open_binary_dataset(after / "new/data");
    if (!found) {
        return acknowledged < 0 && !std::filesystem::exists(after / "new/data");
    }
    return found->name == fmt::format("version {}", sent) ||
           found->name == fmt::format("version {}", acknowledged);
}

int count_bad(bool (*keeps)(std::uint64_t, Disk), std::size_t seeds, Disk disk) {
    int bad = 0;
    for (std::size_t seed = 0; seed < seeds; ++seed) {
        bad += keeps(seed, disk) ? 0 : 1;
    }
    return bad;
}

TEST(FilePowerLoss, a_written_file_is_the_old_one_or_the_new_one) {
    for (std::size_t seed = 0; seed < effort("HG_POWER_CUTS", 200); ++seed) {
        ASSERT_TRUE(keeps_a_file(seed, Disk::obeys)) << "seed " << seed;
    }
}

TEST(FilePowerLoss, a_written_dataset_is_the_old_one_or_the_new_one) {
    for (std::size_t seed = 0; seed < effort("HG_POWER_CUTS", 60); ++seed) {
        ASSERT_TRUE(keeps_a_dataset(seed, Disk::obeys)) << "seed " << seed;
    }
}

TEST(FilePowerLoss, the_test_itself_fails_when_a_sync_is_taken_out) {
    for (const auto disk : {Disk::ignores_files, Disk::ignores_folders}) {
        EXPECT_GE(count_bad(keeps_a_file, 60, disk), 20);
        EXPECT_GE(count_bad(keeps_a_dataset, 30, disk), 5);
    }
}

}  // namespace
}  // namespace hg::data

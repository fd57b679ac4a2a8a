// SPDX-License-Identifier: Apache-2.0
// FolderFixture: a temporary folder of its own for each test, gone afterwards.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace hg::data {

class TemporaryFolder {
  public:
    TemporaryFolder() {
        auto pattern = (std::filesystem::temp_directory_path() / "hg_data_XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) {
            throw std::runtime_error("no temporary folder");
        }
        path_ = pattern;
    }

    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    TemporaryFolder(TemporaryFolder&&) = delete;
    TemporaryFolder& operator=(TemporaryFolder&&) = delete;

    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

    void write(const std::string& name, std::string_view content) const {
        const auto target = path_ / name;
        std::filesystem::create_directories(target.parent_path());
        std::ofstream{target, std::ios::binary} << content;
    }

    [[nodiscard]] std::string read(const std::string& name) const {
        std::ifstream in{path_ / name, std::ios::binary};
        return {std::istreambuf_iterator<char>{in}, {}};
    }

  private:
    std::filesystem::path path_;
};

class FolderFixture : public ::testing::Test {
  protected:
    [[nodiscard]] const std::filesystem::path& folder() const { return temporary_.path(); }

    void write(const std::string& name, std::string_view content) const {
        temporary_.write(name, content);
    }

    [[nodiscard]] std::string read(const std::string& name) const { return temporary_.read(name); }

  private:
    TemporaryFolder temporary_;
};

}  // namespace hg::data

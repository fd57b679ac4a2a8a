// SPDX-License-Identifier: Apache-2.0
#include "core/durable_folder.hpp"

#include "core/error.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace hg {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail_to(const char* action, const fs::path& folder, int number) {
    throw Error{
        number == ENOSPC ? ErrorCode::exhausted : ErrorCode::unavailable,
        fmt::format("{}: cannot {} the folder: {}", folder.string(), action, std::strerror(number)),
        "check the path and its permissions"
    };
}

void sync_folder(const fs::path& folder) {
    const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) {
        return;  // one we may pass through, but not read, was not made by us
    }
    const int result = ::fsync(descriptor);
    const int number = errno;
    ::close(descriptor);
    if (result != 0) {
        fail_to("sync", folder, number);
    }
}

}  // namespace

void create_durable_folders(const fs::path& folder) {
    std::error_code error;
    if (folder.empty() || fs::is_directory(folder, error)) {
        return;
    }
    const auto parent = folder.has_parent_path() ? folder.parent_path() : fs::path{"."};
    create_durable_folders(parent);
    fs::create_directory(folder, error);
    if (error) {
        fail_to("create", folder, error.value());
    }
    sync_folder(parent);
}

}  // namespace hg

// SPDX-License-Identifier: Apache-2.0
// FolderTransaction: a folder that appears at once (declared in binary_dataset.hpp).
#include "core/durable_folder.hpp"
#include "data/binary_dataset.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace hg::data {
namespace {

namespace fs = std::filesystem;

Error folder_error(const fs::path& path, std::string_view action, int number) {
    return {
        number == ENOSPC ? ErrorCode::exhausted : ErrorCode::unavailable,
        fmt::format("{}: cannot {}: {}", path.string(), action, std::strerror(number)),
        "check the disk and the permissions of the folder above",
    };
}

void sync_folder(const fs::path& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool is_synced = fd >= 0 && ::fsync(fd) == 0;
    const int number = errno;
    if (fd >= 0) {
        ::close(fd);
    }
    if (!is_synced) {
        throw folder_error(path, "sync", number);
    }
}

fs::path parent_of(const fs::path& path) {
    return path.has_parent_path() ? path.parent_path() : ".";
}

}  // namespace

Result<FolderTransaction> FolderTransaction::begin(fs::path target) {
    target = fs::absolute(target).lexically_normal();
    if (!target.has_filename()) {
        target = target.parent_path();
    }
    std::error_code error;
    if (fs::exists(target, error)) {
        const bool is_folder = fs::is_directory(target, error);
        if (!is_folder || (!is_binary_dataset(target) && !fs::is_empty(target, error))) {
            return fail(
                ErrorCode::conflict,
                fmt::format("{}: exists and is not a dataset", target.string()),
                "choose another --out; only a dataset written by ingest is replaced"
            );
        }
    }
    const fs::path temporary = fmt::format("{}.tmp-{}", target.string(), ::getpid());
    fs::remove_all(temporary, error);
    create_durable_folders(parent_of(target));
    fs::create_directory(temporary, error);
    if (error) {
        return std::unexpected(folder_error(temporary, "create", error.value()));
    }
    return FolderTransaction{std::move(target), temporary};
}

FolderTransaction::FolderTransaction(fs::path target, fs::path temporary)
    : target_(std::move(target)), temporary_(std::move(temporary)) {}

FolderTransaction::FolderTransaction(FolderTransaction&& other) noexcept
    : target_(std::move(other.target_)), temporary_(std::exchange(other.temporary_, {})) {}

FolderTransaction::~FolderTransaction() {
    std::error_code ignored;
    if (!temporary_.empty()) {
        fs::remove_all(temporary_, ignored);
    }
}

void FolderTransaction::commit() {
    sync_folder(temporary_);
    std::error_code error;
    const bool replaces = fs::exists(target_, error);
    // With an older folder in place the two are exchanged in one step; the old one is removed
    // after.
    const unsigned flags = replaces ? RENAME_EXCHANGE : 0U;
    if (::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, target_.c_str(), flags) != 0) {
        const int number = errno;
        if (number != EINVAL && number != ENOSYS) {
            throw folder_error(target_, "replace", number);
        }
        fs::remove_all(target_, error);  // a file system that cannot exchange
        if (::rename(temporary_.c_str(), target_.c_str()) != 0) {
            throw folder_error(target_, "replace", errno);
        }
    }
    sync_folder(parent_of(target_));
    fs::remove_all(temporary_, error);
    temporary_.clear();
}

}  // namespace hg::data

// SPDX-License-Identifier: Apache-2.0
#include "core/file.hpp"

#include "core/durable_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>

namespace hg {
namespace {

namespace fs = std::filesystem;

Error io_error(const fs::path& path, std::string_view action) {
    const int number = errno;
    const auto code = number == ENOENT   ? ErrorCode::not_found
                      : number == ENOSPC ? ErrorCode::exhausted
                                         : ErrorCode::unavailable;
    const auto* const hint = number == ENOENT   ? "check the path"
                             : number == ENOSPC ? "free disk space and try again"
                                                : "check the path and its permissions";
    return {
        code, fmt::format("{}: cannot {}: {}", path.string(), action, std::strerror(number)), hint
    };
}

class Descriptor {
  public:
    Descriptor(const fs::path& path, int flags, mode_t mode = 0)
        : fd_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {}

    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    Descriptor(Descriptor&&) = delete;
    Descriptor& operator=(Descriptor&&) = delete;

    ~Descriptor() {
        if (fd_ >= 0) {
            ::close(fd_);
        }
    }

    [[nodiscard]] int get() const noexcept { return fd_; }

    [[nodiscard]] bool is_open() const noexcept { return fd_ >= 0; }

  private:
    int fd_;
};

void sync_path(const fs::path& path, int flags) {
    const Descriptor descriptor{path, flags};
    if (!descriptor.is_open() || ::fsync(descriptor.get()) != 0) {
        throw io_error(path, "sync");
    }
}

/// A device or a pipe is written to, never replaced.
void write_through(const fs::path& path, const std::function<void(std::ostream&)>& write) {
    std::ofstream out{path, std::ios::binary};
    if (!out) {
        throw io_error(path, "open");
    }
    write(out);
    out.flush();
    if (!out) {
        throw io_error(path, "write");
    }
}

}  // namespace

Result<std::string> read_file(const fs::path& path) {
    std::error_code ignored;
    if (fs::is_directory(path, ignored)) {
        return fail(ErrorCode::invalid_argument, path.string() + ": is a folder, expected a file");
    }
    std::ifstream in{path, std::ios::binary};
    if (!in) {
        return std::unexpected(io_error(path, "open"));
    }
    std::ostringstream content;
    content << in.rdbuf();
    if (in.bad()) {
        return std::unexpected(io_error(path, "read"));
    }
    return std::move(content).str();
}

void write_file_atomic(const fs::path& path, std::string_view content) {
    write_file_atomic(path, [content](std::ostream& out) {
        out.write(content.data(), static_cast<std::streamsize>(content.size()));
    });
}

void write_file_atomic(const fs::path& named, const std::function<void(std::ostream&)>& write) {
    std::error_code ignored;
    const auto path = fs::is_symlink(named, ignored) ? fs::weakly_canonical(named) : named;
    if (const auto kind = fs::status(path, ignored).type();
        kind == fs::file_type::character || kind == fs::file_type::fifo ||
        kind == fs::file_type::block || kind == fs::file_type::socket) {
        write_through(path, write);
        return;
    }
    const auto folder = path.has_parent_path() ? path.parent_path() : fs::path{"."};
    create_durable_folders(folder);
    std::error_code error;
    const auto temporary = fs::path{fmt::format("{}.tmp-{}", path.string(), ::getpid())};
    try {
        {
            std::ofstream out{temporary, std::ios::binary | std::ios::trunc};
            if (!out) {
                throw io_error(temporary, "create");
            }
            write(out);
            out.flush();
            if (!out) {
                throw io_error(temporary, "write");
            }
        }
        sync_path(temporary, O_RDONLY);
        if (::rename(temporary.c_str(), path.c_str()) != 0) {
            throw io_error(path, "replace");
        }
        sync_path(folder, O_RDONLY | O_DIRECTORY);
    } catch (...) {
        fs::remove(temporary, error);
        throw;
    }
}

Result<MappedFile> MappedFile::open(const fs::path& path) {
    const Descriptor descriptor{path, O_RDONLY};
    if (!descriptor.is_open()) {
        return std::unexpected(io_error(path, "open"));
    }
    struct stat status{};
    if (::fstat(descriptor.get(), &status) != 0) {
        return std::unexpected(io_error(path, "stat"));
    }
    if (!S_ISREG(status.st_mode)) {
        return fail(ErrorCode::invalid_argument, path.string() + ": is not a regular file");
    }
    const auto size = static_cast<std::size_t>(status.st_size);
    if (size == 0) {
        return MappedFile{{}};
    }
    void* const address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor.get(), 0);
    if (address == MAP_FAILED) {
        return std::unexpected(io_error(path, "map"));
    }
    return MappedFile{{static_cast<const std::byte*>(address), size}};
}

MappedFile::MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
}

MappedFile::~MappedFile() {
    if (!bytes_.empty()) {
        ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());  // NOLINT(*-const-cast)
    }
}

}  // namespace hg

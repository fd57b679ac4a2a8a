// SPDX-License-Identifier: Apache-2.0
#include "power_loss_files.hpp"

#include "core/file.hpp"
#include "core/rng.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace hg::testing_support {
namespace {

namespace fs = std::filesystem;

using Inode = ::ino_t;

struct Name {
    Inode inode = 0;
    bool is_folder = false;

    bool operator==(const Name&) const = default;
};

using Names = std::map<std::string, Name>;

struct File {
    std::optional<std::string> durable;
    std::string current;
};

Inode inode_of(const fs::path& path) {
    struct stat status{};
    return ::lstat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

PowerLossFiles::State* active = nullptr;

}  // namespace

struct PowerLossFiles::State {
    fs::path root;
    Rng rng{0};
    std::size_t calls = 0;
    std::size_t cut_at = 0;
    Disk disk = Disk::obeys;
    bool is_cut = false;
    Inode root_inode = 0;
    std::map<Inode, std::vector<Names>> folders;  // states since the last sync, that one first
    std::map<Inode, File> files;
    std::map<Inode, int> held;  // open: an inode that is held is not given to another file
    std::map<fs::path, std::string> image;
    std::vector<fs::path> image_folders;

    ~State() {
        for (const auto& [inode, descriptor] : held) {
            ::close(descriptor);
        }
    }

    void hold(Inode inode, const fs::path& path) {
        if (!held.contains(inode)) {
            held[inode] = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        }
    }

    /// Reads the tree as it is now.
    void look(const fs::path& folder) {
        Names names;
        for (const auto& entry : fs::directory_iterator(folder)) {
            const auto inode = inode_of(entry.path());
            hold(inode, entry.path());
            names[entry.path().filename().string()] = {inode, entry.is_directory()};
            if (entry.is_directory()) {
                look(entry.path());
            } else {
                files[inode].current = read_file(entry.path()).value_or("");
            }
        }
        auto& states = folders[inode_of(folder)];
        if (states.empty()) {
            states.emplace_back();  // a new folder: nothing in it is durable
        }
        if (states.back() != names) {
            states.push_back(std::move(names));
        }
    }

    void tick() {
        if (is_cut) {
            return;
        }
        look(root);
        if (++calls >= cut_at) {
            take_image(root_inode, {});
            is_cut = true;
        }
    }

    void take_image(Inode folder, const fs::path& path) {
        const auto& states = folders[folder];
        for (const auto& [name, target] : states[rng.below(states.size())]) {
            if (target.is_folder) {
                image_folders.push_back(path / name);
                take_image(target.inode, path / name);
            } else {
                image[path / name] = content_after_cut(files[target.inode]);
            }
        }
    }

    std::string content_after_cut(const File& file) {
        if (file.durable == file.current || (file.durable && rng.below(2) == 0)) {
            return *file.durable;
        }
        return file.current.substr(0, rng.below(file.current.size() + 1));
    }

    void sync(int descriptor) {
        struct stat status{};
        if (is_cut || ::fstat(descriptor, &status) != 0) {
            return;
        }
        if (S_ISDIR(status.st_mode) && folders.contains(status.st_ino)) {
            if (disk != Disk::ignores_folders) {
                auto& states = folders[status.st_ino];
                states.erase(states.begin(), states.end() - 1);
            }
        } else if (files.contains(status.st_ino) && disk != Disk::ignores_files) {
            auto& file = files[status.st_ino];
            file.durable = file.current;
        }
    }
};

PowerLossFiles::PowerLossFiles(
    const fs::path& root, std::uint64_t seed, std::size_t cut_at_call, Disk disk
)
    : state_(std::make_unique<State>()) {
    state_->root = root;
    state_->rng = Rng{seed};
    state_->cut_at = cut_at_call;
    state_->disk = disk;
    state_->root_inode = inode_of(root);
    state_->look(root);
    active = state_.get();
}

PowerLossFiles::~PowerLossFiles() {
    active = nullptr;
}

bool PowerLossFiles::is_cut() const {
    return state_->is_cut;
}

void PowerLossFiles::cut_into(const fs::path& folder) {
    state_->cut_at = 0;
    state_->tick();
    for (const auto& path : state_->image_folders) {
        fs::create_directories(folder / path);
    }
    for (const auto& [path, content] : state_->image) {
        std::ofstream{folder / path, std::ios::binary} << content;
    }
}

}  // namespace hg::testing_support

// Of this program: what calls them gets these. NOLINTBEGIN(readability-identifier-naming)
extern "C" {

int fsync(int descriptor) {
    if (hg::testing_support::active == nullptr) {
        return static_cast<int>(::syscall(SYS_fsync, descriptor));
    }
    hg::testing_support::active->tick();
    hg::testing_support::active->sync(descriptor);
    return 0;  // slow, and the image knows
}

int rename(const char* from, const char* to) noexcept {
    if (hg::testing_support::active != nullptr) {
        hg::testing_support::active->tick();
    }
    return static_cast<int>(::syscall(SYS_rename, from, to));
}

int renameat2(
    int from_folder, const char* from, int to_folder, const char* to, unsigned flags
) noexcept {
    if (hg::testing_support::active != nullptr) {
        hg::testing_support::active->tick();
    }
    return static_cast<int>(::syscall(SYS_renameat2, from_folder, from, to_folder, to, flags));
}

}  // NOLINTEND(readability-identifier-naming)

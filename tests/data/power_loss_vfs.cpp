// SPDX-License-Identifier: Apache-2.0
#include "power_loss_vfs.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <atomic>
#include <cstring>
#include <fstream>
#include <mutex>
#include <new>

namespace hg::testing_support {
namespace {

struct Write {
    std::size_t offset = 0;
    std::string bytes;
    bool is_truncate = false;  // to `offset` bytes
};

struct Image {
    bool exists = false;  // a file that was never synced may not even have a name
    std::string durable;
    std::vector<Write> pending;
};

void apply_write(std::string& content, const Write& write) {
    if (write.is_truncate) {
        content.resize(write.offset);
        return;
    }
    content.resize(std::max(content.size(), write.offset + write.bytes.size()));
    content.replace(write.offset, write.bytes.size(), write.bytes);
}

}  // namespace

struct PowerLossVfs::State {
    std::string name;
    sqlite3_vfs vfs{};
    sqlite3_vfs* real = nullptr;
    std::mutex mutex;
    Rng rng{0};
    std::size_t operations = 0;
    std::size_t cut_at = 0;
    std::atomic<bool> is_cut = false;
    std::map<std::string, Image> files;
    std::map<std::string, std::string> cut_files;

    /// Under the mutex, before an operation counts.
    void tick() {
        if (++operations >= cut_at) {
            take_cut();
        }
    }

    void take_cut() {
        if (is_cut) {
            return;
        }
        for (auto& [path, image] : files) {
            if (!image.exists) {
                continue;
            }
            auto content = image.durable;
            const bool keeps_prefix = rng.below(2) == 0;
            const auto prefix = rng.below(image.pending.size() + 1);
            for (std::size_t i = 0; i < image.pending.size(); ++i) {
                const bool is_kept = keeps_prefix ? i < prefix : rng.below(2) == 0;
                if (!is_kept) {
                    continue;
                }
                auto write = image.pending[i];
                if (!write.is_truncate && rng.below(4) == 0) {
                    write.bytes.resize(rng.below(write.bytes.size() + 1));
                }
                apply_write(content, write);
            }
            cut_files[path] = content;
        }
        is_cut = true;
    }
};

namespace {

struct File {
    sqlite3_file base;
    PowerLossVfs::State* state;
    Image* image;  // null: a temporary file
    sqlite3_file* real;
};

File* cast(sqlite3_file* file) {
    return reinterpret_cast<File*>(file);
}

int close_file(sqlite3_file* file) {
    return cast(file)->real->pMethods->xClose(cast(file)->real);
}

int read_file(sqlite3_file* file, void* out, int n, sqlite3_int64 offset) {
    return cast(file)->real->pMethods->xRead(cast(file)->real, out, n, offset);
}

int write_file(sqlite3_file* file, const void* bytes, int n, sqlite3_int64 offset) {
    auto* f = cast(file);
    if (f->image != nullptr) {
        const std::scoped_lock lock{f->state->mutex};
        f->state->tick();
        f->image->pending.push_back({
            .offset = static_cast<std::size_t>(offset),
            .bytes = {static_cast<const char*>(bytes), static_cast<std::size_t>(n)},
        });
    }
    return f->real->pMethods->xWrite(f->real, bytes, n, offset);
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
    auto* f = cast(file);
    if (f->image != nullptr) {
        const std::scoped_lock lock{f->state->mutex};
        f->state->tick();
        f->image->pending.push_back(
            {.offset = static_cast<std::size_t>(size), .bytes = {}, .is_truncate = true}
        );
    }
    return f->real->pMethods->xTruncate(f->real, size);
}

int sync_file(sqlite3_file* file, int /*flags*/) {
    auto* f = cast(file);
    if (f->image != nullptr) {
        const std::scoped_lock lock{f->state->mutex};
        f->state->tick();
        for (const auto& write : f->image->pending) {
            apply_write(f->image->durable, write);
        }
        f->image->pending.clear();
        f->image->exists = true;
    }
    return SQLITE_OK;
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
    return cast(file)->real->pMethods->xFileSize(cast(file)->real, size);
}

int lock_file(sqlite3_file* file, int level) {
    return cast(file)->real->pMethods->xLock(cast(file)->real, level);
}

int unlock_file(sqlite3_file* file, int level) {
    return cast(file)->real->pMethods->xUnlock(cast(file)->real, level);
}

int check_lock(sqlite3_file* file, int* out) {
    return cast(file)->real->pMethods->xCheckReservedLock(cast(file)->real, out);
}

int file_control(sqlite3_file* file, int op, void* argument) {
    return cast(file)->real->pMethods->xFileControl(cast(file)->real, op, argument);
}

int sector_size(sqlite3_file* /*file*/) {
    return 512;
}

int device_characteristics(sqlite3_file* /*file*/) {
    return 0;
}  // promises nothing: no powersafe overwrite

int shm_map(sqlite3_file* file, int page, int size, int extend, void volatile** out) {
    return cast(file)->real->pMethods->xShmMap(cast(file)->real, page, size, extend, out);
}

int shm_lock(sqlite3_file* file, int offset, int n, int flags) {
    return cast(file)->real->pMethods->xShmLock(cast(file)->real, offset, n, flags);
}

void shm_barrier(sqlite3_file* file) {
    cast(file)->real->pMethods->xShmBarrier(cast(file)->real);
}

int shm_unmap(sqlite3_file* file, int remove) {
    return cast(file)->real->pMethods->xShmUnmap(cast(file)->real, remove);
}

const sqlite3_io_methods methods{
    .iVersion = 2,
    .xClose = close_file,
    .xRead = read_file,
    .xWrite = write_file,
    .xTruncate = truncate_file,
    .xSync = sync_file,
    .xFileSize = file_size,
    .xLock = lock_file,
    .xUnlock = unlock_file,
    .xCheckReservedLock = check_lock,
    .xFileControl = file_control,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = device_characteristics,
    .xShmMap = shm_map,
    .xShmLock = shm_lock,
    .xShmBarrier = shm_barrier,
    .xShmUnmap = shm_unmap,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

PowerLossVfs::State& state_of(sqlite3_vfs* vfs) {
    return *static_cast<PowerLossVfs::State*>(vfs->pAppData);
}

int open_file(
    sqlite3_vfs* vfs, sqlite3_filename name, sqlite3_file* file, int flags, int* out_flags
) {
    auto& state = state_of(vfs);
    auto* f = cast(file);
    f->base.pMethods = nullptr;
    f->state = &state;
    f->image = nullptr;
    f->real = reinterpret_cast<sqlite3_file*>(f + 1);
    constexpr int tracked = SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL;
    if (name != nullptr && (flags & tracked) != 0) {
        const std::scoped_lock lock{state.mutex};
        f->image = &state.files[name];
    }
    const int code = state.real->xOpen(state.real, name, f->real, flags, out_flags);
    if (code == SQLITE_OK) {
        f->base.pMethods = &methods;
    }
    return code;
}

int delete_file(sqlite3_vfs* vfs, const char* name, int sync_folder) {
    auto& state = state_of(vfs);
    {
        const std::scoped_lock lock{state.mutex};
        state.tick();
        state.files[name] = {};
    }
    return state.real->xDelete(state.real, name, sync_folder);
}

}  // namespace

PowerLossVfs::PowerLossVfs(std::uint64_t seed, std::size_t cut_at_operation)
    : state_(std::make_unique<State>()) {
    static std::atomic<int> counter = 0;
    state_->name = fmt::format("power-loss-{}", counter++);
    state_->rng = Rng{seed};
    state_->cut_at = cut_at_operation;
    state_->real = sqlite3_vfs_find(nullptr);
    state_->vfs = *state_->real;
    state_->vfs.szOsFile = static_cast<int>(sizeof(File)) + state_->real->szOsFile;
    state_->vfs.zName = state_->name.c_str();
    state_->vfs.pAppData = state_.get();
    state_->vfs.xOpen = open_file;
    state_->vfs.xDelete = delete_file;
    sqlite3_vfs_register(&state_->vfs, 0);
}

PowerLossVfs::~PowerLossVfs() {
    sqlite3_vfs_unregister(&state_->vfs);
}

const std::string& PowerLossVfs::name() const {
    return state_->name;
}

bool PowerLossVfs::is_cut() const {
    return state_->is_cut;
}

void PowerLossVfs::cut() {
    const std::scoped_lock lock{state_->mutex};
    state_->take_cut();
}

void PowerLossVfs::write_image(const std::filesystem::path& folder) const {
    for (const auto& [path, content] : state_->cut_files) {
        std::ofstream out{folder / std::filesystem::path{path}.filename(), std::ios::binary};
        out.write(content.data(), static_cast<std::streamsize>(content.size()));
    }
}

}  // namespace hg::testing_support

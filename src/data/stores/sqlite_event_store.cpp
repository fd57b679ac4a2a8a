// SPDX-License-Identifier: Apache-2.0
#include "data/stores/sqlite_event_store.hpp"

#include "core/durable_folder.hpp"
#include "data/stores/sqlite_checkpointer.hpp"
#include "data/stores/sqlite_schema.hpp"
#include "data/stores/sqlite_statements.hpp"
#include "data/stores/sqlite_writer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <unordered_set>
#include <utility>

namespace hg::data {
namespace {

// Impressions wait for company this long, as event_store.hpp says.
constexpr std::chrono::milliseconds impression_patience{200};

/// An exclusive lock on FILE.lock, held while the object lives; freed by the kernel when the
/// process dies.
class LockFile {
  public:
    explicit LockFile(const std::filesystem::path& path)
        : descriptor_(::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600)) {
        if (descriptor_ < 0) {
            throw Error{
                ErrorCode::not_found,
                fmt::format("cannot create {}", path.string()),
                "does the folder exist, may we write to it?",
            };
        }
        if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
            ::close(descriptor_);
            throw Error{
                ErrorCode::conflict,
                fmt::format("{} is held by another process", path.string()),
                "one server per database: stop the other one, or give this one its own --db",
            };
        }
    }

    LockFile(const LockFile&) = delete;
    LockFile& operator=(const LockFile&) = delete;
    LockFile(LockFile&&) = delete;
    LockFile& operator=(LockFile&&) = delete;

    ~LockFile() { ::close(descriptor_); }

  private:
    int descriptor_;
};

std::filesystem::path lock_path(const SqliteStoreOptions& options) {
    auto path = options.file;
    path += ".lock";
    return path;
}

/// The name of a new file is durable only after its folder is.
void sync_folder(const std::filesystem::path& folder) {
    const int descriptor =
        ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) {
        return;
    }
    ::fsync(descriptor);
    ::close(descriptor);
}

/// Larger ones would make a start slow (64 MB take about 0.3 s): their events are still checked one
/// by one, by their digests, when they are read.
constexpr std::uintmax_t checked_bytes = 64U << 20U;

/// Tables and indices must agree: a flipped bit in an index would hide an event.
void check_integrity(SqliteDatabase& database, const std::filesystem::path& file) {
    std::error_code error;
    if (std::filesystem::file_size(file, error) > checked_bytes || error) {
        return;
    }
    SqliteStatement check{database, "PRAGMA integrity_check(1)"};
    if (const auto found = check.step() ? check.text(0) : "no answer"; found != "ok") {
        throw Error{
            ErrorCode::corrupt,
            fmt::format("the database {} is damaged: {}", file.string(), found),
            "restore the database from a backup",
        };
    }
}

/// A connection that writes, and syncs what it writes.
SqliteDatabase connect(const SqliteStoreOptions& options) {
    SqliteDatabase database{options.file, options.vfs};
    database.execute(
        options.synchronous == SqliteStoreOptions::Synchronous::full ? "PRAGMA synchronous = FULL"
                                                                     : "PRAGMA synchronous = OFF"
    );
    return database;
}

SqliteDatabase open_for_writing(const SqliteStoreOptions& options) {
    const auto folder = options.file.parent_path();
    create_durable_folders(folder);
    auto database = connect(options);
    database.execute("PRAGMA journal_mode = WAL");
    // Erased rows are overwritten, not just unlinked.
    database.execute("PRAGMA secure_delete = ON");
    check_integrity(database, options.file);
    migrate(database);
    sync_folder(folder);
    return database;
}

/// A connection with its statements, for one reader at a time.
struct Reader {
    Reader(const SqliteStoreOptions& options)
        : database(options.file, options.vfs), reads(database, options.tenant) {
        database.execute("PRAGMA query_only = ON");
    }

    SqliteDatabase database;
    SqliteReads reads;
};

/// Free connections; a new one is opened when all are busy, so there are as many as threads that
/// read.
class ReaderPool {
  public:
    explicit ReaderPool(SqliteStoreOptions options) : options_(std::move(options)) {}

    std::unique_ptr<Reader> take() {
        {
            const std::scoped_lock lock{mutex_};
            if (!free_.empty()) {
                auto reader = std::move(free_.back());
                free_.pop_back();
                return reader;
            }
        }
        return std::make_unique<Reader>(options_);
    }

    void give_back(std::unique_ptr<Reader> reader) {
        const std::scoped_lock lock{mutex_};
        free_.push_back(std::move(reader));
    }

  private:
    SqliteStoreOptions options_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<Reader>> free_;
};

/// The impressions that are not written yet. Thread-safe.
class WaitingImpressions {
  public:
    explicit WaitingImpressions(std::size_t most) : most_(most) {}

    /// Whether there was room.
    bool enter(const std::string& recommendation_id) {
        const std::scoped_lock lock{mutex_};
        if (ids_.size() >= most_) {
            return false;
        }
        ids_.insert(recommendation_id);
        return true;
    }

    void leave(const std::string& recommendation_id) {
        const std::scoped_lock lock{mutex_};
        ids_.erase(ids_.find(recommendation_id));
    }

    /// Whether one of the events answers one of them.
    bool are_answered_by(const std::vector<NewEvent>& events) const {
        const std::scoped_lock lock{mutex_};
        return std::ranges::any_of(events, [this](const auto& event) {
            return !event.recommendation_id.empty() && ids_.contains(event.recommendation_id);
        });
    }

  private:
    const std::size_t most_;
    mutable std::mutex mutex_;
    std::unordered_multiset<std::string> ids_;
};

}  // namespace

struct SqliteEventStore::Impl {
    explicit Impl(SqliteStoreOptions given)
        : options(std::move(given)),
          lock(lock_path(options)),
          database(open_for_writing(options)),
          writes(database, options.tenant),
          readers(options),
          waiting_impressions(options.max_waiting_impressions),
          checkpointer(database, connect(options), options.checkpoint_pages),
          writer(database, impression_patience) {}

    /// Runs `work` in the next commit and hands its value to `done`.
    template <typename T, typename Work>
    void write(
        Work work, Done<T> done, SqliteWriter::Urgency urgency = SqliteWriter::Urgency::now
    ) {
        auto value = std::make_shared<std::optional<T>>();
        writer.push(
            {
                .apply = [work = std::move(work), value] { *value = work(); },
                .finish =
                    [done = std::move(done), value](const Error* error) {
                        if (error != nullptr) {
                            done(std::unexpected(*error));
                        } else {
                            done(std::move(**value));
                        }
                    },
            },
            urgency
        );
    }

    template <typename Work>
    void write_void(Work work, Done<void> done) {
        writer.push(
            {
                .apply = std::move(work),
                .finish =
                    [done = std::move(done)](const Error* error) {
                        if (error != nullptr) {
                            done(std::unexpected(*error));
                        } else {
                            done({});
                        }
                    },
            },
            SqliteWriter::Urgency::now
        );
    }

    template <typename Read>
    auto read(Read read) -> Result<decltype(read(std::declval<SqliteReads&>()))> {
        try {
            auto reader = readers.take();
            auto value = read(reader->reads);
            readers.give_back(std::move(reader));
            return value;
        } catch (const Error& error) {
            return std::unexpected(error);
        }
    }

    SqliteStoreOptions options;
    LockFile lock;
    SqliteDatabase database;
    SqliteWrites writes;
    ReaderPool readers;
    WaitingImpressions waiting_impressions;
    std::atomic<std::uint64_t> dropped_impressions = 0;
    SqliteCheckpointer checkpointer;
    SqliteWriter writer;  // last: its thread ends before what it uses
};

SqliteEventStore::SqliteEventStore(SqliteStoreOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}

SqliteEventStore::~SqliteEventStore() = default;

void SqliteEventStore::append_events(
    std::vector<NewEvent> events, TimeMs arrival, Done<std::vector<EventOutcome>> done
) {
    std::vector<std::string> digests;
    digests.reserve(events.size());
    for (const auto& event : events) {
        digests.push_back(body_digest(event));
    }
    // A crash must not leave an answer whose impression was still waiting.
    const auto urgency = impl_->waiting_impressions.are_answered_by(events)
                             ? SqliteWriter::Urgency::after_all
                             : SqliteWriter::Urgency::now;
    impl_->write<std::vector<EventOutcome>>(
        [this, arrival, events = std::move(events), digests = std::move(digests)] {
            std::vector<EventOutcome> outcomes;
            outcomes.reserve(events.size());
            for (std::size_t i = 0; i < events.size(); ++i) {
                outcomes.push_back(impl_->writes.append(events[i], digests[i], arrival));
            }
            return outcomes;
        },
        std::move(done),
        urgency
    );
}

void SqliteEventStore::put_item(
    std::string item_id, std::string fields, TimeMs now, Done<void> done
) {
    impl_->write_void(
        [this, now, item_id = std::move(item_id), fields = std::move(fields)] {
            impl_->writes.put_item(item_id, fields, now);
        },
        std::move(done)
    );
}

void SqliteEventStore::delete_item(std::string item_id, TimeMs now, Done<bool> done) {
    impl_->write<bool>(
        [this, now, item_id = std::move(item_id)] {
            return impl_->writes.delete_item(item_id, now);
        },
        std::move(done)
    );
}

void SqliteEventStore::put_user(
    std::string user_id, std::string fields, TimeMs now, Done<void> done
) {
    impl_->write_void(
        [this, now, user_id = std::move(user_id), fields = std::move(fields)] {
            impl_->writes.put_user(user_id, fields, now);
        },
        std::move(done)
    );
}

void SqliteEventStore::delete_user(std::string user_id, TimeMs now, Done<Erased> done) {
    impl_->write<Erased>(
        [this, user_id = std::move(user_id), now] {
            return impl_->writes.delete_user(user_id, now);
        },
        std::move(done),
        SqliteWriter::Urgency::after_all
    );
}

void SqliteEventStore::put_user_settings(
    std::string user_id, std::string settings, TimeMs now, Done<void> done
) {
    impl_->write_void(
        [this, now, user_id = std::move(user_id), settings = std::move(settings)] {
            impl_->writes.put_user_settings(user_id, settings, now);
        },
        std::move(done)
    );
}

void SqliteEventStore::delete_event(
    std::string user_id, std::string event_id, Done<std::optional<std::string>> done
) {
    impl_->write<std::optional<std::string>>(
        [this, user_id = std::move(user_id), event_id = std::move(event_id)] {
            return impl_->writes.delete_event(user_id, event_id);
        },
        std::move(done)
    );
}

void SqliteEventStore::log_impression(Impression impression) {
    if (!impl_->waiting_impressions.enter(impression.recommendation_id)) {
        impl_->dropped_impressions.fetch_add(1);
        return;
    }
    const auto shared = std::make_shared<const Impression>(std::move(impression));
    impl_->writer.push(
        {
            .apply = [this, shared] { impl_->writes.log_impression(*shared); },
            .finish =
                [this, shared](const Error* error) {
                    impl_->waiting_impressions.leave(shared->recommendation_id);
                    if (error != nullptr) {
                        impl_->dropped_impressions.fetch_add(1);
                    }
                },
        },
        SqliteWriter::Urgency::lazy
    );
}

void SqliteEventStore::flush() {
    impl_->writer.flush();
}

Result<std::vector<StoredEvent>> SqliteEventStore::last_events(
    std::string_view user_id, std::size_t limit, TimeMs until
) const {
    return impl_->read([&](SqliteReads& reads) { return reads.last_events(user_id, limit, until); }
    );
}

Result<std::optional<ItemRecord>> SqliteEventStore::item(std::string_view item_id) const {
    return impl_->read([&](SqliteReads& reads) { return reads.item(item_id); });
}

Result<std::vector<ItemRecord>> SqliteEventStore::items() const {
    return impl_->read([](SqliteReads& reads) { return reads.items(); });
}

Result<std::vector<ItemRecord>> SqliteEventStore::popular(std::size_t limit) const {
    return impl_->read([&](SqliteReads& reads) { return reads.popular(limit); });
}

Result<std::vector<ItemRecord>> SqliteEventStore::latest(std::size_t limit) const {
    return impl_->read([&](SqliteReads& reads) { return reads.latest(limit); });
}

Result<std::optional<UserRecord>> SqliteEventStore::user(std::string_view user_id) const {
    return impl_->read([&](SqliteReads& reads) { return reads.user(user_id); });
}

Result<bool> SqliteEventStore::is_erased(std::string_view user_id) const {
    return impl_->read([&](SqliteReads& reads) { return reads.is_erased(user_id); });
}

Result<std::optional<Impression>> SqliteEventStore::impression(std::string_view recommendation_id
) const {
    return impl_->read([&](SqliteReads& reads) { return reads.impression(recommendation_id); });
}

Result<std::string> SqliteEventStore::user_settings(std::string_view user_id) const {
    return impl_->read([&](SqliteReads& reads) { return reads.user_settings(user_id); });
}

Result<std::vector<SlotOutcome>> SqliteEventStore::slot_outcomes(
    std::size_t limit, const IsClick& is_click
) const {
    return impl_->read([&](SqliteReads& reads) { return reads.slot_outcomes(limit, is_click); });
}

Result<StoreCounts> SqliteEventStore::counts() const {
    return impl_->read([](SqliteReads& reads) { return reads.counts(); });
}

Result<std::vector<EventTypeCount>> SqliteEventStore::events_by_type() const {
    return impl_->read([](SqliteReads& reads) { return reads.events_by_type(); });
}

CommitFigures SqliteEventStore::figures() const {
    const auto figures = impl_->writer.figures();
    return {
        .commits = figures.commits,
        .jobs = figures.jobs,
        .failures = figures.failures,
        .dropped_impressions = impl_->dropped_impressions.load(),
        .seconds = figures.seconds,
    };
}

}  // namespace hg::data

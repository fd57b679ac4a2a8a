// SPDX-License-Identifier: Apache-2.0
// LruCache: a bounded map by string that forgets what was not used longest; sharded, thread-safe.
//
// Values are shared: one that is forgotten while a request works on it lives until that request
// ends.
//
//   LruCache<Session> sessions{20'000};
//   auto session = sessions.get_or_make("u1");
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace hg::serve {

template <typename Value>
class LruCache {
  public:
    explicit LruCache(std::size_t capacity) : per_shard_(capacity / n_shards + 1) {}

    [[nodiscard]] std::shared_ptr<Value> find(const std::string& key) {
        auto& shard = shard_of(key);
        const std::scoped_lock lock{shard.mutex};
        const auto found = shard.index.find(key);
        if (found == shard.index.end()) {
            return nullptr;
        }
        shard.order.splice(shard.order.begin(), shard.order, found->second);
        return found->second->second;
    }

    [[nodiscard]] std::shared_ptr<Value> get_or_make(const std::string& key) {
        std::shared_ptr<Value> forgotten;  // dies after the lock
        auto& shard = shard_of(key);
        const std::scoped_lock lock{shard.mutex};
        if (const auto found = shard.index.find(key); found != shard.index.end()) {
            shard.order.splice(shard.order.begin(), shard.order, found->second);
            return found->second->second;
        }
        if (shard.order.size() >= per_shard_) {
            forgotten = std::move(shard.order.back().second);
            shard.index.erase(shard.order.back().first);
            shard.order.pop_back();
        }
        shard.order.emplace_front(key, std::make_shared<Value>());
        shard.index.emplace(shard.order.front().first, shard.order.begin());
        return shard.order.front().second;
    }

    void erase(const std::string& key) {
        auto& shard = shard_of(key);
        const std::scoped_lock lock{shard.mutex};
        const auto found = shard.index.find(key);
        if (found == shard.index.end()) {
            return;
        }
        const auto entry = found->second;
        shard.index.erase(found);
        shard.order.erase(entry);
    }

    [[nodiscard]] std::size_t size() const {
        std::size_t n = 0;
        for (auto& shard : shards_) {
            const std::scoped_lock lock{shard.mutex};
            n += shard.order.size();
        }
        return n;
    }

  private:
    static constexpr std::size_t n_shards = 16;
    using Entry = std::pair<std::string, std::shared_ptr<Value>>;

    struct Shard {
        mutable std::mutex mutex;
        std::list<Entry> order;  // last used first
        std::unordered_map<std::string_view, typename std::list<Entry>::iterator> index;
    };

    [[nodiscard]] Shard& shard_of(const std::string& key) {
        return shards_[std::hash<std::string>{}(key) % n_shards];
    }

    std::size_t per_shard_;
    std::array<Shard, n_shards> shards_;
};

}  // namespace hg::serve

// SPDX-License-Identifier: Apache-2.0
#include "core/memory_limit.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>

namespace hg {
namespace {

namespace fs = std::filesystem;

constexpr double unlimited = std::numeric_limits<double>::infinity();

/// The number in a file; `unlimited` where there is no such file or it says "max".
double limit_in(const fs::path& file) {
    std::ifstream in{file};
    double bytes = 0;
    return in >> bytes ? bytes : unlimited;
}

/// The least limit of a control group and of those it is in. In a container the group's own path may be
/// that of the host, and only the top is there.
double least_limit(const fs::path& mount, fs::path group, std::string_view file) {
    double least = limit_in(mount / file);
    for (; group.has_relative_path(); group = group.parent_path()) {
        least = std::min(least, limit_in(mount / group.relative_path() / file));
    }
    return least;
}

/// Control groups, version 2 ("0::/path") and version 1 ("4:memory:/path").
double group_limit(const fs::path& root) {
    double least = unlimited;
    std::ifstream groups{root / "proc/self/cgroup"};
    for (std::string line; std::getline(groups, line);) {
        const auto first = line.find(':');
        const auto second = line.find(':', first + 1);
        if (first == std::string::npos || second == std::string::npos) {
            continue;
        }
        const auto controllers = line.substr(first + 1, second - first - 1);
        const fs::path group{line.substr(second + 1)};
        if (controllers.empty()) {
            least = std::min(least, least_limit(root / "sys/fs/cgroup", group, "memory.max"));
        } else if (controllers == "memory") {
            least = std::min(
                least, least_limit(root / "sys/fs/cgroup/memory", group, "memory.limit_in_bytes")
            );
        }
    }
    return least;
}

}  // namespace

double memory_limit_bytes(const fs::path& root) {
    const double machine = static_cast<double>(::sysconf(_SC_PHYS_PAGES)) *
                           static_cast<double>(::sysconf(_SC_PAGE_SIZE));
    return std::min(machine, group_limit(root)) / 2;
}

void check_memory(const MemoryNeed& need) {
    if (need.bytes <= need.limit_bytes) {
        return;
    }
    constexpr double giga = 1e9;
    throw MemoryRefusal{
        ErrorCode::exhausted,
        fmt::format(
            "{} need {:.1f} GB, the limit is {:.1f} GB",
            need.what,
            need.bytes / giga,
            need.limit_bytes / giga
        ),
        need.hint
    };
}

}  // namespace hg

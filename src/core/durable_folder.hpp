// SPDX-License-Identifier: Apache-2.0
// A new folder is durable only when the folder above it is synced: else a power cut takes it away
// with every file in it, synced or not.
#pragma once

#include <filesystem>

namespace hg {

/// Creates what is missing of the path and syncs what it is named in. Throws Error.
void create_durable_folders(const std::filesystem::path& folder);

}  // namespace hg

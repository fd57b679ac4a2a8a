// SPDX-License-Identifier: Apache-2.0
// TensorBoardWriter: the curves of a run as a TensorBoard event file.
//
// The file is a sequence of TFRecords (u64 length, masked CRC-32C of it, the bytes, masked CRC-32C
// of them), each a protobuf message tensorflow.Event with one scalar. It is appended to when a run
// is resumed; a record cut short by a crash is dropped first, because readers stop at a broken one.
//
//   TensorBoardWriter curves{run_folder, clock};
//   curves.scalar("validation/ndcg@10", epoch, 0.093);     // `tensorboard --logdir runs` shows it
#pragma once

#include "core/clock.hpp"
#include "core/error.hpp"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace hg::train {

/// Not thread-safe. Every record is handed to the system at once, so a live TensorBoard sees it.
class TensorBoardWriter {
  public:
    static constexpr std::string_view file_name = "events.out.tfevents.0.honeyguide";

    /// Opens or continues `folder`/file_name. `clock` outlives the writer. Throws Error.
    TensorBoardWriter(const std::filesystem::path& folder, const Clock& clock);

    void scalar(std::string_view tag, std::int64_t step, double value);

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

  private:
    void write(std::string_view record);

    const Clock& clock_;
    std::filesystem::path path_;
    std::ofstream out_;
};

/// The payloads of whole, undamaged records from the start of `bytes` on, and where they end.
struct TfRecords {
    std::vector<std::string_view> payloads;  // borrowed from `bytes`
    std::size_t valid_bytes = 0;
};

[[nodiscard]] TfRecords read_tf_records(std::string_view bytes);

}  // namespace hg::train

// SPDX-License-Identifier: Apache-2.0
#include "train/checkpoint.hpp"

#include "encode/tensor_io.hpp"

#include <torch/types.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace hg::train {
namespace {

constexpr int format_version = 1;

nlohmann::json to_json(const Position& p) {
    return {
        {"version", format_version},
        {"epoch", p.epoch},
        {"batch", p.batch},
        {"step", p.step},
        {"loss_sum", p.loss_sum},
        {"examples", p.examples},
        {"last_loss", p.last_loss},
        {"best_epoch", p.best_epoch},
        {"best_validation",
         p.best_validation ? nlohmann::json(*p.best_validation) : nlohmann::json{}},
        {"streams", p.streams},
    };
}

Position from_json(const nlohmann::json& j) {
    Position p{
        .epoch = j.at("epoch"),
        .batch = j.at("batch"),
        .step = j.at("step"),
        .loss_sum = j.at("loss_sum"),
        .examples = j.at("examples"),
        .last_loss = j.at("last_loss"),
        .best_epoch = j.at("best_epoch"),
        .best_validation = std::nullopt,
        .streams = j.at("streams"),
    };
    if (const auto& best = j.at("best_validation"); !best.is_null()) {
        p.best_validation = best.get<double>();
    }
    return p;
}

Error damaged(const std::filesystem::path& path, std::string_view what) {
    return {
        ErrorCode::corrupt,
        fmt::format("{}: the checkpoint cannot be used: {}", path.string(), what),
        "delete it to train from the start",
    };
}

}  // namespace

void save_checkpoint(
    const std::filesystem::path& path,
    const std::string& label,
    const std::string& fingerprint,
    const Position& position,
    const std::vector<TensorGroup>& groups
) {
    SafetensorsWriter writer;
    writer.add_metadata("label", label);
    writer.add_metadata("fingerprint", fingerprint);
    writer.add_metadata("position", to_json(position).dump());
    for (const auto& [group, tensors] : groups) {
        for (const auto& [name, tensor] : tensors) {
            encode::add_tensor(writer, group + "/" + name, tensor);
        }
    }
    writer.save(path);
}

std::optional<Position> load_checkpoint(
    const std::filesystem::path& path,
    const std::string& label,
    const std::string& fingerprint,
    std::vector<TensorGroup>& groups
) {
    if (!std::filesystem::exists(path)) {
        return std::nullopt;
    }
    auto opened = SafetensorsFile::open(path);
    if (!opened) {
        throw damaged(path, opened.error().message());
    }
    const auto& metadata = opened->metadata();
    for (const auto* key : {"label", "fingerprint", "position"}) {
        if (!metadata.contains(key)) {
            throw damaged(path, fmt::format("no {}", key));
        }
    }
    if (metadata.at("label") != label) {
        return std::nullopt;
    }
    if (metadata.at("fingerprint") != fingerprint) {
        throw Error{
            ErrorCode::conflict,
            fmt::format("{}: the training stopped here had other settings or data", path.string()),
            "repeat the same command to resume it, choose another --out, or delete the checkpoint",
        };
    }
    try {
        for (auto& [group, tensors] : groups) {
            for (auto& [name, tensor] : tensors) {
                encode::copy_tensor(*opened, group + "/" + name, tensor);
            }
        }
        return from_json(nlohmann::json::parse(metadata.at("position")));
    } catch (const nlohmann::json::exception& error) {
        throw damaged(path, error.what());
    } catch (const Error& error) {
        throw damaged(path, error.message());
    }
}

}  // namespace hg::train

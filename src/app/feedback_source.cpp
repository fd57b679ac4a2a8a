// SPDX-License-Identifier: Apache-2.0
#include "app/feedback_source.hpp"

#include "core/digest.hpp"
#include "core/file.hpp"
#include "data/dataset.hpp"
#include "data/impression_log.hpp"
#include "simulate/learned/feedback_from_dataset.hpp"
#include "simulate/learned/feedback_from_log.hpp"

namespace hg::app {
namespace {

FeedbackSource read_log(const std::string& path, const simulate::WorldFitOptions& options) {
    data::Rejections none{0};
    const auto log = value_or_throw(data::read_impressions(path, data::Purpose::learning, none));
    FeedbackSource source;
    source.table = simulate::feedback_from_log(
        log,
        path,
        {.exposure_clip = options.exposure_clip,
         .max_decisions = static_cast<std::size_t>(options.max_decisions)}
    );
    const auto file = value_or_throw(MappedFile::open(path));
    source.table.facts.data_hash = digest_hex(file.text());
    source.facts = {
        {"kind", "impression log"},
        {"path", path},
        {"hash", source.table.facts.data_hash},
        {"decisions", log.size()},
    };
    return source;
}

}  // namespace

FeedbackSource read_feedback(
    const std::string& data,
    const std::string& log,
    const simulate::WorldFitOptions& options,
    std::uint64_t seed,
    ProgressSink& progress,
    const std::stop_token& stop
) {
    if (data.empty() == log.empty()) {
        throw Error{
            ErrorCode::invalid_argument,
            data.empty() ? "nothing to look at" : "two sources",
            "give either --data DIR (a dataset) or --log FILE (an impression log)"
        };
    }
    if (!log.empty()) {
        return read_log(log, options);
    }
    const auto dataset = value_or_throw(data::open_dataset(data));
    return {
        .table = simulate::feedback_from_dataset(dataset, options, seed, progress, stop),
        .facts =
            {{"kind", "dataset"},
             {"path", data},
             {"name", dataset.name},
             {"hash", dataset.hash},
             {"events", dataset.log.size()},
             {"users", dataset.users.size()},
             {"items", dataset.items.size()}},
    };
}

}  // namespace hg::app

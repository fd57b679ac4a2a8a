// SPDX-License-Identifier: Apache-2.0
// fused: text and fields as one vector: each part centred on the items that have it, side by side,
// PCA.
//
// A missing part is the mean of that part (0 after centring), so an item with only fields still
// lies near its like; `parts` and `part_present` of ItemVectors say what was there. Rows have
// length 1.
#include "core/error.hpp"
#include "encode/encoder_entry.hpp"
#include "encode/encoder_files.hpp"
#include "encode/fields.hpp"
#include "encode/pca.hpp"
#include "encode/text_encoder.hpp"
#include "encode/unit_rows.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace hg::encode {
namespace {

constexpr std::array<const char*, 2> part_names{"text", "fields"};

struct FusedOptions {
    std::int64_t dim = 128;
    double text_weight = 1;
    double fields_weight =
        0.5;  // of the variance: genres alone would otherwise decide the neighbours
    TextOptions text;
    FieldsOptions fields;

    static void describe(OptionBinder& bind, FusedOptions& o) {
        bind("dim", o.dim, "width of the vectors", {.min = 1, .max = 4096});
        bind("text_weight", o.text_weight, "share of the text part", {.min = 0, .max = 100});
        bind("fields_weight", o.fields_weight, "share of the fields part", {.min = 0, .max = 100});
        bind("model", o.text.model, "folder of a BERT model in Hugging Face layout");
        bind("dtype", o.text.dtype, "precision of the network", {.choices = {"fp32", "bf16"}});
        bind("device", o.text.device, "cpu, cuda or cuda:N");
        bind("fields_dim", o.fields.dim, "width of the fields part", {.min = 1, .max = 4096});
        bind("min_df", o.fields.min_df, "items a word must occur in", {.min = 1});
    }
};

class Fused final : public ContentModel {
  public:
    struct Part {
        std::unique_ptr<ContentModel> model;
        std::vector<float> mean;  // over the items that have it
        float scale = 1;
    };

    [[nodiscard]] static std::unique_ptr<Fused> learn(
        const EncodeContext& context, const FusedOptions& options
    ) {
        auto fused = std::make_unique<Fused>();
        fused->add(TextEncoder::open(context, options.text), options.text_weight);
        fused->add(
            FieldsEncoder::learn(context.items, options.fields, context.rng), options.fields_weight
        );
        std::vector<ItemVectors> made;
        for (auto& part : fused->parts_) {
            made.push_back(part.model->represent(context.items, context.progress, context.stop));
            part.mean = mean_of(made.back());
        }
        const auto joined = fused->join(made);
        fused->pca_ = fit_pca(
            joined.view(), static_cast<std::size_t>(options.dim), context.rng.split("fused")
        );
        if (fused->pca_.dim() == 0) {
            throw Error{
                ErrorCode::invalid_argument,
                "all items have the same content: nothing tells them apart",
                "give items titles, descriptions or genres that differ",
            };
        }
        return fused;
    }

    [[nodiscard]] static std::unique_ptr<Fused> load(const std::filesystem::path& folder) {
        auto fused = std::make_unique<Fused>();
        (void)read_encoder_json(folder);
        const auto state = open_encoder_state(folder);
        const auto scales = value_or_throw(state.values<float>("scales"));
        for (std::size_t p = 0; p < part_names.size(); ++p) {
            const std::string name = part_names.at(p);
            const auto mean = value_or_throw(state.values<float>(name + ".mean"));
            Part part{.model = load_encoder(folder / name), .mean = {mean.begin(), mean.end()}};
            if (p >= scales.size() || part.model->dim() != mean.size()) {
                throw not_fitting(folder);
            }
            part.scale = scales[p];
            fused->parts_.push_back(std::move(part));
        }
        fused->pca_ = load_pca(state);
        if (fused->pca_.mean.size() != fused->joined_dim()) {
            throw not_fitting(folder);
        }
        return fused;
    }

    [[nodiscard]] ItemVectors represent(
        const data::Catalogue& items, ProgressSink& progress, std::stop_token stop
    ) const override {
        std::vector<ItemVectors> made;
        for (const auto& part : parts_) {
            made.push_back(part.model->represent(items, progress, stop));
        }
        ItemVectors out{.encoder = "fused"};
        out.parts = {part_names.begin(), part_names.end()};
        out.part_present = Matrix<std::uint8_t>(items.n_rows(), parts_.size());
        out.present.assign(items.n_rows(), 0);
        for (std::size_t p = 0; p < made.size(); ++p) {
            for (std::size_t row = 0; row < items.n_rows(); ++row) {
                out.part_present(row, p) = made[p].present[row];
                out.present[row] = std::max(out.present[row], made[p].present[row]);
            }
        }
        out.vectors = Matrix<float>(items.n_rows(), dim());
        const auto joined = join(made);
        pca_.project(joined.view(), out.vectors.view());
        scale_rows_to_unit(out.vectors.view(), out.present);
        return out;
    }

    [[nodiscard]] std::size_t dim() const override { return pca_.dim(); }

    void save(const std::filesystem::path& folder) const override {
        SafetensorsWriter state;
        std::vector<float> scales;
        for (std::size_t p = 0; p < parts_.size(); ++p) {
            const std::string name = part_names.at(p);
            parts_[p].model->save(folder / name);
            state.add<float>(name + ".mean", std::span<const float>{parts_[p].mean});
            scales.push_back(parts_[p].scale);
        }
        state.add<float>("scales", std::span<const float>{scales});
        save_pca(pca_, state);
        write_encoder_state(folder, state);
        write_encoder_json(folder, "fused", {{"dim", dim()}, {"parts", part_names}});
    }

  private:
    static Error not_fitting(const std::filesystem::path& folder) {
        return {
            ErrorCode::corrupt,
            folder.string() + ": the parts of the fused encoder do not fit",
            "run honeyguide encode again"
        };
    }

    static std::vector<float> mean_of(const ItemVectors& vectors) {
        std::vector<double> sum(vectors.dim());
        double n = 0;
        for (std::size_t row = 0; row < vectors.n_items(); ++row) {
            if (vectors.present[row] == 0) {
                continue;
            }
            n += 1;
            for (std::size_t c = 0; c < sum.size(); ++c) {
                sum[c] += static_cast<double>(vectors.vectors(row, c));
            }
        }
        std::vector<float> mean;
        for (const double value : sum) {
            mean.push_back(static_cast<float>(value / std::max(n, 1.0)));
        }
        return mean;
    }

    void add(std::unique_ptr<ContentModel> model, double weight) {
        parts_.push_back(
            {.model = std::move(model), .mean = {}, .scale = static_cast<float>(std::sqrt(weight))}
        );
    }

    [[nodiscard]] std::size_t joined_dim() const {
        std::size_t total = 0;
        for (const auto& part : parts_) {
            total += part.model->dim();
        }
        return total;
    }

    /// [n_items, sum of the parts' dims], missing parts 0.
    [[nodiscard]] Matrix<float> join(const std::vector<ItemVectors>& made) const {
        Matrix<float> joined(made.front().n_items(), joined_dim());
        std::size_t first = 0;
        for (std::size_t p = 0; p < parts_.size(); ++p) {
            const auto& part = parts_[p];
            for (std::size_t row = 0; row < joined.rows(); ++row) {
                if (made[p].present[row] == 0) {
                    continue;
                }
                const auto from = made[p].vectors.row(row);
                for (std::size_t c = 0; c < from.size(); ++c) {
                    joined(row, first + c) = (from[c] - part.mean[c]) * part.scale;
                }
            }
            first += part.model->dim();
        }
        return joined;
    }

    std::vector<Part> parts_;  // in the order of part_names
    Pca pca_;
};

std::unique_ptr<ContentModel> fit_fused(const EncodeContext& context, const Settings& settings) {
    return Fused::learn(context, settings.read<FusedOptions>());
}

std::unique_ptr<ContentModel> load_fused(const std::filesystem::path& folder) {
    return Fused::load(folder);
}

}  // namespace

extern const EncoderEntry fused{
    .name = "fused",
    .summary = "text and fields side by side, PCA: one vector with a mask of missing parts",
    .options = &describe_options<FusedOptions>,
    .fit = &fit_fused,
    .load = &load_fused,
};

}  // namespace hg::encode

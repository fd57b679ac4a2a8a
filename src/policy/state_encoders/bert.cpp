// SPDX-License-Identifier: Apache-2.0
// Behaviour rendered as text through a pretrained BERT (Devlin et al., 2019; the encoder of
// encode/bert.hpp), beside the user's numbers; items are vectors of the same BERT beside theirs, so
// the score of an item is the dot product of the two texts, each through a learned map.
//
// Frozen, every distinct text goes through the network once. With bert.tuned_layers > 0 the last
// layers learn with the policy, on behaviours only: item vectors stay those of the pretrained model,
// else every gradient would cost a pass over the catalogue. Run and model folder belong together: a
// run holds the layers that learned and the hash of the model.
#include "encode/tuned_bert_net.hpp"
#include "policy/behaviour_text.hpp"
#include "policy/network_options.hpp"
#include "policy/state_encoder_net.hpp"

#include <torch/nn/modules/linear.h>

#include <fmt/format.h>

#include <cmath>
#include <string>
#include <unordered_map>
#include <vector>

namespace hg::policy {
namespace {

constexpr const char* hash_key = "bert.hash";

/// Places of distinct things in the order in which they came.
class Places {
  public:
    /// The place of `key`; a new one is the number of those before it.
    std::int64_t of(std::string key) {
        return places_.try_emplace(std::move(key), std::ssize(places_)).first->second;
    }

    [[nodiscard]] std::int64_t size() const noexcept { return std::ssize(places_); }

    void clear() { places_.clear(); }

  private:
    std::unordered_map<std::string, std::int64_t> places_;
};

struct BertStateEncoder final : StateEncoderNet {
    explicit BertStateEncoder(const StateEncoderShape& shape)
        : shape_(shape),
          trunk_(shape.trunk),
          scale_(std::sqrt(static_cast<double>(trunk_->dim()))) {
        if (trunk_->tuned_layers() > 0) {
            tail = register_module("tail", trunk_->make_tail());
        }
        join = register_module(
            "join", torch::nn::Linear(shape.user_size + trunk_->dim(), shape.hidden)
        );
    }

    at::Tensor forward(const at::Tensor& users, const at::Tensor& sessions) override {
        return join->forward(at::cat({users, represent(sessions) * scale_}, 1)).tanh();
    }

    std::int64_t item_vector_size() const override { return trunk_->dim(); }

    at::Tensor item_vectors(const at::Tensor& items) override {
        constexpr std::int64_t most = 100'000;  // then forget: items may be new at every step
        if (items_.size() > most) {
            items_.clear();
            vectors_ = at::Tensor{};
        }
        const auto flat = items.contiguous().view({-1, items.size(-1)});
        const auto width = static_cast<std::size_t>(flat.size(1));
        std::vector<std::int64_t> places;
        std::vector<std::string> unknown;
        for (std::int64_t i = 0; i < flat.size(0); ++i) {
            const std::span<const float> item{
                flat.const_data_ptr<float>() + i * flat.size(1), width
            };
            const auto n_known = items_.size();
            places.push_back(
                items_.of({reinterpret_cast<const char*>(item.data()), item.size_bytes()})
            );
            if (items_.size() > n_known) {
                unknown.push_back(item_text(item, shape_.item_texts));
            }
        }
        if (!unknown.empty()) {
            const auto made = trunk_->vectors(unknown) * scale_;
            vectors_ = vectors_.defined() ? at::cat({vectors_, made}) : made;
        }
        return vectors_.index_select(0, at::tensor(places, at::kLong))
            .view({items.size(0), items.size(1), trunk_->dim()});
    }

    void save_facts(SafetensorsWriter& weights) const override {
        weights.add_metadata(hash_key, trunk_->hash());
    }

    void check_facts(const SafetensorsFile& weights) const override {
        const auto known = weights.metadata().find(hash_key);
        if (known == weights.metadata().end() || known->second != trunk_->hash()) {
            throw Error{
                ErrorCode::conflict,
                fmt::format(
                    "{} holds another text model than the run was learned with", shape_.bert.model
                ),
                "put the old model back, or learn the run again"
            };
        }
    }

  private:
    /// [B, length * token] -> [B, dim]
    at::Tensor represent(const at::Tensor& sessions) {
        const auto rows = sessions.contiguous();
        const auto width = static_cast<std::size_t>(rows.size(1));
        Places distinct;
        std::vector<std::int64_t> places;
        std::vector<std::string> texts;
        for (std::int64_t u = 0; u < rows.size(0); ++u) {
            const std::span<const float> session{
                rows.const_data_ptr<float>() + u * rows.size(1), width
            };
            auto text =
                behaviour_text(session, static_cast<std::size_t>(shape_.token), shape_.item_texts);
            places.push_back(distinct.of(text));
            if (distinct.size() > std::ssize(texts)) {
                texts.push_back(std::move(text));
            }
        }
        const auto vectors = tail ? tail->forward(trunk_->states(texts)) : trunk_->vectors(texts);
        return vectors.index_select(0, at::tensor(places, at::kLong));
    }

    StateEncoderShape shape_;
    std::shared_ptr<encode::BertTrunk> trunk_;
    double scale_;  // vectors have length 1: makes their numbers about 1
    std::shared_ptr<encode::BertTail> tail;
    torch::nn::Linear join{nullptr};
    Places items_;        // by their numbers
    at::Tensor vectors_;  // of items_, [n, dim]
};

std::shared_ptr<StateEncoderNet> bert_encoder(const StateEncoderShape& shape) {
    return std::make_shared<BertStateEncoder>(shape);
}

std::shared_ptr<encode::BertTrunk> load_trunk(const BertStateOptions& options) {
    return encode::BertTrunk::load(
        {.folder = options.model,
         .tuned_layers = options.tuned_layers,
         .max_tokens = static_cast<std::size_t>(options.max_tokens),
         .memory_bytes = static_cast<std::size_t>(options.memory_mb) << 20U}
    );
}

}  // namespace

extern const StateEncoderEntry bert{
    .name = "bert",
    .summary = "the session as text through a pretrained BERT, frozen or its last layers tuned",
    .reads_session = true,
    .make = &bert_encoder,
    .load_trunk = &load_trunk,
};

}  // namespace hg::policy

// SPDX-License-Identifier: Apache-2.0
#include "core/registry.hpp"
#include "policy/network_options.hpp"
#include "policy/state_encoder_facts.hpp"
#include "policy/state_encoder_net.hpp"

#include <array>

namespace hg::policy {

#define HG_STATE_ENCODER(name) extern const StateEncoderEntry name;
#include "policy/state_encoders/builtin.def"
#undef HG_STATE_ENCODER

namespace {

constexpr std::array table{
#define HG_STATE_ENCODER(name) &name,
#include "policy/state_encoders/builtin.def"
#undef HG_STATE_ENCODER
};

}  // namespace

std::span<const StateEncoderEntry* const> state_encoders() {
    return table;
}

std::vector<StateEncoderFacts> state_encoder_facts() {
    std::vector<StateEncoderFacts> all;
    for (const auto* entry : state_encoders()) {
        all.push_back({entry->name, entry->summary});
    }
    return all;
}

const StateEncoderEntry& find_state_encoder(std::string_view name) {
    return find_entry<StateEncoderEntry>(state_encoders(), name, "state encoder");
}

void BertStateOptions::describe(OptionBinder& bind, BertStateOptions& o) {
    bind("bert.model", o.model, "encoder bert: folder of a BERT model in Hugging Face layout");
    bind(
        "bert.tuned_layers",
        o.tuned_layers,
        "encoder bert: so many of its last layers learn with the policy; 0 = frozen",
        {.min = 0, .max = 48}
    );
    bind(
        "bert.max_tokens", o.max_tokens, "encoder bert: where texts are cut", {.min = 4, .max = 512}
    );
    bind(
        "bert.memory_mb",
        o.memory_mb,
        "encoder bert: of texts computed before",
        {.min = 1, .max = 65536}
    );
}

void TransformerStateOptions::describe(OptionBinder& bind, TransformerStateOptions& o) {
    bind("transformer.layers", o.layers, "encoder transformer: blocks", {.min = 1, .max = 48});
    bind(
        "transformer.heads",
        o.heads,
        "encoder transformer: heads of a block; they part the width",
        {.min = 1, .max = 64}
    );
}

void NetworkOptions::describe(OptionBinder& bind, NetworkOptions& o) {
    OptionLimits encoders;
    for (const auto* entry : state_encoders()) {
        encoders.choices.push_back(entry->name);
    }
    bind("encoder", o.encoder, "what makes a state of user and session", encoders);
    bind(
        "head",
        o.head,
        "scores from the state alone, also from a belief of the user's answers, or by the knobs of "
        "a "
        "server (worlds served:RUN)",
        {.choices = {"dot", "belief", "knobs"}}
    );
    bind(
        "session_length",
        o.session_length,
        "shown items an encoder of sessions looks back on",
        {.min = 1, .max = 512}
    );
    BertStateOptions::describe(bind, o.bert);
    TransformerStateOptions::describe(bind, o.transformer);
    bind("hidden", o.hidden, "width of the network", {.min = 4, .max = 4096});
    bind(
        "products",
        o.products,
        "items are also seen by their dot products with the user's numbers, one per block of an "
        "item's width"
    );
    bind(
        "item_embedding",
        o.item_embedding,
        "numbers learned of every item of the world beside its own, so that it is known by its "
        "number too; 0 = by its own alone",
        {.min = 0, .max = 1024}
    );
    describe_learning(bind, o);
}

void NetworkOptions::describe_learning(OptionBinder& bind, NetworkOptions& o) {
    bind("learning_rate", o.learning_rate, "step size of Adam", {.min = 1e-7, .max = 1});
    bind(
        "final_rate_share",
        o.final_rate_share,
        "what is left of the learning rate at the end; it falls linearly",
        {.min = 0, .max = 1}
    );
    bind("discount", o.discount, "of later rewards", {.min = 0, .max = 1});
    bind("clip_norm", o.clip_norm, "longest gradient; 0 = off", {.min = 0, .max = 1e6});
}

std::size_t NetworkOptions::tokens() const {
    const bool reads = find_state_encoder(encoder).reads_session || head == "belief";
    return reads ? static_cast<std::size_t>(session_length) : 0;
}

}  // namespace hg::policy

// SPDX-License-Identifier: Apache-2.0
#include "core/sealed_json.hpp"

#include "core/digest.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <utility>

namespace hg {
namespace {

/// Of what a file will hold: bytes that are not UTF-8 are replaced, as by who writes it.
std::string digest_of(const nlohmann::json& content) {
    return digest_hex(content.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace

void seal(nlohmann::json& object) {
    object.erase(seal_key);
    auto digest = digest_of(object);
    object[seal_key] = std::move(digest);
}

bool has_broken_seal(const nlohmann::json& object) {
    const auto found = object.find(seal_key);
    if (found == object.end()) {
        return false;
    }
    auto rest = object;
    rest.erase(seal_key);
    return *found != digest_of(rest);
}

}  // namespace hg
